"""Whether a plan looks like a plan: one action for everybody, and what of the limits was used."""

from collections.abc import Mapping

import polars as pl

from features.finding import Finding
from features.params import MonitorParams

ALL = 0.99


def plan_findings(
    decisions: pl.DataFrame, budget_cents: int, capacities: Mapping[str, int], params: MonitorParams
) -> list[Finding]:
    """What is odd about the decisions of one run.

    Parameters
    ----------
    decisions : table of schemas.DECISIONS
    budget_cents : int
    capacities : mapping of str to int
        Action or channel -> most customers a run.
    params : MonitorParams
    """
    exported = decisions.filter(pl.col("outcome") == "exported")
    return [_variety(exported, params), _use(exported, budget_cents, capacities)]


def _variety(exported: pl.DataFrame, params: MonitorParams) -> Finding:
    n = exported.height
    if not n:
        return Finding("one_action", "warning", "nobody gets an action")
    counts = exported["action_id"].value_counts(sort=True)
    top, most = counts.row(0)
    if n >= params.min_customers and most / n >= ALL:
        words = f"{most:,} of {n:,} actions are the same: {top}"
        return Finding("one_action", "warning", words)
    return Finding("one_action", "ok", f"{n:,} actions of {counts.height} kinds")


def _use(exported: pl.DataFrame, budget_cents: int, capacities: Mapping[str, int]) -> Finding:
    spent = int(exported["cost_cents"].sum())
    used = f"{spent / budget_cents:.0%} of the budget" if budget_cents else "no budget to use"
    both = pl.concat([exported["action_id"], exported["channel"]])
    counts = dict(both.value_counts().iter_rows())
    full = sorted(name for name, most in capacities.items() if counts.get(name, 0) >= most > 0)
    words = f"{used}; full: {', '.join(full) or 'none'} (of {len(capacities)} capacities)"
    return Finding("use", "ok", words)
