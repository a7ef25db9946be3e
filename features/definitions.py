"""Every feature, declared once.

A feature belongs to one layer, and each layer reads only the ones before it:

* ``daily``: an aggregate over a customer's visible rows of the daily table (features/counts.py);
* ``gaps``: an aggregate over the pauses between days with value events, or with any event;
* ``standing``: arithmetic on one customer's row;
* ``population``: compares the customer with everybody else in the snapshot.
"""

import narwhals as nw

from features.counts import daily_features
from features.feature import Feature
from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES


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
