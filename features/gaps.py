"""Pauses between a customer's days of activity."""

from typing import Literal

import narwhals as nw


def gap_table(visible_daily: nw.LazyFrame, prefix: Literal["value", "event"]) -> nw.LazyFrame:
    """Count, mean, spread, median, longest and latest pause between days of activity.

    Parameters
    ----------
    visible_daily : visible rows of the daily table
    prefix : str
        ``value`` for pauses between days with value events, ``event`` for days with any event.

    Returns
    -------
    table, shape (n_customers_with_activity, 7)
        ``customer_id`` and ``{prefix}_gaps``, ``_mean_gap_days``, ``_sd_gap_days`` (population
        standard deviation), ``_median_gap_days``, ``_max_gap_days``, ``_last_gap_days``; the last
        five are null where there are fewer than two days.
    """
    sight = "first_value_sight" if prefix == "value" else "first_sight"
    days = visible_daily.filter(nw.col(sight) > 0).select("customer_id", "day")
    previous = nw.col("day").shift(1).over("customer_id", order_by="day")
    pauses = days.with_columns(gap=nw.col("day") - previous)
    latest = pauses.with_columns(last_day=nw.col("day").max().over("customer_id"))
    sums = latest.group_by("customer_id").agg(*_pause_aggregates())
    return sums.select("customer_id", *(e.alias(f"{prefix}_{n}") for n, e in _pause_figures()))


def _pause_aggregates() -> list[nw.Expr]:
    gap = nw.col("gap")
    last = nw.when(nw.col("day") == nw.col("last_day")).then(gap).otherwise(None)
    return [
        gap.count().cast(nw.Int64).alias("gaps"),
        gap.sum().alias("total"),
        (gap * gap).sum().alias("squares"),
        gap.median().alias("median"),
        gap.max().alias("longest"),
        last.max().alias("latest"),
    ]


def _pause_figures() -> list[tuple[str, nw.Expr]]:
    n = nw.col("gaps")
    some = nw.when(n > 0)
    mean = nw.col("total") / n
    variance = (nw.col("squares") / n - mean * mean).clip(lower_bound=0)
    return [
        ("gaps", n),
        ("mean_gap_days", some.then(mean)),
        ("sd_gap_days", some.then(variance.sqrt())),
        ("median_gap_days", nw.col("median")),
        ("max_gap_days", nw.col("longest")),
        ("last_gap_days", nw.col("latest")),
    ]
