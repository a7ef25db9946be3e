"""Whether a history holds what a churn model needs at least."""

from datetime import date, timedelta
from typing import NamedTuple

import narwhals as nw

from features.horizon import Fit, Pauses
from features.time import EPOCH, cutoffs, day_number

# Twilio Segment, "Predictions": history of at least three times the target's window.
HISTORY_PER_HORIZON = 3
# Adobe Customer AI, "Data requirements": 500 of each outcome.
COMFORTABLE = 500


class Gate(NamedTuple):
    """One of the minima: what is needed, what is there, and whether that is enough."""

    name: str
    needed: str
    found: str
    met: bool


def gates(
    value_days: nw.DataFrame,
    as_of: date,
    pauses: Pauses | None,
    fit: Fit | None,
    min_per_class: int,
) -> list[Gate]:
    """The minima of a churn model, judged on a history.

    Parameters
    ----------
    value_days : table, shape (n_customer_days, 2)
        ``customer_id`` and ``day`` (day number), each pair once.
    as_of : date
        The day after the last.
    pauses, fit : Pauses, Fit
        None where there is no value event.
    min_per_class : int
        Customers of each outcome.
    """
    if pauses is None or fit is None:
        return [Gate("value events", "at least 1", "none", False)]
    days, needed = pauses.history_days, HISTORY_PER_HORIZON * fit.churn.horizon_days
    churned, kept = outcomes(value_days, as_of, fit)
    enough = f"{min_per_class}, better {COMFORTABLE}"
    return [
        Gate("history", f"{needed} days, 3 x the horizon", f"{days:,} days", days >= needed),
        Gate("churned at past dates", enough, f"{churned:,}", churned >= min_per_class),
        Gate("kept at past dates", enough, f"{kept:,}", kept >= min_per_class),
    ]


def outcomes(value_days: nw.DataFrame, as_of: date, fit: Fit) -> tuple[int, int]:
    """How many churned and how many stayed at the past cutoffs, each customer once a cutoff."""
    first = EPOCH + timedelta(days=int(value_days["day"].min()))
    past = cutoffs(as_of, first, as_of, fit.churn, fit.cutoffs)
    churned = kept = 0
    for cutoff in past.train:
        start = day_number(cutoff)
        window = start + fit.churn.gap_days
        day = nw.col("day")
        seen = value_days.group_by("customer_id").agg(
            ((day >= start - fit.churn.lookback_days) & (day < start)).any().alias("before"),
            ((day >= window) & (day < window + fit.churn.horizon_days)).any().alias("after"),
        )
        population = seen.filter(nw.col("before"))
        stayed = int(population["after"].sum())
        kept += stayed
        churned += len(population) - stayed
    return churned, kept
