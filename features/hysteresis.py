"""The stage and level that are reported: a demotion shows only once two snapshots say so.

The reported class is the further of what the rules say now and of what they said one step
before. A promotion therefore shows at once, and a customer who dips below a threshold for a
single snapshot is not moved back and forth. It is worked out from two snapshots alone: nothing is
remembered between runs, so that any run, at any rhythm, reports the same.
"""

from typing import Any, NamedTuple

import narwhals as nw

from features.comparisons import Rows
from features.schemas import LEVELS, STAGES
from features.standing import OWN

CLASSES = {"stage": STAGES, "level": LEVELS}


class Flips(NamedTuple):
    """Share of customers whose class changed from one snapshot to the next [0-1]."""

    days: int
    customers: int
    by_rules: dict[str, float]
    reported: dict[str, float]


def with_reported(now: Rows, before: Rows) -> Rows:
    """Add ``reported_stage`` and ``reported_level``, the further of now and of one step before.

    Parameters
    ----------
    now, before : tables with ``customer_id``, ``stage``, ``stage_source`` and ``level``
        The latest snapshot, and the one a label window earlier. Who is not in `before` is reported
        as the rules say now, and whose stage the company says itself, as it says.
    """
    past = {f"{kind}_before": nw.col(kind) for kind in CLASSES}
    earlier: Any = before.select("customer_id", **past)
    both = now.join(earlier, on="customer_id", how="left")
    own = nw.when(nw.col("stage_source") == OWN).then(nw.col("stage"))
    stage, level = own.otherwise(_further("stage")), _further("level")
    return both.with_columns(reported_stage=stage, reported_level=level).drop(*past)


def flips(earlier: nw.DataFrame, before: nw.DataFrame, now: nw.DataFrame, days: int) -> Flips:
    """How many change from `before` to `now`: by the rules alone, and as reported.

    Parameters
    ----------
    earlier, before, now : tables with ``customer_id``, ``stage``, ``stage_source`` and ``level``
        Three snapshots, one label window apart. Those who are in both of the last two are counted.
    days : int
        From `before` to `now`.
    """
    then, today = with_reported(before, earlier), with_reported(now, before)
    both = today.join(then, on="customer_id", how="inner", suffix="_before")
    if not len(both):
        return Flips(days, 0, dict.fromkeys(CLASSES, 0.0), dict.fromkeys(CLASSES, 0.0))
    by_rules, reported = (
        {kind: float((both[f"{said}{kind}"] != both[f"{said}{kind}_before"]).mean())
         for kind in CLASSES}
        for said in ("", "reported_")
    )  # fmt: skip
    return Flips(days, len(both), by_rules, reported)


def _further(kind: str) -> nw.Expr:
    first, *further = CLASSES[kind]
    chosen = nw.lit(first)
    for name in further:
        at_either = (nw.col(kind) == name) | (nw.col(f"{kind}_before") == name).fill_null(False)
        chosen = nw.when(at_either).then(nw.lit(name)).otherwise(chosen)
    return chosen
