"""Every feature, declared once: name, unit, meaning in words, and how it speaks as a reason.

A feature belongs to one layer, and each layer reads only the ones before it:

* ``daily``: an aggregate over a customer's visible rows of the daily table;
* ``gaps``: an aggregate over the pauses between days with value events, or with any event;
* ``standing``: arithmetic on one customer's row;
* ``population``: compares the customer with everybody else in the snapshot.

Sums are over integers, also where a weight is a fraction (see `decayed`), so that neither the order
of the rows nor the number of threads changes a byte.
"""

from typing import Literal, NamedTuple

import narwhals as nw

from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES, ROLES
from features.time import in_window

WEIGHT_SCALE = 2**20
WEEKS = 8


class Feature(NamedTuple):
    """One feature.

    Attributes
    ----------
    name, unit, meaning : str
        What a column of the feature table is called, counted in, and says.
    layer : str
        ``daily``, ``gaps``, ``standing`` or ``population``.
    expression : narwhals expression, or None where a module of its own computes the layer
    low, high : str
        The phrase for a reason when a low (high) value raises the risk of churn; ``{x}`` is the
        value. A feature without a phrase is never given as a reason: a marketer cannot act on it.
    family : str
        Features of a family say the same thing; at most one of them is a reason for a customer.
    """

    name: str
    unit: str
    meaning: str
    layer: Literal["daily", "gaps", "standing", "population"]
    expression: nw.Expr | None = None
    low: str = ""
    high: str = ""
    family: str = ""

    @property
    def column(self) -> nw.Expr:
        """The expression, under the feature's name; only layers that are expressions have one."""
        if self.expression is None:
            raise ValueError(f"{self.name} is computed by a module of its own")
        return self.expression.alias(self.name)

    @property
    def actionable(self) -> bool:
        """Whether it can be given to a marketer as a reason."""
        return bool(self.low or self.high)

    @property
    def additive(self) -> bool:
        """Whether nothing seen means 0 (counts, sums) rather than unknown."""
        return self.layer == "daily" and not self.unit.startswith(("days since", "cents an"))


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


def standing_features(params: FeatureParams) -> list[Feature]:
    """Features of the ``standing`` layer: arithmetic on one customer's row."""
    channels = [nw.col(f"channel_{c}_events_90d") for c in params.channels]
    kinds = [nw.col(f"{t}_events_90d") for t in ENGAGEMENT_TYPES]
    has_value = nw.col("value_events") > 0
    known = "days_since_known"  # of somebody who is listed, but never seen
    either = {
        "own_recency_days": ("days_since_last_value", "days_since_last_event", known),
        "own_age_days": ("days_since_first_value", "days_since_first_event", known),
        "own_gaps": ("value_gaps", "event_gaps"),
        "own_median_gap_days": ("value_median_gap_days", "event_median_gap_days"),
        "own_last_gap_days": ("value_last_gap_days", "event_last_gap_days"),
    }
    return [
        _row("mean_order_cents", "cents an order", "mean money received in a value event",
             nw.when(has_value).then(nw.col("order_cents") / nw.col("value_events"))),
        _row("channels_90d", "channels", "channels used in the last 90 days", _positive(channels)),
        _row("types_90d", "types", "engagement types seen in the last 90 days", _positive(kinds)),
        *(_row(name, "days, or pauses", f"{value} where there is a value event, else {others[0]}",
               nw.when(has_value).then(nw.col(value)).otherwise(nw.coalesce(*others)))
          for name, (value, *others) in either.items()),
    ]  # fmt: skip


def _row(name: str, unit: str, meaning: str, expression: nw.Expr) -> Feature:
    return Feature(name, unit, meaning, "standing", expression)


def _positive(columns: list[nw.Expr]) -> nw.Expr:
    return nw.sum_horizontal(*((column > 0).cast(nw.Int64) for column in columns))


def gap_features() -> list[Feature]:
    """Features of the ``gaps`` layer, computed in features/gaps.py."""
    kinds = {"value": "days with a value event", "event": "days with any event"}
    return [
        Feature(f"{prefix}_{name}", unit, f"{meaning} between {days}", "gaps")
        for prefix, days in kinds.items()
        for name, unit, meaning in (
            ("gaps", "pauses", "number of pauses"),
            ("mean_gap_days", "days", "mean pause"),
            ("sd_gap_days", "days", "standard deviation of the pauses"),
            ("median_gap_days", "days", "median pause"),
            ("max_gap_days", "days", "longest pause"),
            ("last_gap_days", "days", "latest completed pause"),
        )
    ]


def population_features() -> list[Feature]:
    """Features of the ``population`` layer, computed in features/population.py."""
    rows = [
        ("usual_gap_days", "days", "own median pause, shrunk to the population's", "", "", ""),
        ("recency_ratio", "usual pauses", "days since the last own activity over the usual pause",
         "", "silent for {x} times the usual pause", "recency"),
        ("last_gap_ratio", "usual pauses", "latest completed pause over the usual pause",
         "", "", ""),
        ("inactivity_window_days", "days", "three usual pauses, at least 30 and at most 180 days",
         "", "", ""),
        ("is_active", "0 or 1", "own activity within the inactivity window", "", "", ""),
        *((f"{t}_score", "0-100", f"percentile of {t} engagement in the snapshot", "", "", "")
          for t in ENGAGEMENT_TYPES),
        ("engagement_types_above_median", "types",
         "engagement types whose score is at least the median of those who show it", "", "", ""),
        ("rfm_recency", "1-5", "quintile of days since the last value event, 5 = latest",
         "", "", ""),
        ("rfm_frequency", "1-5", "quintile of value events in 365 days, 5 = most", "", "", ""),
        ("rfm_money", "1-5", "quintile of money received in 365 days, 5 = most", "", "", ""),
    ]  # fmt: skip
    return [
        Feature(name, unit, meaning, "population", None, low, high, family)
        for name, unit, meaning, low, high, family in rows
    ]


def all_features(params: FeatureParams) -> list[Feature]:
    """Every feature, in the order of the feature table's columns."""
    known = Feature("days_since_known", "days", "days since the company knows of them", "standing")
    return [
        known,
        *daily_features(params),
        *gap_features(),
        *standing_features(params),
        *population_features(),
    ]
