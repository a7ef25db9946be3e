"""Step: events -> the daily table, and a feature snapshot with its standing for each date."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import polars as pl

from features.consents import objected
from features.daily import daily_table
from features.errors import DataError
from features.params import ChurnParams, CutoffParams, Cutoffs, FeatureParams
from features.schemas import CONSENTS, CUSTOMERS
from features.snapshot import customer_rows, snapshot
from features.standing import StandingRules, with_standing
from features.time import cutoffs, day_number, refuse_after
from pipelines.buckets import BUCKET, with_bucket
from pipelines.ingest import read_events
from pipelines.tables import present, read, write_frame, write_text

DATES = "cutoffs.json"


class Span(NamedTuple):
    """First value event, and the last day on which any customer did something."""

    first_value: date
    last_day: date


def build_features(
    tables: Path, daily: Path, out: Path, dates: list[date], params: FeatureParams,
    standing: StandingRules, now: date,
) -> None:  # fmt: skip
    """Write the daily table and one snapshot a date, ``as_of=YYYY-MM-DD.parquet``.

    Customers who object as of `now` are in none of them.
    """
    spine = _spine(tables, now)
    buckets = _write_daily(tables, daily, params)
    shutil.rmtree(out, ignore_errors=True)
    placed = with_bucket(spine, len(buckets))
    for day in dates:
        parts = [
            customer_rows(_lazy(bucket), _of_bucket(placed, k), day, params).collect()
            for k, bucket in enumerate(buckets)
        ]
        whole = with_standing(snapshot(nw.concat(parts), day, params), standing)
        write_frame(whole.to_native(), snapshot_path(out, day))


def write_cutoffs(out: Path, dates: Cutoffs) -> None:
    """Record which snapshots are for training, testing and now."""
    write_text(dates.model_dump_json(indent=2) + "\n", out / DATES)


def read_cutoffs(features: Path) -> Cutoffs:
    """The cutoffs that a features folder was made for."""
    return Cutoffs.model_validate(json.loads(present(features / DATES, "features").read_text()))


def snapshot_path(features: Path, day: date) -> Path:
    """The file of one as-of date."""
    return features / f"as_of={day.isoformat()}.parquet"


def read_snapshot(features: Path, day: date) -> pl.DataFrame:
    """Features and standing as of a day."""
    return pl.read_parquet(present(snapshot_path(features, day), f"features as of {day}"))


def read_daily(daily: Path) -> pl.LazyFrame:
    """The whole daily table, lazily."""
    return pl.scan_parquet(sorted(present(daily, "daily table").glob("*.parquet")))


def plan(
    tables: Path, as_of: date, churn: ChurnParams, past: CutoffParams, max_staleness_days: int
) -> Cutoffs:
    """The cutoffs of a run.

    Raises
    ------
    DataError
        If `as_of` lies too far after the end of the data, or there is no value event before it.
    """
    span = data_span(tables, as_of)
    refuse_after(as_of, last_day=span.last_day, slack_days=max_staleness_days)
    return cutoffs(as_of, span.first_value, span.last_day + timedelta(days=1), churn, past)


def data_span(tables: Path, as_of: date) -> Span:
    """First value event known before `as_of`, and last day of the customers' own activity.

    Exposures are left out: they are what the company does.

    Raises
    ------
    DataError
        If there is no value event.
    """
    own = read_events(tables).filter(pl.col("role") != "exposure")
    known_value = (pl.col("role") == "value") & (pl.col("visible_day") < day_number(as_of))
    value = pl.col("on").filter(known_value)
    first, last = own.select(value.min().alias("first"), pl.col("on").max()).collect().row(0)
    if first is None:
        raise DataError(
            f"events: no value event before {as_of}. Expected at least one event whose type has "
            f"the role `value`. Give a later --as-of, or map a type in catalogue/taxonomy.yaml."
        )
    return Span(first, last)


def _spine(tables: Path, now: date) -> pl.DataFrame:
    customers = read(tables / "customers.parquet", CUSTOMERS)
    consents = nw.from_native(read(tables / "consents.parquet", CONSENTS).lazy())
    events = nw.from_native(read_events(tables))
    gone = objected(consents, events, now).collect().to_native()
    kept = customers.join(gone, on="customer_id", how="anti")
    return kept.with_columns(known_day=pl.col("known_since").cast(pl.Int32).cast(pl.Int64))


def _write_daily(tables: Path, daily: Path, params: FeatureParams) -> list[Path]:
    shutil.rmtree(daily, ignore_errors=True)
    return [
        _write_daily_bucket(source, daily / source.name, params)
        for source in sorted((tables / "events").glob("*.parquet"))
    ]


def _write_daily_bucket(source: Path, out: Path, params: FeatureParams) -> Path:
    rows = daily_table(nw.from_native(pl.scan_parquet(source)), params.channels)
    write_frame(rows.collect().to_native().sort("customer_id", "day", "visible_day"), out)
    return out


def _lazy(bucket: Path) -> nw.LazyFrame:
    return nw.from_native(pl.scan_parquet(bucket))


def _of_bucket(placed: pl.DataFrame, number: int) -> nw.LazyFrame:
    return nw.from_native(placed.lazy().filter(pl.col(BUCKET) == number))
