"""Both engines give the same features, standing and scores, by the same command."""

from datetime import date

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from features.definitions import all_features
from features.schemas import SCORES
from features.standing import with_standing
from pipelines.champions import KINDS
from pipelines.features import scan_snapshot
from pipelines.params import SparkParams
from pipelines.run import STATE, run
from pipelines.spark import read_parquet, session
from pipelines.tables import read

AS_OF = date(2026, 1, 1)
LOCAL = "local[2]"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]


@pytest.fixture(scope="module")
def on_spark(for_spark):
    """The nightly job on Spark, with the champions that Polars trained."""
    project = for_spark(LOCAL)
    run(project, AS_OF, training="never", say=lambda _: None)
    return project


def test_every_feature_and_standing_is_equal_on_both_engines(
    on_spark, on_polars, assert_same_features
):
    made = scan_snapshot(on_spark.paths(STATE).features, AS_OF).collect_schema().names()
    declared = {f.name for f in all_features(on_spark.definitions)}
    assert "weekend_share_365d" in declared  # the custom example
    assert declared | {"stage", "level", "activity"} <= set(made)
    assert_same_features(on_spark, on_polars)


def test_scores_and_the_rules_that_fired_are_equal_on_both_engines(
    on_spark, on_polars, assert_equal
):
    ours, theirs = (read(p.paths(STATE).scores, SCORES) for p in (on_spark, on_polars))
    for kind in KINDS:  # the champions scored, not rules
        assert set(theirs[f"{kind}_model"].str.starts_with(f"keepwell-{kind}@")) == {True}
    assert_equal(ours, theirs)


def test_decisions_of_both_engines_are_the_same_file(on_spark, on_polars):
    delivered = [p.outbox / "latest" / "actions.csv" for p in (on_spark, on_polars)]
    assert delivered[0].read_bytes() == delivered[1].read_bytes()


def test_whatever_the_features_every_customer_has_the_same_one_standing_on_both_engines(
    on_polars, tmp_path
):
    rules = on_polars.catalogue.standing
    bounds = sorted({c.value for _, c in rules.conditions})
    values = [None, -1.0, *(b + step for b in bounds for step in (-0.5, 0.0, 0.5))]
    random = np.random.default_rng(3)
    features = sorted({c.feature for _, c in rules.conditions})
    drawn = {f: [values[k] for k in random.integers(len(values), size=2000)] for f in features}
    rows = pl.DataFrame({"customer": range(2000), **drawn})
    rows.write_parquet(tmp_path / "rows.parquet")
    expected = with_standing(nw.from_native(rows, eager_only=True), rules).to_native()
    with session(SparkParams(master=LOCAL)) as spark:
        placed = with_standing(read_parquet(spark, tmp_path / "rows.parquet"), rules)
        found = placed.collect("polars").to_native().sort("customer")
    kinds = ["stage", "level", "activity"]
    assert found.select("customer", *kinds).equals(expected.select("customer", *kinds))
    assert found.select(kinds).null_count().sum_horizontal().item() == 0
