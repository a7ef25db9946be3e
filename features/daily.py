"""Events -> one row a customer, day and day of visibility: the durable state of all features."""

from typing import Literal, NamedTuple

import narwhals as nw

from features.dimensions import Dimensions, Kind

KEY = ("customer_id", "day", "visible_day")
Merge = Literal["sum", "min", "max"]


class Figure(NamedTuple):
    """A figure that is made by one aggregation, and merged by the same one."""

    name: str
    of_rows: nw.Expr
    merge: Merge

    @property
    def aggregate(self) -> nw.Expr:
        """The figure of a group of rows."""
        return _aggregated(self.of_rows, self.merge).alias(self.name)

    @property
    def merged(self) -> nw.Expr:
        """The figure of a group of such figures."""
        return _aggregated(nw.col(self.name), self.merge).alias(self.name)


def _aggregated(values: nw.Expr, merge: Merge) -> nw.Expr:
    if merge == "sum":
        return values.sum()
    return values.min() if merge == "min" else values.max()


def daily_figures(dimensions: Dimensions) -> list[Figure]:
    """The columns of the daily table: counts, sums of cents, and the first hour of the day."""
    own = nw.col("role") != "exposure"
    cents = nw.col("value_cents")
    order = nw.when(nw.col("role") == "value").then(cents)
    channel = nw.col("channel")
    counts = {
        "acts": own,
        "refunds": cents < 0,
        **{kind.column: _is(kind) for kind in dimensions.kinds},
        **{f"acts_{c}": (channel == c) & own for c in dimensions.channels},
        **{f"exposures_{c}": (channel == c) & ~own for c in dimensions.channels},
    }
    return [
        *(Figure(name, _one(holds), "sum") for name, holds in counts.items()),
        Figure("cents", cents, "sum"),
        Figure("order_cents", order.otherwise(0), "sum"),
        Figure("discount_cents", nw.col("discount_cents"), "sum"),
        Figure("max_order_cents", order, "max"),
        Figure("hour", nw.when(own).then(nw.col("hour")), "min"),
    ]


def daily_table(events: nw.LazyFrame, dimensions: Dimensions) -> nw.LazyFrame:
    """Counts and sums of each customer's day.

    A day whose events were loaded late has one row for each day of visibility, so that any past
    as-of date can be rebuilt from this table alone.

    Parameters
    ----------
    events : table of schemas.EVENTS, shape (n_events, 15)
    dimensions : Dimensions
        What gets counts of its own.

    Returns
    -------
    table, shape (n_customer_days, .)
        Key ``customer_id, day, visible_day``, the figures of `daily_figures`, and `with_sights`.
    """
    figures = daily_figures(dimensions)
    return with_sights(events.group_by(*KEY).agg(*(f.aggregate for f in figures)), dimensions)


def merged_daily(tables: list[nw.LazyFrame], dimensions: Dimensions) -> nw.LazyFrame:
    """One daily table from several that tell of different events."""
    figures = daily_figures(dimensions)
    rows = nw.concat([table.select(*KEY, *(f.name for f in figures)) for table in tables])
    return with_sights(rows.group_by(*KEY).agg(*(f.merged for f in figures)), dimensions)


def with_sights(rows: nw.LazyFrame, dimensions: Dimensions) -> nw.LazyFrame:
    """Add ``first_sight`` and ``first_value_sight``.

    They are 1 on the first visible row of a day with an act of the customer's own (with a value
    event), else 0, so that distinct days are sums.
    """
    return rows.with_columns(
        first_sight=_first_of_day(nw.col("acts") > 0),
        first_value_sight=_first_of_day(dimensions.of_role("value") > 0),
    )


def _first_of_day(holds: nw.Expr) -> nw.Expr:
    seen = nw.when(holds).then(nw.col("visible_day"))
    first = seen.min().over("customer_id", "day")
    return (holds & (nw.col("visible_day") == first)).fill_null(False).cast(nw.Int32)


def _is(kind: Kind) -> nw.Expr:
    shown = nw.col("engagement_type")
    same = shown.is_null() if kind.engagement_type is None else shown == kind.engagement_type
    return (nw.col("role") == kind.role) & same


def _one(holds: nw.Expr) -> nw.Expr:
    """1 where a condition holds, else 0, also where it is unknown."""
    return nw.when(holds).then(nw.lit(1, nw.Int32)).otherwise(nw.lit(0, nw.Int32))
