"""The score step on Spark: each worker scores its own customers with the champions."""

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import narwhals as nw
import pandas as pd
import polars as pl

from features.definitions import Definitions, all_features
from features.feature import Feature
from features.hysteresis import CLASSES, with_reported
from features.params import ChurnParams
from features.schemas import SCORES, Kind
from features.standing import StandingRules, with_because
from models.everybody import Everybody, everybody
from models.scoring import score_part, spoken
from pipelines import tracking
from pipelines.champions import ModelFile, champion_files, load_files
from pipelines.features import read_cutoffs, scan_snapshot, snapshot_path
from pipelines.score import check_features, earlier_dates, happened
from pipelines.spark import read_parquet, write_parquet
from pipelines.tables import polars_schema, replacing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SQL_TYPES: dict[Kind, str] = {
    "text": "string",
    "integer": "bigint",
    "float": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
Files = dict[str, ModelFile | None]
Scorer = Callable[[Iterator[pd.DataFrame]], Iterator[pd.DataFrame]]


def build_scores(
    spark: "SparkSession", features: Path, daily: Path, champions: Path, out: Path, *,
    definitions: Definitions, standing: StandingRules, churn: ChurnParams, margin_rate: float,
    tracking_params: tracking.TrackingParams, root: Path,
) -> int:  # fmt: skip
    """Score everybody as of now, as pipelines.score.build_scores does; returns their number."""
    cutoffs = read_cutoffs(features)
    day = cutoffs.now
    columns = scan_snapshot(features, day).collect_schema()
    files = champion_files(champions, tracking_params, root)
    models = load_files(files, day)
    for champion in models:
        check_features(champion, columns.names())
    declared = [f._replace(expression=None) for f in all_features(definitions)]
    now = read_parquet(spark, snapshot_path(features, day))
    dates = earlier_dates(cutoffs, churn)
    earlier, later = (read_parquet(spark, snapshot_path(features, d)) for d in dates)
    before = happened(earlier, later, read_parquet(spark, daily), cutoffs, churn)
    whole = everybody(now, before, spoken(models, declared), churn)
    with TemporaryDirectory() as folder:
        sent = _sent(spark, files, Path(folder))
        known = {**columns} | {f"reported_{kind}": pl.String() for kind in CLASSES}
        scorer = _scorer(sent, day, whole, known, declared, standing, churn, margin_rate)
        types = ", ".join(f"{c.name} {SQL_TYPES[c.kind]}" for c in SCORES.columns)
        reported = with_reported(now, before).to_native()
        scored = reported.mapInPandas(scorer, types).orderBy("customer_id")
        return _write(nw.from_native(scored), out)


def _sent(spark: "SparkSession", files: Files, folder: Path) -> Files:
    """The champions' files under names of their own, given to every worker."""
    for file in files.values():
        if file:
            copy = Path(shutil.copy(file.path, folder / f"{file.sha256}.skops"))
            spark.sparkContext.addFile(str(copy))
    return {kind: f and f._replace(path=Path(f"{f.sha256}.skops")) for kind, f in files.items()}


def _scorer(
    files: Files, day: date, whole: Everybody, columns: dict[str, pl.DataType],
    declared: list[Feature], standing: StandingRules, churn: ChurnParams, margin_rate: float,
) -> Scorer:  # fmt: skip
    """What a worker does with its customers, a few thousand at a time."""

    def scored(parts: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        models = load_files(_received(files), day)
        for part in parts:
            rows = pl.from_pandas(part).cast(pl.Schema(columns))
            now = with_because(nw.from_native(rows, eager_only=True), standing).to_native()
            yield score_part(now, whole, models, declared, churn, margin_rate).to_pandas()

    return scored


def _received(files: Files) -> Files:
    from pyspark import SparkFiles

    return {k: f and f._replace(path=Path(SparkFiles.get(str(f.path)))) for k, f in files.items()}


def _write(scored: nw.LazyFrame, out: Path) -> int:
    """One file of checked types, from the workers' parts in their order, streamed."""
    parts = out.with_name(f".{out.name}.parts")
    write_parquet(scored, parts)
    rows = pl.scan_parquet(sorted(parts.glob("part-*.parquet"))).cast(polars_schema(SCORES))
    with replacing(out) as unfinished:
        rows.sink_parquet(unfinished, compression="zstd", statistics=True)
    shutil.rmtree(parts)
    return pl.scan_parquet(out).select(pl.len()).collect().item()
