"""What followed a decision beyond what was expected, as shares of what success is worth.

One more order shows in the window: its money, less what was expected in it. It changes what comes
after only for those who had left, as far as they may have: who orders is back. Staying shows later:
who stays instead of leaving may buy in the window like everybody else. What the first run after the
window expects of them then stands for the months that nobody has seen yet.
"""

import polars as pl

from actions.catalogue import Goal
from actions.effects import money_of_success

ORDERS, STAYS = "gain_orders", "gain_stays"


def gain_of(goal: Goal) -> str:
    """The column that holds gains as shares of what the goal is worth."""
    return STAYS if goal == "retain" else ORDERS


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
        The rows with ``gain_orders`` and ``gain_stays``: shares of an order, and of what a customer
        who stays goes on to spend. Null for customers whom no run on or after the end of their
        window looked at.

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
    now = pl.col("value_cents") - pl.col("expected_value_cents")
    later = (pl.col("later_cents") - pl.col("expected_value_cents")) * windows
    gone = (1 - pl.col("p_alive")).fill_null(0)
    return followed.with_columns(
        ((now + gone * later) / money_of_success("next_value", windows).clip(1)).alias(ORDERS),
        ((now + later) / money_of_success("retain", windows).clip(1)).alias(STAYS),
    ).drop("window_end", "seen_on", "later_cents")
