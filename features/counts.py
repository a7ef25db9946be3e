"""The features of the ``daily`` layer: aggregates over a customer's visible rows.

Sums are over integers, also where a weight is a fraction (see `decayed`), so that neither the order
of the rows nor the number of threads changes a byte.
"""

import narwhals as nw

from features.feature import Feature
from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES, ROLES
from features.time import in_window

WEIGHT_SCALE = 2**20
WEEKS = 8


def daily_features(params: FeatureParams) -> list[Feature]:
    """Features of the ``daily`` layer."""
    return [
        *_recency(),
        *_totals(),
        *(feature for w in params.windows_days for feature in _window(w)),
        *(_trend(w) for w in params.windows_days),
        *(_decay(h) for h in params.half_lives_days),
        *(_channel(c) for c in params.channels),
        *(_type_strength(t, params.score_half_life_days) for t in ENGAGEMENT_TYPES),
        _active_weeks(),
    ]


def _daily(name: str, unit: str, meaning: str, expression: nw.Expr, **reason: str) -> Feature:
    return Feature(name, unit, meaning, "daily", expression, **reason)


def summed(column: str, where: nw.Expr) -> nw.Expr:
    """Sum of an integer column over the rows where a condition holds."""
    return nw.when(where).then(nw.col(column)).otherwise(0).sum()


def decayed(column: str, half_life_days: int) -> nw.Expr:
    """Sum in which a row counts half as much every `half_life_days`, in units of 2**-20."""
    weight = nw.lit(0.5) ** ((nw.col("age") - 1) / half_life_days)
    return ((weight * WEIGHT_SCALE).round().cast(nw.Int64) * nw.col(column)).sum()


def _since(column: str, *, first: bool = False) -> nw.Expr:
    ages = nw.when(nw.col(column) > 0).then(nw.col("age")).otherwise(None)
    return ages.max() if first else ages.min()


def _recency() -> list[Feature]:
    unit = "days since, >= 1"
    ends = [
        _daily("days_since_first_event", unit, "days since the first event", nw.col("age").max()),
        _daily("days_since_last_event", unit, "days since the last event", nw.col("age").min(),
               high="nothing seen for {x} days", family="silence"),
        _daily("days_since_first_value", unit, "days since the first value event",
               _since("role_value", first=True)),
    ]  # fmt: skip
    spoken = {
        "value": {"high": "no order for {x} days", "family": "recency"},
        "visit": {"high": "no visit for {x} days", "family": "visits"},
        "intent": {"high": "no sign of interest for {x} days", "family": "intent"},
    }
    lasts = [
        _daily(f"days_since_last_{r}", unit, f"days since the last {r} event",
               _since(f"role_{r}"), **spoken.get(r, {}))
        for r in ROLES
    ]  # fmt: skip
    return ends + lasts


def _totals() -> list[Feature]:
    first_age = _since("role_value", first=True)
    return [
        _daily("value_events", "events", "value events ever", nw.col("role_value").sum(),
               low="{x} orders so far", family="frequency"),
        _daily("value_days", "days", "days with a value event", nw.col("first_value_sight").sum()),
        _daily("value_cents", "cents", "money received ever, refunds netted",
               nw.col("cents").sum()),
        _daily("order_cents", "cents", "money received in value events ever",
               nw.col("order_cents").sum()),
        _daily("max_order_cents", "cents an order", "largest day's order",
               nw.col("max_order_cents").max()),
        _daily("active_days", "days", "days with any event", nw.col("first_sight").sum()),
        _daily("advocacy_events", "events", "acts of advocacy ever",
               nw.col("role_advocacy").sum()),
        _daily("value_span_days", "days since, >= 0", "days from the first to the last value event",
               first_age - _since("role_value")),
    ]  # fmt: skip


def _window(w: int) -> list[Feature]:
    inside = in_window(w)
    spoken = {
        "value": {"low": f"{{x}} orders in the last {w} days", "family": "frequency"},
        "visit": {"low": f"{{x}} visits in the last {w} days", "family": "visits"},
        "intent": {"low": f"little interest shown in the last {w} days ({{x}} signs)",
                   "family": "intent"},
        "service": {"high": f"{{x}} service cases in the last {w} days", "family": "service"},
    }  # fmt: skip
    return [
        _daily(f"events_{w}d", "events", f"events in the last {w} days", summed("n", inside)),
        _daily(f"active_days_{w}d", "days", f"days with an event in the last {w} days",
               summed("first_sight", inside),
               low=f"active on {{x}} of the last {w} days", family="activity"),
        *(_daily(f"{r}_events_{w}d", "events", f"{r} events in the last {w} days",
                 summed(f"role_{r}", inside), **spoken.get(r, {})) for r in ROLES),
        *(_daily(f"{t}_events_{w}d", "events", f"{t} events in the last {w} days",
                 summed(f"type_{t}", inside)) for t in ENGAGEMENT_TYPES),
        _daily(f"value_cents_{w}d", "cents", f"money received in the last {w} days, net",
               summed("cents", inside)),
        _daily(f"refund_events_{w}d", "events", f"refunds in the last {w} days",
               summed("refunds", inside), high=f"{{x}} refunds in the last {w} days",
               family="service"),
    ]  # fmt: skip


def _trend(w: int) -> Feature:
    before = in_window(w, ending_days_ago=w)
    return _daily(
        f"value_events_trend_{w}d",
        "events",
        f"value events in the last {w} days minus the {w} days before",
        summed("role_value", in_window(w)) - summed("role_value", before),
        low=f"fewer orders than in the {w} days before",
        family="trend",
    )


def _decay(half_life_days: int) -> Feature:
    return _daily(
        f"value_events_decay_{half_life_days}d",
        "2**-20 events",
        f"value events, each worth half as much every {half_life_days} days",
        decayed("role_value", half_life_days),
    )


def _channel(channel: str) -> Feature:
    return _daily(
        f"channel_{channel}_events_90d",
        "events",
        f"events in the channel {channel} in the last 90 days",
        summed(f"channel_{channel}", in_window(90)),
    )


def _type_strength(kind: str, half_life_days: int) -> Feature:
    return _daily(
        f"{kind}_strength",
        "2**-20 events",
        f"{kind} events, each worth half as much every {half_life_days} days",
        decayed(f"type_{kind}", half_life_days),
    )


def _active_weeks() -> Feature:
    weeks = [
        nw.when(in_window(7, ending_days_ago=7 * k)).then(1).otherwise(0).max()
        for k in range(WEEKS)
    ]
    total = weeks[0]
    for week in weeks[1:]:
        total = total + week
    return _daily(
        "active_weeks_56d",
        "weeks",
        "weeks with an event, of the last 8",
        total,
        low="active in {x} of the last 8 weeks",
        family="activity",
    )
