"""Every feature, declared once.

A feature belongs to one layer, which says what its expression reads:

* ``lifetime``: one row a customer, folded since the beginning (features/lifetime.py);
* ``window``: sums by band of age, plain (features/windows.py) and decayed (features/decay.py);
* ``rhythm``: medians and best times (features/rhythm.py);
* ``custom``: what the company's own function returns (catalogue/custom_features.py);
* ``row``: arithmetic on one customer's row, over all layers above;
* ``population``: compares the customer with everybody else in the snapshot.
"""

from collections.abc import Callable
from typing import NamedTuple

import narwhals as nw

from features.dimensions import Dimensions
from features.feature import Feature
from features.lifetime import lifetime_features
from features.params import FeatureParams
from features.rhythm import rhythm_features
from features.schemas import ENGAGEMENT_TYPES
from features.windows import YEAR, window_features

Compute = Callable[[nw.LazyFrame], nw.LazyFrame]


class CustomFeatures(NamedTuple):
    """Features of a company's own: what they are, and the function that computes them.

    Attributes
    ----------
    declared : tuple of Feature
        Their layer is ``custom``; they have no expression.
    compute : callable
        Visible rows of the daily table, with ``age`` -> a table with ``customer_id`` and a column
        for each declared feature.
    source : str
        The text of the file: another one makes the features anew.
    """

    declared: tuple[Feature, ...]
    compute: Compute
    source: str


class Definitions(NamedTuple):
    """What the features of a project are made of."""

    params: FeatureParams
    dimensions: Dimensions
    custom: CustomFeatures | None = None


def all_features(definitions: Definitions) -> list[Feature]:
    """Every feature, in the order of the feature table's columns."""
    return [*customer_features(definitions), *population_features()]


def customer_features(definitions: Definitions) -> list[Feature]:
    """Features that need nobody but the customer."""
    params, dimensions, custom = definitions
    return [
        Feature("days_since_known", "days", "days since the company knows of them", "row"),
        *lifetime_features(),
        *window_features(params, dimensions),
        *rhythm_features(),
        *(custom.declared if custom else ()),
        *row_features(dimensions),
    ]


def row_features(dimensions: Dimensions) -> list[Feature]:
    """Features of the ``row`` layer that are expressions."""
    channels = [nw.col(f"channel_{c}_events_90d") for c in dimensions.channels]
    kinds = [nw.col(f"{t}_events_90d") for t in ENGAGEMENT_TYPES]
    orders = nw.col("value_events")
    full_price = nw.col(f"order_cents_{YEAR}d") + nw.col(f"discount_cents_{YEAR}d")
    return [
        _row("mean_order_cents", "cents an order", "mean money received in a value event",
             nw.when(orders > 0).then(nw.col("order_cents") / orders)),
        _row("discount_share_365d", "share", "discount over the full price, last 365 days",
             nw.when(full_price > 0).then(nw.col(f"discount_cents_{YEAR}d") / full_price)),
        _row("channels_90d", "channels", "channels used by the customer in the last 90 days",
             _positive(channels)),
        _row("types_90d", "types", "engagement types seen in the last 90 days", _positive(kinds)),
        *(_response_rate(channel) for channel in dimensions.channels),
        *_own(),
    ]  # fmt: skip


def _row(
    name: str, unit: str, meaning: str, expression: nw.Expr, *, low: str = "", family: str = ""
) -> Feature:
    return Feature(name, unit, meaning, "row", expression, low=low, family=family)


def _positive(columns: list[nw.Expr]) -> nw.Expr:
    return nw.sum_horizontal(*((column > 0).cast(nw.Int64) for column in columns))


def _response_rate(channel: str) -> Feature:
    shown, acts = (nw.col(f"channel_{channel}_{kind}_90d") for kind in ("exposures", "events"))
    rate = nw.min_horizontal(acts / shown, nw.lit(1.0))
    return _row(
        f"response_rate_{channel}_90d", "share",
        f"acts of their own in the channel {channel} for each time the company reached them there, "
        "last 90 days, at most 1", nw.when(shown > 0).then(rate),
        low=f"rarely answers by {channel} (rate {{x}})", family="response",
    )  # fmt: skip


def _own() -> list[Feature]:
    """Value events where there are any, else any act of their own."""
    has_value = nw.col("value_events") > 0
    known = "days_since_known"  # of somebody who is listed, but never did anything
    either = {
        "own_recency_days": ("days_since_last_value", "days_since_last_event", known),
        "own_age_days": ("days_since_first_value", "days_since_first_event", known),
        "own_gaps": ("value_gaps", "event_gaps"),
        "own_median_gap_days": ("value_median_gap_days", "event_median_gap_days"),
        "own_last_gap_days": ("value_last_gap_days", "event_last_gap_days"),
    }
    return [
        _row(name, "days, or pauses", f"{value} where there is a value event, else {others[0]}",
             nw.when(has_value).then(nw.col(value)).otherwise(nw.coalesce(*others)))
        for name, (value, *others) in either.items()
    ]  # fmt: skip


def population_features() -> list[Feature]:
    """Features of the ``population`` layer, computed in features/population.py."""
    rows = [
        ("usual_gap_days", "days", "own median pause, shrunk to the population's", "", ""),
        ("recency_ratio", "usual pauses", "days since the last own activity over the usual pause",
         "silent for {x} times the usual pause", "recency"),
        ("last_gap_ratio", "usual pauses", "latest completed pause over the usual pause", "", ""),
        ("inactivity_window_days", "days", "three usual pauses, at least 30 and at most 180 days",
         "", ""),
        ("is_active", "0 or 1", "own activity within the inactivity window", "", ""),
        *((f"{t}_score", "0-100", f"percentile of {t} engagement in the snapshot", "", "")
          for t in ENGAGEMENT_TYPES),
        ("engagement_types_above_median", "types",
         "engagement types whose score is at least the median of those who show it", "", ""),
        ("rfm_recency", "1-5", "quintile of days since the last value event, 5 = latest", "", ""),
        ("rfm_frequency", "1-5", "quintile of value events in 365 days, 5 = most", "", ""),
        ("rfm_money", "1-5", "quintile of money received in 365 days, 5 = most", "", ""),
    ]  # fmt: skip
    return [
        Feature(name, unit, meaning, "population", high=high, family=family)
        for name, unit, meaning, high, family in rows
    ]
