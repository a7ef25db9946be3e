"""What several kinds of test build: snapshots of a log."""

from collections.abc import Callable
from datetime import date

import narwhals as nw
import polars as pl
import pytest

from features.daily import daily_table
from features.definitions import Definitions
from features.snapshot import customer_snapshots, snapshot


@pytest.fixture(scope="session")
def snapshots_of() -> Callable[..., dict[date, pl.DataFrame]]:
    """Build the feature snapshots of a log, for several dates in one pass."""

    def of(
        events: pl.DataFrame, spine: pl.DataFrame, dates: list[date], definitions: Definitions
    ) -> dict[date, pl.DataFrame]:
        daily = daily_table(nw.from_native(events.lazy()), definitions.dimensions)
        rows = customer_snapshots(
            daily.collect(),
            nw.from_native(spine.lazy()),
            dates,
            definitions,
            materialise=lambda table: table.collect().lazy(),
        )
        return {day: snapshot(r.collect(), definitions).to_native() for day, r in rows}

    return of
