"""Small builders: a test names only the columns that it is about."""

from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pytest

from features.daily import daily_table
from features.definitions import Definitions
from features.dimensions import Dimensions, Kind
from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES, ROLES
from features.time import day_number, visible

AS_OF = date(2026, 11, 1)
EVENT = {
    "customer_id": pl.String,
    "on": pl.Date,
    "day": pl.Int64,
    "visible_day": pl.Int64,
    "role": pl.String,
    "event_type": pl.String,
    "engagement_type": pl.String,
    "channel": pl.String,
    "value_cents": pl.Int64,
    "hour": pl.Int64,
    "discount_cents": pl.Int64,
}


def event(days_ago: int, *, loaded_days_ago: int | None = None, **values) -> dict:
    """An order without money by Ann, so many days before the as-of date."""
    loaded = days_ago if loaded_days_ago is None else min(days_ago, loaded_days_ago)
    return {
        "customer_id": "ann",
        "on": AS_OF - timedelta(days=days_ago),
        "day": day_number(AS_OF) - days_ago,
        "visible_day": day_number(AS_OF) - loaded,
        "event_type": "order_completed",
        "role": "value",
        "engagement_type": None,
        "channel": None,
        "value_cents": 0,
        "hour": None,
        "discount_cents": 0,
    } | values


@pytest.fixture
def as_of():
    return AS_OF


@pytest.fixture
def params():
    """Few windows, so that every number of a test can be counted."""
    return FeatureParams(
        windows_days=[7, 28, 90, 365],
        half_lives_days=[15],
        score_half_life_days=30,
        history_days=730,
        gap_prior_count=3,
        rows_per_bucket=1000,
    )


@pytest.fixture
def dimensions():
    """Every role with every engagement type, and two channels."""
    kinds = [Kind(role, shown) for role in ROLES for shown in (None, *ENGAGEMENT_TYPES)]
    return Dimensions(tuple(kinds), ("email", "store"))


@pytest.fixture
def definitions(params, dimensions):
    return Definitions(params, dimensions)


@pytest.fixture
def events():
    """Build a lazy table of events from ``(days_ago, {column: value})`` pairs or bare days."""

    def of(*rows) -> nw.LazyFrame:
        pairs = [row if isinstance(row, tuple) else (row, {}) for row in rows]
        made = [event(days_ago, **values) for days_ago, values in pairs]
        return nw.from_native(pl.DataFrame(made, schema=EVENT, orient="row").lazy())

    return of


@pytest.fixture
def daily(events, dimensions):
    """Build a daily table with the channels email and store."""

    def of(*rows) -> nw.LazyFrame:
        return daily_table(events(*rows), dimensions)

    return of


@pytest.fixture
def seen(daily):
    """Build the rows of a daily table that are visible on the as-of date."""

    def of(*rows) -> nw.LazyFrame:
        return visible(daily(*rows), AS_OF)

    return of


@pytest.fixture
def spine():
    """Build a spine from ``customer_id=days since known``."""

    def of(**known_days_ago: int) -> nw.LazyFrame:
        days = [day_number(AS_OF) - ago for ago in known_days_ago.values()]
        schema = {"customer_id": pl.String, "known_day": pl.Int64}
        rows = pl.DataFrame({"customer_id": list(known_days_ago), "known_day": days}, schema)
        return nw.from_native(rows.lazy())

    return of


@pytest.fixture
def features(events, spine, snapshots_of, definitions):
    """Build Ann's features on the as-of date from the same rows as `events`."""

    def of(*rows) -> dict:
        known = spine(ann=1000).collect().to_native()
        made = snapshots_of(events(*rows).collect().to_native(), known, [AS_OF], definitions)
        (row,) = made[AS_OF].rows(named=True)
        return row

    return of
