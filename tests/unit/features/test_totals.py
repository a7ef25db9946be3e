"""Which columns are totals as of the export."""

import narwhals as nw
import polars as pl
import pytest

from features.totals import growth, is_total


@pytest.mark.parametrize(
    "name",
    ["reputation", "score", "view count", "up votes", "last editor user id", "orders count",
     "total spent", "number of orders", "lifetime value", "last login at", "churned"],
)  # fmt: skip
def test_running_total_or_latest_state_is_refused(name):
    assert is_total(name)


@pytest.mark.parametrize(
    "name",
    ["quantity", "item count", "number of cds", "total", "order total", "revenue", "last name",
     "sales value", "total value", "channel", "country"],
)  # fmt: skip
def test_figure_of_the_event_itself_is_not(name):
    assert not is_total(name)


def test_growth_compares_the_oldest_fifth_with_the_newest():
    rows = pl.DataFrame({"day": range(10), "views": [8, 8, 1, 1, 1, 1, 1, 1, 2, 2]})
    assert growth(nw.from_native(rows, eager_only=True), "views", "day") == 4
