from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.logs import write_log
from features.schemas import CUSTOMERS, EVENTS
from pipelines.buckets import bucket_numbers
from pipelines.config import read_catalogue
from pipelines.tables import check
from simulation.logs import log_chunks, log_customers, log_events, log_ids, log_plan

ROOT = Path(__file__).parents[3]
UNTIL = date(2026, 1, 1)
PLAN = log_plan(events=30_000, until=UNTIL, days=400, seed=7)


@pytest.fixture(scope="module")
def log() -> pl.DataFrame:
    return pl.concat(log_chunks(PLAN))


def test_log_has_exactly_the_events_asked_for(log):
    assert log.height == 30_000
    assert log["customer_id"].n_unique() == PLAN.customers == 600


def test_log_satisfies_the_declared_tables(log):
    check(log, EVENTS)
    check(log_customers(PLAN), CUSTOMERS)


def test_log_is_sorted_as_bucket_files_are(log):
    assert log.equals(log.sort("customer_id", "occurred_at", "event_id"))


@pytest.mark.parametrize("rows", [1, 777, 10_000])
def test_chunk_size_changes_no_row(log, rows):
    assert pl.concat(log_chunks(PLAN, rows=rows)).equals(log)


def test_customer_has_the_same_rows_whoever_is_made_with_them(log):
    some = np.array([0, 5, 77, 599])
    ids = log_ids(PLAN).gather(some)
    expected = log.filter(pl.col("customer_id").is_in(ids.implode()))
    assert log_events(PLAN, some).equals(expected)


def test_other_seed_gives_another_log(log):
    other = log_plan(events=30_000, until=UNTIL, days=400, seed=8)
    assert not pl.concat(log_chunks(other)).equals(log)


def test_customer_is_known_since_the_first_event(log):
    first = log.group_by("customer_id").agg(known_since=pl.col("on").min()).sort("customer_id")
    assert first.equals(log_customers(PLAN))


def test_events_lie_in_the_days_asked_for(log):
    assert log["on"].min() >= date(2024, 11, 27)
    assert log["on"].max() < UNTIL


def test_event_types_mean_what_the_shipped_taxonomy_says(log):
    taxonomy = read_catalogue(ROOT / "catalogue").taxonomy
    kinds = log.select("event_type", "role", "engagement_type").unique()
    assert kinds.height == 8
    for name, role, engagement_type in kinds.iter_rows():
        meaning = taxonomy.events[name]
        assert (meaning.role, meaning.engagement_type) == (role, engagement_type)


def test_one_row_in_a_hundred_is_late(log):
    late = log["visible_day"] - log["day"]
    assert (late > 0).mean() == pytest.approx(0.01, abs=0.003)
    assert late.max() <= 7
    assert (log["loaded_at"].is_not_null() == (late > 0)).all()


def test_activity_is_zipf_like(log):
    counts = log["customer_id"].value_counts()["count"]
    assert counts.min() >= 6
    assert counts.median() == pytest.approx(14, abs=3)
    assert counts.max() > 50 * counts.median()


def test_bucket_files_hold_the_customers_of_their_hash(log, tmp_path):
    assert write_log(PLAN, tmp_path, buckets=3) == 30_000
    parts = sorted(tmp_path.glob("events/bucket-*/*.parquet"))
    for number, part in enumerate(parts):
        ids = pl.read_parquet(part)["customer_id"].unique()
        assert set(bucket_numbers(ids, 3)) == {number}
    written = pl.concat([pl.read_parquet(part) for part in parts]).sort(
        "customer_id", "occurred_at", "event_id"
    )
    assert written.equals(log)
    write_log(PLAN, tmp_path, buckets=3)
    assert sorted(tmp_path.glob("events/bucket-*/*.parquet")) == parts
