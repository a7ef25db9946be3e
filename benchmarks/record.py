"""The line that every benchmark ends with."""

import json
import os
import platform
from typing import Literal, NamedTuple


class Goal(NamedTuple):
    """A bound on one of the figures."""

    key: str
    bound: float
    direction: Literal["<=", ">="]


def line(benchmark: str, figures: dict[str, float], goals: list[Goal]) -> str:
    """One JSON object: the machine, the figures, and whether each goal was met."""
    content = {
        "benchmark": benchmark,
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "figures": figures,
        "goals": [_judged(goal, figures[goal.key]) for goal in goals],
    }
    return json.dumps(content)


def _judged(goal: Goal, value: float) -> dict[str, object]:
    met = value <= goal.bound if goal.direction == "<=" else value >= goal.bound
    return {**goal._asdict(), "value": value, "met": met}
