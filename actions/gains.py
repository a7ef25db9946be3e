"""What followed a decision, in money: what came in the window, and what is expected after it.

Effects are believed as shares of what success is worth, so gains are measured in that unit.

A customer who was won back has bought once in the window and is worth a year; one whose order was
merely put off is worth what they were. Both show in what the first run after the window expects of
them, which stands for the months that nobody has seen yet.
"""

import polars as pl

from actions.catalogue import Goal
from actions.effects import money_of_success

FIRST, STAYS = "gain_first", "gain_stays"


def gain_of(goal: Goal) -> str:
    """The column that holds gains as shares of what the goal is worth."""
    return FIRST if goal == "first_value" else STAYS


def with_gains(rows: pl.DataFrame, log: pl.DataFrame, kept_value_days: int) -> pl.DataFrame:
    """Past decisions with what came beyond what was expected, now and later.

    Parameters
    ----------
    rows : result of actions.measurement.matured
    log : table ``customer_id, as_of, expected_value_cents``
        Of all runs, later ones too.
    kept_value_days : int
        Days that count after the window.

    Returns
    -------
    table
        The rows of customers whom a run on or after the end of their window looked at, with
        ``gain_first`` and ``gain_stays``: shares of a first order's worth, and of what a customer
        who stays goes on to spend.

    References
    ----------
    Athey S., Chetty R., Imbens G., Kang H., 2019, The surrogate index: combining short-term proxies
    to estimate long-term treatment effects more rapidly and precisely, NBER 26463.
    """
    ends = pl.col("as_of") + pl.duration(days=pl.col("horizon_days"))
    after = log.select("customer_id", seen_on="as_of", later_cents="expected_value_cents")
    known = rows.with_columns(window_end=ends.cast(pl.Date)).sort("window_end", "customer_id")
    followed = known.join_asof(
        after.sort("seen_on", "customer_id"), left_on="window_end", right_on="seen_on",
        by="customer_id", strategy="forward", check_sortedness=False,
    )  # fmt: skip
    windows = kept_value_days / pl.col("horizon_days")
    expected = pl.col("expected_value_cents") * (1 + windows)
    gain = pl.col("value_cents") + pl.col("later_cents") * windows - expected
    found = followed.with_columns(gain=gain).filter(pl.col("gain").is_not_null())
    worths: list[tuple[str, Goal]] = [(FIRST, "first_value"), (STAYS, "retain")]
    shares = [pl.col("gain") / money_of_success(goal, windows).clip(1) for _, goal in worths]
    named = [one.alias(name) for one, (name, _) in zip(shares, worths, strict=True)]
    return found.with_columns(named).drop("window_end", "seen_on", "later_cents", "gain")
