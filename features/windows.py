"""Counts and sums by window, made in two steps: by band of age, then bands into windows.

The first step reads the daily rows once, whatever the number of windows; the second reads a few
rows a customer.
"""

import narwhals as nw

from features.decay import decay_features, decayed_sums, with_weights
from features.dimensions import Dimensions
from features.feature import Feature
from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES, ROLES

WEEKS = 8
SEASON_DAYS = (30, 90)
YEAR = 365
CHANNEL_DAYS = 90
SUMS = ("acts", "refunds", "cents", "order_cents", "discount_cents", "first_sight")


def edges(params: FeatureParams) -> list[int]:
    """Ages at which a band ends, youngest first."""
    weeks = [7 * k for k in range(1, WEEKS + 1)]
    seasons = [YEAR - days for days in SEASON_DAYS]
    before = [2 * w for w in trend_windows(params)]
    ends = {*params.windows_days, *before, *weeks, *seasons, YEAR, CHANNEL_DAYS}
    return sorted(ends | {params.history_days})


def trend_windows(params: FeatureParams) -> list[int]:
    """Windows whose previous window still lies in the history that is read."""
    return [w for w in params.windows_days if 2 * w <= params.history_days]


def banded(recent: nw.LazyFrame, dimensions: Dimensions, params: FeatureParams) -> nw.LazyFrame:
    """Sums of a customer's rows by band of age.

    Parameters
    ----------
    recent : visible rows of the daily table within the history, with ``age``
    dimensions : Dimensions
    params : FeatureParams

    Returns
    -------
    table, shape (n_customers_and_bands, .)
        ``customer_id``, ``band`` (the oldest age in it), sums, ``role_*`` and ``type_*``, and the
        decayed sums of features.decay.
    """
    ends = edges(params)
    band = nw.lit(ends[-1])
    for end in reversed(ends[:-1]):
        band = nw.when(nw.col("age") <= end).then(nw.lit(end)).otherwise(band)
    names = [
        *SUMS,
        *(kind.column for kind in dimensions.kinds),
        *(f"{what}_{c}" for c in dimensions.channels for what in ("acts", "exposures")),
    ]
    sums = (
        with_weights(recent.with_columns(band=band.cast(nw.Int32)), params, dimensions)
        .group_by("customer_id", "band")
        .agg(*(nw.col(name).sum() for name in names), *decayed_sums(dimensions, params))
    )
    return sums.with_columns(*(e.alias(name) for name, e in dimensions.parts.items()))


def within(days: int, *, ending_days_ago: int = 0) -> nw.Expr:
    """Bands of ages in ``(ending_days_ago, ending_days_ago + days]``."""
    band = nw.col("band")
    recent = band <= ending_days_ago + days
    return recent & (band > ending_days_ago) if ending_days_ago else recent


def summed(column: str, where: nw.Expr) -> nw.Expr:
    """Sum of an integer column over the rows where a condition holds."""
    return nw.when(where).then(nw.col(column)).otherwise(0).sum().cast(nw.Int64)


def window_features(params: FeatureParams, dimensions: Dimensions) -> list[Feature]:
    """Features of the ``window`` layer: aggregates over the rows of `banded`."""
    return [
        *(feature for w in params.windows_days for feature in _window(w)),
        *(feature for w in trend_windows(params) for feature in _trends(w)),
        *(feature for days in SEASON_DAYS for feature in _season(days)),
        _active_weeks(),
        *(feature for channel in dimensions.channels for feature in _channel(channel)),
        *decay_features(params, dimensions),
    ]


def _counted(name: str, unit: str, meaning: str, expression: nw.Expr, **reason: str) -> Feature:
    return Feature(name, unit, meaning, "window", expression, zero=True, **reason)


