"""The Spark engine: a session, and tables that its workers read and write.

Spark is imported inside the functions: only a project whose engine it is needs it.
"""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import narwhals as nw

from features.errors import ConfigurationError
from pipelines.params import SparkParams

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

LOCAL = "local"
PARTITIONS_A_CORE = 2
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.cleaner.referenceTracking.cleanCheckpoints": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
LOOPBACK = "127.0.0.1"
STANDALONE = "spark://"
PATIENCE_SECONDS = 10


@contextmanager
def session(params: SparkParams) -> "Iterator[SparkSession]":
    """A Spark session for one step; ends with it.

    Raises
    ------
    ConfigurationError
        If PySpark or a Java runtime is missing, or Spark cannot be started at the master.
    """
    _refuse_without_java()
    _refuse_unreachable(params.master)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if params.master.startswith(LOCAL):
        os.environ.setdefault("SPARK_LOCAL_IP", LOOPBACK)
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError(
            "params.yaml, engine: PySpark is not installed. Got 'spark'. Expected the extra: "
            "`pip install 'keepwell[spark]'`. Install it, or set engine: polars."
        ) from error
    builder = SparkSession.builder.appName("keepwell").master(params.master)
    try:
        spark = builder.config(map=_settings(params.master)).getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise ConfigurationError(
            f"params.yaml, spark.master: Spark did not start. Got "
            f"{str(error).strip().splitlines()[-1][:200]!r}. Expected a session at "
            f"{params.master}. See Spark's own messages above, and docs/spark.md."
        ) from error
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


@contextmanager
def keeping(
    spark: "SparkSession", folder: Path
) -> Iterator[Callable[[nw.LazyFrame], nw.LazyFrame]]:
    """What computes a table now and keeps its rows in a folder, until the block ends.

    What is made of them is then planned from the rows, and not from all that led to them; and a
    worker that is lost does not take them with it.
    """
    spark.sparkContext.setCheckpointDir(_address(folder))
    try:
        yield lambda rows: nw.from_native(rows.to_native().checkpoint())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _refuse_unreachable(master: str) -> None:
    """Spark itself would try a standalone master for a minute, and then show a traceback."""
    if not master.startswith(STANDALONE):
        return
    addresses = [urlsplit(f"//{a}") for a in master.removeprefix(STANDALONE).split(",")]
    for address in addresses:
        with suppress(OSError):
            place = (address.hostname or "", address.port or 0)
            socket.create_connection(place, PATIENCE_SECONDS).close()
            return
    raise ConfigurationError(
        f"params.yaml, spark.master: no answer. Got {master}. Expected the address of a running "
        f"master, spark://host:7077. Start it, or mend the address."
    )


def _settings(master: str) -> dict[str, Any]:
    """What Keepwell sets; everything else is in Spark's own ``spark-defaults.conf``."""
    if not master.startswith(LOCAL):
        return SETTINGS
    cores = master.removeprefix(LOCAL).strip("[]") or "1"
    count = (os.cpu_count() or 1) if cores == "*" else int(cores)
    partitions = {"spark.sql.shuffle.partitions": str(PARTITIONS_A_CORE * count)}
    here = {"spark.driver.host": LOOPBACK, "spark.driver.bindAddress": LOOPBACK}
    return SETTINGS | here | partitions
