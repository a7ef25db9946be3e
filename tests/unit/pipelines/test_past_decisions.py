"""The log of decisions, read years later."""

from datetime import date

import polars as pl

from features.schemas import DECISIONS
from pipelines.measure import runs_of, scan_log
from pipelines.tables import polars_schema

NEW = ["sensitivity", "p_alive", "social_score"]


def published(outbox, as_of, *, without=()):
    """A run of one decision; all that is not said is null."""
    row = pl.DataFrame({"customer_id": ["a"], "as_of": [as_of], "horizon_days": [30]})
    empty = pl.DataFrame(schema=polars_schema(DECISIONS))
    table = pl.concat([empty, row.cast({"horizon_days": pl.Int64})], how="diagonal_relaxed")
    (outbox / f"as_of={as_of}").mkdir()
    table.drop(without).write_parquet(outbox / f"as_of={as_of}" / "decisions.parquet")


def test_decisions_of_a_release_that_logged_less_are_read_with_the_others(tmp_path):
    published(tmp_path, date(2017, 1, 1), without=NEW)
    published(tmp_path, date(2017, 2, 1))
    log = scan_log(tmp_path, date(2018, 1, 1))
    assert log.select(NEW).collect().rows() == [(None,) * len(NEW)] * 2
    assert runs_of(log)["window_end"].to_list() == [date(2017, 1, 31), date(2017, 3, 3)]


def test_runs_of_the_date_and_later_are_not_read(tmp_path):
    for month in (1, 2, 3):
        published(tmp_path, date(2017, month, 1))
    assert runs_of(scan_log(tmp_path, date(2017, 2, 1)))["as_of"].to_list() == [date(2017, 1, 1)]
