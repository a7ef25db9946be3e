"""What more or less money would buy, from the budget curve of the run."""

from typing import NamedTuple

import numpy as np
import polars as pl

from delivery import formats
from delivery.pieces import Figure, Mark, Run, TextTable

SHOWN_TIMES = 3  # the slider and the chart end at so many times the budget


class Curve(NamedTuple):
    """The budget curve in words, as a picture, and as numbers for the slider.

    Attributes
    ----------
    lead : str
        What 20% more would buy.
    figure : Figure
    points : list of dict
        ``budget``, ``net`` and ``spent`` in units of the currency, and ``actions``.
    own : float
        The run's budget, in units of the currency.
    currency : str
    """

    lead: str
    figure: Figure
    points: list[dict[str, float]]
    own: float
    currency: str

    @property
    def numbers(self) -> dict[str, object]:
        """What the slider reads."""
        return {"points": self.points, "own": self.own, "currency": self.currency}

    @property
    def most_percent(self) -> int:
        """End of the slider, in per cent of the budget."""
        return round(100 * self.points[-1]["budget"] / self.own)


def budget_section(curve: pl.DataFrame | None, run: Run) -> Curve | None:
    """The section on the budget curve; None where there is no curve or no budget.

    Parameters
    ----------
    curve : table with budget_cents, spent_cents, net_value_cents, actions, is_current
    run : Run
    """
    if curve is None or curve.height < 2 or not run["budget_cents"]:
        return None
    own, currency = run["budget_cents"], run["currency"]
    shown = curve.filter(pl.col("budget_cents") <= SHOWN_TIMES * own).sort("budget_cents")
    rows = shown.select("budget_cents", "net_value_cents", "actions", "spent_cents").rows()
    marks = tuple(
        Mark(str(budget), net, formats.money(net, currency), formats.money(budget, currency))
        for budget, net, _, _ in rows
    )
    table = TextTable(
        "Expected net value at other budgets",
        ("Budget", "Expected net value", "Actions", "Spent"),
        tuple(
            (formats.money(b, currency), formats.money(n, currency), formats.count(a),
             formats.money(s, currency))
            for b, n, a, s in rows
        ),
    )  # fmt: skip
    label = "; ".join(f"{mark.part} gives {mark.text}" for mark in marks)
    figure = Figure(
        "Expected net value against budget", f"Expected net value against budget: {label}.",
        "curve", marks, table, "The dashed line is the budget.", own,
    )  # fmt: skip
    points = [
        {"budget": b / 100, "net": n / 100, "actions": a, "spent": s / 100} for b, n, a, s in rows
    ]
    return Curve(_lead(shown, own, currency), figure, points, own / 100, currency)


def _lead(shown: pl.DataFrame, own: int, currency: str) -> str:
    budgets, nets = (shown[name].to_numpy() for name in ("budget_cents", "net_value_cents"))
    now, more = (float(np.interp(own * times, budgets, nets)) for times in (1, 1.2))
    extra = round(0.2 * own)
    gain = round(more - now)
    verdict = (
        "" if gain > 0 else " More money would not help: other limits hold, or nothing more pays."
    )
    return (
        f"What would 20% more buy? {formats.money(extra, currency)} more would bring about "
        f"{formats.money(max(gain, 0), currency)} more net value.{verdict}"
    )
