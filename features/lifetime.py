"""Lifetime figures: what is known of a customer since the beginning.

They are sums, minima and maxima, so what lies far back is folded once into one row a customer,
and a later day is merged into it.
"""

import narwhals as nw

from features.daily import Figure
from features.dimensions import Dimensions
from features.feature import Feature
from features.packed import packed, second_of
from features.pauses import SIGHTS, Days
from features.schemas import ENGAGEMENT_TYPES, ROLES
from features.time import month_of

PAUSE_FIGURES = ("pauses", "pause_total", "pause_squares", "pause_longest", "pause_last")


def lifetime_figures(dimensions: Dimensions) -> list[Figure]:
    """The columns of the lifetime table."""
    day, acts = nw.col("day"), nw.col("acts")
    parts = dimensions.parts
    value = parts["role_value"]
    order = nw.when(value > 0).then(packed(day, nw.col("order_cents")))
    return [
        Figure("first_day", nw.when(acts > 0).then(day), "min"),
        Figure("last_day", nw.when(acts > 0).then(day), "max"),
        Figure("first_value_day", nw.when(value > 0).then(day), "min"),
        *(
            Figure(f"last_{name}_day", nw.when(count > 0).then(day), "max")
            for name, count in parts.items()
        ),
        Figure("first_order", order, "min"),
        Figure("last_order", order, "max"),
        Figure("value_events", value, "sum"),
        Figure("advocacy_events", parts["role_advocacy"], "sum"),
        Figure("value_days", nw.col("first_value_sight"), "sum"),
        Figure("active_days", nw.col("first_sight"), "sum"),
        Figure("cents", nw.col("cents"), "sum"),
        Figure("order_cents", nw.col("order_cents"), "sum"),
        Figure("max_order_cents", nw.col("max_order_cents"), "max"),
        *(figure for days in SIGHTS for figure in _pause_figures(days)),
    ]


def _pause_figures(days: Days) -> list[Figure]:
    pause = nw.col(f"{days}_pause")
    made = [
        (nw.when(~pause.is_null()).then(1).otherwise(0), "sum"),
        (pause, "sum"),
        (pause * pause, "sum"),
        (pause, "max"),
        (nw.when(~pause.is_null()).then(packed(nw.col("day"), pause)), "max"),
    ]
    return [
        Figure(f"{days}_{name}", of_rows, merge)
        for name, (of_rows, merge) in zip(PAUSE_FIGURES, made, strict=True)
    ]


def lifetime(rows: nw.LazyFrame, dimensions: Dimensions) -> nw.LazyFrame:
    """Fold rows of the daily table into one row a customer.

    Parameters
    ----------
    rows : result of features.pauses.with_pauses
    dimensions : Dimensions

    Returns
    -------
    table, shape (n_customers, .)
        ``customer_id`` and the figures of `lifetime_figures`.
    """
    figures = lifetime_figures(dimensions)
    return rows.group_by("customer_id").agg(*(f.aggregate for f in figures))


def merged_lifetime(tables: list[nw.LazyFrame], dimensions: Dimensions) -> nw.LazyFrame:
    """One lifetime table from several that were made of different rows."""
    figures = lifetime_figures(dimensions)
    rows = nw.concat([table.select("customer_id", *(f.name for f in figures)) for table in tables])
    return rows.group_by("customer_id").agg(*(f.merged for f in figures))


def lifetime_features() -> list[Feature]:
    """Features of the ``lifetime`` layer; ``today`` is the as-of date as a day number."""
    return [*_recency(), *_totals(), *_orders(), *(f for d in SIGHTS for f in _pauses(d))]


def _lifetime(name: str, unit: str, meaning: str, expression: nw.Expr, **other) -> Feature:
    return Feature(name, unit, meaning, "lifetime", expression, **other)


def _since(column: str) -> nw.Expr:
    return nw.col("today") - nw.col(column)


def _recency() -> list[Feature]:
    unit = "days since, >= 1"
    spoken = {
        "value": {"high": "no order for {x} days", "family": "recency"},
        "visit": {"high": "no visit for {x} days", "family": "visits"},
        "intent": {"high": "no sign of interest for {x} days", "family": "intent"},
    }
    return [
        _lifetime("days_since_first_event", unit, "days since the first act of their own",
                  _since("first_day")),
        _lifetime("days_since_last_event", unit, "days since the last act of their own",
                  _since("last_day"), high="nothing seen for {x} days", family="silence"),
        _lifetime("days_since_first_value", unit, "days since the first value event",
                  _since("first_value_day")),
        *(_lifetime(f"days_since_last_{r}", unit, f"days since the last {r} event",
                    _since(f"last_role_{r}_day"), **spoken.get(r, {})) for r in ROLES),
        *(_lifetime(f"days_since_last_{t}", unit, f"days since the last {t} event",
                    _since(f"last_type_{t}_day")) for t in ENGAGEMENT_TYPES),
    ]  # fmt: skip


def _totals() -> list[Feature]:
    sums = [
        ("value_events", "events", "value events ever", "value_events"),
        ("value_days", "days", "days with a value event", "value_days"),
        ("value_cents", "cents", "money received ever, refunds netted", "cents"),
        ("order_cents", "cents", "money received in value events ever", "order_cents"),
        ("active_days", "days", "days with an act of their own", "active_days"),
        ("advocacy_events", "events", "acts of advocacy ever", "advocacy_events"),
    ]
    spoken = {"value_events": {"low": "{x} orders so far", "family": "frequency"}}
    return [
        _lifetime(name, unit, meaning, nw.col(column).cast(nw.Int64), zero=True,
                  **spoken.get(name, {}))
        for name, unit, meaning, column in sums
    ]  # fmt: skip


def _orders() -> list[Feature]:
    span = nw.col("last_role_value_day") - nw.col("first_value_day")
    cents = "cents a day"
    return [
        _lifetime("max_order_cents", "cents an order", "largest order", nw.col("max_order_cents")),
        _lifetime("first_order_cents", cents, "money of the first day with an order",
                  second_of(nw.col("first_order"))),
        _lifetime("last_order_cents", cents, "money of the latest day with an order",
                  second_of(nw.col("last_order"))),
        _lifetime("value_span_days", "days", "days from the first to the last value event", span),
        _lifetime("first_value_month", "1-12", "calendar month of the first value event: cohort",
                  month_of(nw.col("first_value_day"))),
    ]  # fmt: skip


def _pauses(days: Days) -> list[Feature]:
    where = "days with a value event" if days == "value" else "days with an act of their own"
    n, total, squares, longest, last = (nw.col(f"{days}_{name}") for name in PAUSE_FIGURES)
    some = nw.when(n > 0)
    mean = total / n
    spread = (squares / n - mean * mean).clip(lower_bound=0).sqrt()
    rows = [
        ("gaps", "pauses", "number of pauses", n.cast(nw.Int64)),
        ("mean_gap_days", "days", "mean pause", some.then(mean)),
        ("sd_gap_days", "days", "standard deviation of the pauses", some.then(spread)),
        ("max_gap_days", "days", "longest pause", longest),
        ("last_gap_days", "days", "latest completed pause", second_of(last)),
    ]
    return [
        _lifetime(f"{days}_{name}", unit, f"{meaning} between {where}", expression)
        for name, unit, meaning, expression in rows
    ]
