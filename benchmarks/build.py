"""Build features in a process of its own: what `benchmarks.features` measures."""

import argparse
from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.feature_sets import feature_set
from benchmarks.scope import CHANNELS
from features.schemas import STAGE_LABELS
from pipelines.features import build_features
from pipelines.tables import polars_schema

MASTER = "local[2]"


def main() -> None:
    """Bring the daily state in ``WORK/daily`` up to date and write ``WORK/features``."""
    asked = arguments()
    made_of = (
        asked.tables, asked.work / "daily", asked.work / "features", asked.dates,
        *feature_set(asked.set), max(asked.dates), pl.DataFrame(schema=polars_schema(STAGE_LABELS)),
    )  # fmt: skip
    if asked.engine == "polars":
        build_features(*made_of)
        return
    from pipelines import spark, spark_features

    with spark.session(spark.SparkParams(master=MASTER)) as session:
        spark_features.build_features(session, *made_of)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Build the features of a folder of events.")
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--set", choices=CHANNELS, required=True)
    parser.add_argument("--engine", choices=("polars", "spark"), default="polars")
    parser.add_argument("--dates", type=date.fromisoformat, nargs="+", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
