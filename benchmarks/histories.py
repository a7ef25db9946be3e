"""Split a log for the nightly run: what was known yesterday, and the new day's file of each bucket.

``python -m benchmarks.histories --tables DIR --out DIR --years 2`` writes ``DIR/known`` (tables)
and ``DIR/new`` (event files). With four years, everything is told a second time, two years earlier,
by the same customers: the same number of events a year.
"""

import argparse
import shutil
from datetime import timedelta
from pathlib import Path

import polars as pl

from benchmarks.scope import DAYS, UNTIL
from features.time import day_number

NEW_DAY = day_number(UNTIL - timedelta(days=1))
MOMENTS, DAY_NUMBERS = ("occurred_at", "loaded_at", "on"), ("day", "visible_day")


def main() -> None:
    """Write both folders anew."""
    parser = argparse.ArgumentParser(description="Split a log for the nightly run.")
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--years", type=int, choices=(2, 4), required=True)
    asked = parser.parse_args()
    shutil.rmtree(asked.out, ignore_errors=True)
    for bucket in sorted((asked.tables / "events").glob("bucket-*")):
        split_bucket(bucket, asked.out, doubled=asked.years == 4)
    shutil.copy(asked.tables / "consents.parquet", asked.out / "known")
    customers = pl.read_parquet(asked.tables / "customers.parquet")
    if asked.years == 4:
        customers = customers.with_columns(pl.col("known_since") - pl.duration(days=DAYS))
    customers.write_parquet(asked.out / "known" / "customers.parquet")


def split_bucket(bucket: Path, out: Path, *, doubled: bool) -> None:
    """Write one bucket's events, known and new."""
    events = pl.read_parquet(bucket / "*.parquet")
    is_new = pl.col("visible_day") >= NEW_DAY
    known = events.filter(~is_new)
    if doubled:
        known = pl.concat([earlier(events), known])
    parts = {"known/events": known, "new": events.filter(is_new)}
    for name, rows in parts.items():
        folder = out / name / bucket.name
        folder.mkdir(parents=True)
        rows.write_parquet(folder / f"{name[:3]}.parquet", compression="zstd")


def earlier(events: pl.DataFrame) -> pl.DataFrame:
    """The same events, two years before."""
    return events.with_columns(
        *(pl.col(name) - pl.duration(days=DAYS) for name in MOMENTS),
        *(pl.col(name) - DAYS for name in DAY_NUMBERS),
        event_id="e" + pl.col("event_id"),
    )


if __name__ == "__main__":
    main()