def _window(w: int) -> list[Feature]:
    inside = within(w)
    spoken = {
        "value": {"low": f"{{x}} orders in the last {w} days", "family": "frequency"},
        "visit": {"low": f"{{x}} visits in the last {w} days", "family": "visits"},
        "intent": {"low": f"little interest shown in the last {w} days ({{x}} signs)",
                   "family": "intent"},
        "service": {"high": f"{{x}} service cases in the last {w} days", "family": "service"},
    }  # fmt: skip
    return [
        _counted(f"events_{w}d", "events", f"acts of their own in the last {w} days",
                 summed("acts", inside)),
        _counted(f"active_days_{w}d", "days", f"days with an act of their own, last {w} days",
                 summed("first_sight", inside),
                 low=f"active on {{x}} of the last {w} days", family="activity"),
        *(_counted(f"{r}_events_{w}d", "events", f"{r} events in the last {w} days",
                   summed(f"role_{r}", inside), **spoken.get(r, {})) for r in ROLES),
        *(_counted(f"{t}_events_{w}d", "events", f"{t} events in the last {w} days",
                   summed(f"type_{t}", inside)) for t in ENGAGEMENT_TYPES),
        _counted(f"value_cents_{w}d", "cents", f"money received in the last {w} days, net",
                 summed("cents", inside)),
        _counted(f"order_cents_{w}d", "cents", f"money of value events in the last {w} days",
                 summed("order_cents", inside)),
        _counted(f"discount_cents_{w}d", "cents", f"discount given in the last {w} days",
                 summed("discount_cents", inside)),
        _counted(f"refund_events_{w}d", "events", f"refunds in the last {w} days",
                 summed("refunds", inside), high=f"{{x}} refunds in the last {w} days",
                 family="service"),
    ]  # fmt: skip


def _trends(w: int) -> list[Feature]:
    before = within(w, ending_days_ago=w)
    rows = [
        ("value_events", "role_value", "events", "value events", "orders"),
        ("active_days", "first_sight", "days", "days with an act of their own", "active days"),
    ]
    return [
        _counted(f"{name}_trend_{w}d", unit, f"{what} in the last {w} days minus the {w} before",
                 summed(column, within(w)) - summed(column, before),
                 low=f"fewer {spoken} than in the {w} days before", family="trend")
        for name, column, unit, what, spoken in rows
    ]  # fmt: skip


def _season(days: int) -> list[Feature]:
    """What they did a year ago in the days that now follow."""
    inside = within(days, ending_days_ago=YEAR - days)
    words = f"in the {days} days from a year before the as-of date"
    return [
        _counted(f"value_events_same_season_{days}d", "events", f"value events {words}",
                 summed("role_value", inside)),
        _counted(f"value_cents_same_season_{days}d", "cents", f"money received {words}, net",
                 summed("cents", inside)),
    ]  # fmt: skip


def _active_weeks() -> Feature:
    active = nw.col("first_sight") > 0
    weeks = [
        nw.when(within(7, ending_days_ago=7 * k) & active).then(1).otherwise(0).max()
        for k in range(WEEKS)
    ]
    total = weeks[0]
    for week in weeks[1:]:
        total = total + week
    return _counted(
        f"active_weeks_{7 * WEEKS}d", "weeks",
        f"weeks with an act of their own, of the last {WEEKS}",
        total.cast(nw.Int64), low=f"active in {{x}} of the last {WEEKS} weeks", family="activity",
    )  # fmt: skip


def _channel(channel: str) -> list[Feature]:
    inside = within(CHANNEL_DAYS)
    return [
        _counted(f"channel_{channel}_events_{CHANNEL_DAYS}d", "events",
                 f"acts of their own in the channel {channel}, last {CHANNEL_DAYS} days",
                 summed(f"acts_{channel}", inside)),
        _counted(f"channel_{channel}_exposures_{CHANNEL_DAYS}d", "events",
                 f"times the company reached them by {channel}, last {CHANNEL_DAYS} days",
                 summed(f"exposures_{channel}", inside)),
    ]  # fmt: skip
