"""A company's own features are found, explained and computed from one file."""

from pathlib import Path

import pytest

from features.definitions import Definitions, all_features
from features.errors import ConfigurationError
from pipelines.config import read_catalogue, read_params
from pipelines.custom import read_custom
from pipelines.documents import features_page

ROOT = Path(__file__).parents[3]
DECLARATION = """
from features.feature import Feature
DECLARED = [Feature("orders_squared", "events", "orders, squared", "{layer}"{more})]
"""
COMPUTE = """
import narwhals as nw
def compute(days):
    n = nw.col("kind_value_transactional").sum()
    return days.group_by("customer_id").agg(orders_squared=n * n)
"""


@pytest.fixture
def custom(tmp_path):
    def of(text: str):
        (tmp_path / "custom_features.py").write_text(text)
        return read_custom(tmp_path)

    return of


@pytest.fixture(scope="module")
def shipped():
    return read_catalogue(ROOT / "catalogue").definitions(
        read_params(ROOT / "params.yaml").features
    )


def test_catalogue_without_the_file_has_no_custom_features(tmp_path):
    assert read_custom(tmp_path) is None


def test_declared_feature_is_a_feature_and_is_in_the_document(custom, shipped):
    found = custom(DECLARATION.format(layer="custom", more=', low="few orders"') + COMPUTE)
    definitions = Definitions(shipped.params, shipped.dimensions, found)
    assert "orders_squared" in [f.name for f in all_features(definitions)]
    assert "| `orders_squared` | events | orders, squared | few orders |" in features_page(
        definitions
    )


@pytest.mark.parametrize(
    ("text", "got"),
    [
        (COMPUTE, "Got no DECLARED"),
        (DECLARATION.format(layer="custom", more=""), "Got no function compute"),
        (DECLARATION.format(layer="row", more="") + COMPUTE, "layer 'custom'"),
    ],
)
def test_file_that_cannot_work_is_refused_in_one_line(custom, text, got):
    with pytest.raises(ConfigurationError, match=got) as error:
        custom(text)
    assert "\n" not in str(error.value)


def test_shipped_example_counts_weekends(shipped, snapshots_of):
    from datetime import date

    import polars as pl

    from features.schemas import EVENTS
    from features.time import day_number
    from pipelines.tables import polars_schema

    as_of = date(2026, 11, 1)  # a Sunday: 1 day ago is Saturday, 8 is Saturday, 3 is Thursday
    days = [day_number(as_of) - ago for ago in (1, 8, 3)]
    row = {"customer_id": "ann", "role": "visit", "value_cents": 0, "discount_cents": 0}
    log = pl.DataFrame([row | {"day": d, "visible_day": d} for d in days],
                       schema=polars_schema(EVENTS))  # fmt: skip
    spine = pl.DataFrame({"customer_id": ["ann", "bob"], "known_day": [0, 0]})
    made = snapshots_of(log, spine, [as_of], shipped)[as_of]
    assert made["weekend_share_365d"].to_list() == [2 / 3, None]
