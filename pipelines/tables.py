"""Tables on disk: checked when written and when read, never half-written."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from features.errors import DataError, InputMissingError
from features.schemas import Kind, Table

PARQUET = "**/*.parquet"
DTYPES: dict[Kind, pl.DataType] = {
    "text": pl.String(),
    "integer": pl.Int64(),
    "float": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}


def polars_schema(table: Table) -> pl.Schema:
    """Names and Polars types of a table's columns."""
    return pl.Schema({column.name: DTYPES[column.kind] for column in table.columns})


def check(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The rows, if they satisfy the table's declaration.

    Raises
    ------
    DataError
        If columns, types, nulls or the uniqueness of the key differ; names columns and counts only.
    """
    expected = polars_schema(table)
    if rows.schema != expected:
        wrong = sorted(
            name
            for name in {*rows.columns, *expected}
            if rows.schema.get(name) != expected.get(name)
        )
        raise DataError(f"table {table.name}: columns differ from the schema. Got {wrong}.")
    required = [column.name for column in table.columns if not column.nullable]
    nulls = {name: rows[name].null_count() for name in required if rows[name].null_count()}
    if nulls:
        raise DataError(f"table {table.name}: empty values are not allowed. Got {nulls}.")
    repeated = rows.height - rows.select(table.key).n_unique() if rows.height else 0
    if repeated:
        raise DataError(f"table {table.name}: {repeated} rows repeat the key {table.key}.")
    return rows


def write(rows: pl.DataFrame, path: Path, table: Table) -> None:
    """Write a checked table as Parquet, atomically."""
    with replacing(path) as unfinished:
        check(rows, table).write_parquet(unfinished, compression="zstd", statistics=True)


def write_frame(rows: pl.DataFrame, path: Path) -> None:
    """Write a table whose columns depend on the parameters (features, daily) as Parquet."""
    with replacing(path) as unfinished:
        rows.write_parquet(unfinished, compression="zstd", compression_level=1, statistics=False)


def write_text(text: str, path: Path) -> None:
    """Write a text file as UTF-8, atomically."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")


def read(path: Path, table: Table, columns: Collection[str] = ()) -> pl.DataFrame:
    """Read and check a table, or its key and some of its columns.

    Raises
    ------
    InputMissingError
        If the file is not there.
    """
    if not columns:
        return check(pl.read_parquet(present(path, table.name)), table)
    part = table.part(columns)
    there = pl.read_parquet_schema(present(path, table.name))
    return check(pl.read_parquet(path, columns=[n for n in part.names if n in there]), part)


def rows_of(path: Path, pattern: str = PARQUET) -> int:
    """Rows of a Parquet file, or of all in a folder that match, by what their ends say."""
    files = path.glob(pattern) if path.is_dir() else [path]
    return sum(pq.read_metadata(file).num_rows for file in files)


def present(path: Path, what: str) -> Path:
    """The path, if it exists.

    Raises
    ------
    InputMissingError
        Otherwise.
    """
    if not path.exists():
        raise InputMissingError(
            f"{what}: not found. Expected {path}. Run the step that makes it, or `dvc repro`."
        )
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name to write to, which takes the place of `path` when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        with unfinished.open("rb+") as written:
            os.fsync(written.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
