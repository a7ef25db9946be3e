"""The features step on Spark: the same definitions, with no table in one machine's memory."""

import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from features.consents import objected
from features.daily import daily_table
from features.definitions import Definitions
from features.population import INPUTS, with_population
from features.snapshot import Materialise, customer_snapshots
from features.standing import StandingRules, with_own_stage, with_standing
from pipelines.features import NO_OWN_STAGES, snapshot_path
from pipelines.progress import followed
from pipelines.spark import keeping, read_parquet, write_parquet

OWN_STAGES = "customer_id string, valid_from date, stage string"

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def build_features(
    spark: "SparkSession", tables: Path, daily: Path, out: Path, dates: list[date],
    definitions: Definitions, standing: StandingRules, now: date,
    own_stages: pl.DataFrame = NO_OWN_STAGES,
) -> None:  # fmt: skip
    """Write the daily table, and one snapshot a date, as pipelines.features.build_features does.

    The daily table is made anew. A worker that is lost takes nothing with it that the others cannot
    make again.
    """
    shutil.rmtree(out, ignore_errors=True)
    labels = nw.from_native(spark.createDataFrame(own_stages.rows(), OWN_STAGES))
    events = read_parquet(spark, *sorted((tables / "events").glob("bucket-????")))
    write_parquet(daily_table(events, definitions.dimensions), daily)
    with keeping(spark, out.with_name(f".{out.name}.kept")) as keep:
        rows = customer_snapshots(
            _by_customer(read_parquet(spark, daily)), keep(_spine(spark, tables, events, now)),
            dates, definitions, materialise=keep,
        )  # fmt: skip
        for (_, day), (_, customers) in zip(followed(sorted(dates), "features"), rows, strict=True):
            placed = _placed(keep(customers), definitions, standing, keep)
            write_parquet(with_own_stage(placed, labels, day), snapshot_path(out, day))


def _spine(spark: "SparkSession", tables: Path, events: nw.LazyFrame, now: date) -> nw.LazyFrame:
    from pyspark.sql import functions as sql

    customers = read_parquet(spark, tables / "customers.parquet")
    gone = objected(read_parquet(spark, tables / "consents.parquet"), events, now)
    known: DataFrame = customers.join(gone, on="customer_id", how="anti").to_native()
    day = sql.unix_date("known_since").cast("long")
    return _by_customer(nw.from_native(known.select("customer_id", day.alias("known_day"))))


def _by_customer(rows: nw.LazyFrame) -> nw.LazyFrame:
    """All rows of a customer on one worker, so that they need not move again."""
    native: DataFrame = rows.to_native()
    return nw.from_native(native.repartition("customer_id"))


def _placed(
    customers: nw.LazyFrame, definitions: Definitions, standing: StandingRules, keep: Materialise
) -> nw.LazyFrame:  # fmt: skip
    """Compare every customer with all others, on the few columns that this needs."""
    narrow = customers.select("customer_id", *INPUTS)
    ranked = keep(with_population(narrow, definitions.params).drop(*INPUTS))
    return with_standing(customers.join(ranked, on="customer_id", how="left"), standing)
