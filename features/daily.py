"""Events -> one row a customer, day and day of visibility: the durable state of all features."""

import narwhals as nw

from features.schemas import ENGAGEMENT_TYPES, ROLES

KEY = ("customer_id", "day", "visible_day")


def daily_table(events: nw.LazyFrame, channels: list[str]) -> nw.LazyFrame:
    """Counts and sums of each customer's day.

    A day whose events were loaded late has one row for each day of visibility, so that any past
    as-of date can be rebuilt from this table alone.

    Parameters
    ----------
    events : table of schemas.EVENTS, shape (n_events, 13)
    channels : list of str
        Channels that get counts of their own.

    Returns
    -------
    table, shape (n_customer_days, .)
        Key ``customer_id, day, visible_day``; integer counts ``n``, ``role_*``, ``type_*``,
        ``channel_*``, ``exposure_*``; sums in cents; ``first_sight`` and ``first_value_sight`` are
        1 on the first visible row of the day (of the day's value events), so that distinct days
        are sums.
    """
    rows = events.group_by(*KEY).agg(*_counts(channels), *_money())
    seen = nw.col("visible_day").min().over("customer_id", "day")
    value_seen = (
        nw.when(nw.col("role_value") > 0)
        .then(nw.col("visible_day"))
        .otherwise(None)
        .min()
        .over("customer_id", "day")
    )
    return rows.with_columns(
        first_sight=(nw.col("visible_day") == seen).cast(nw.Int64),
        first_value_sight=(nw.col("visible_day") == value_seen).fill_null(False).cast(nw.Int64),
    )


def _counts(channels: list[str]) -> list[nw.Expr]:
    role, kind, channel = nw.col("role"), nw.col("engagement_type"), nw.col("channel")
    return [
        nw.len().cast(nw.Int64).alias("n"),
        *(_count(role == r).alias(f"role_{r}") for r in ROLES),
        *(_count(kind == t).alias(f"type_{t}") for t in ENGAGEMENT_TYPES),
        *(_count(channel == c).alias(f"channel_{c}") for c in channels),
        *(_count((channel == c) & (role == "exposure")).alias(f"exposure_{c}") for c in channels),
        _count(nw.col("value_cents") < 0).alias("refunds"),
    ]


def _money() -> list[nw.Expr]:
    cents = nw.col("value_cents")
    order = nw.when(nw.col("role") == "value").then(cents)
    return [
        cents.sum().alias("cents"),
        order.otherwise(0).sum().alias("order_cents"),
        order.otherwise(None).max().alias("max_order_cents"),
    ]


def _count(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(1).otherwise(0).sum().cast(nw.Int64)
