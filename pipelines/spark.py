"""The Spark engine: a session, and tables that its workers read and write.

Spark is imported inside the functions: only a project whose engine it is needs it.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import narwhals as nw
from pydantic import Field

from features.errors import ConfigurationError
from features.records import Record

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LOCAL = "local"
PARTITIONS_A_CORE = 2
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


class SparkParams(Record):
    """Where Spark runs."""

    master: str = Field(pattern=r"^(local(\[(\d+|\*)\])?|yarn|(spark|k8s)://\S+)$")


@contextmanager
def session(params: SparkParams) -> "Iterator[SparkSession]":
    """A Spark session for one step; ends with it.

    Raises
    ------
    ConfigurationError
        If PySpark or a Java runtime is missing.
    """
    _refuse_without_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError(
            "params.yaml, engine: PySpark is not installed. Got 'spark'. Expected the extra: "
            "`pip install 'keepwell[spark]'`. Install it, or set engine: polars."
        ) from error
    builder = SparkSession.builder.appName("keepwell").master(params.master)
    spark = builder.config(map=_settings(params.master)).getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def read_parquet(spark: "SparkSession", *paths: Path) -> nw.LazyFrame:
    """Parquet files, or folders of them, as one table."""
    return nw.from_native(spark.read.parquet(*map(_address, paths)))


def write_parquet(rows: nw.LazyFrame, folder: Path) -> None:
    """Write a table as a folder of Parquet files, by the workers that hold its rows.

    Spark replaces the folder, and marks it as complete with a file ``_SUCCESS``.
    """
    native: DataFrame = rows.to_native()
    native.write.mode("overwrite").parquet(_address(folder))


def _address(path: Path) -> str:
    """The path as Hadoop reads it: with its scheme, and not percent-encoded."""
    return f"file:{path.resolve()}"


def _refuse_without_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=f"{home}/bin" if home else None):
        raise ConfigurationError(
            f"params.yaml, engine: Spark needs Java. Got no `java` in "
            f"{'JAVA_HOME' if home else 'PATH'}. Expected a Java runtime, 17 or later. Install "
            f"one, or set engine: polars."
        )


def _settings(master: str) -> dict[str, str]:
    """What Keepwell sets; everything else is in Spark's own ``spark-defaults.conf``."""
    if not master.startswith(LOCAL):
        return SETTINGS
    cores = master.removeprefix(LOCAL).strip("[]") or "1"
    count = (os.cpu_count() or 1) if cores == "*" else int(cores)
    partitions = {"spark.sql.shuffle.partitions": str(PARTITIONS_A_CORE * count)}
    return SETTINGS | LOOPBACK | partitions
