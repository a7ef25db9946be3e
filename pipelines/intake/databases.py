"""Relations and queries of databases, copied to a Parquet file, batch by batch."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputMissingError
from pipelines.intake.readers import needed
from pipelines.intake.sources import Kind, Source

BATCH = 100_000
QUOTED = re.compile(r"""(['"])(.*?)(?:\1|$)""")


def copy(kind: Kind, path: Path | None, source: Source, target: Path, where: str) -> None:
    """Copy the rows that a source names, in one snapshot, to a Parquet file.

    Credentials are the client library's own affair: PGPASSWORD, ~/.pgpass, PGSERVICEFILE.

    Raises
    ------
    InputMissingError
        If the database cannot be read; never shows an address or a credential.
    """
    if kind == "postgres":
        batches = _postgres(source, where)
    elif kind == "duckdb":
        batches = _duckdb(str(path), source, where)
    else:
        batches = _sqlite(str(path), source, where)
    first = next(batches)
    with pq.ParquetWriter(target, first.schema, compression="lz4") as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def _statement(source: Source) -> str:
    if source.query:
        return source.query
    parts = (source.relation or "").split(".")
    return f"SELECT * FROM {'.'.join(map(quoted, parts))}"


def quoted(name: str) -> str:
    """A table's or column's name for a statement, whatever signs are in it."""
    return '"' + name.replace('"', '""') + '"'


def _postgres(source: Source, where: str) -> Iterator[pa.RecordBatch]:
    dbapi = needed("adbc_driver_postgresql.dbapi", "postgres", where)
    try:
        with closing(dbapi.connect(source.path)) as connection, connection.cursor() as cursor:
            cursor.execute(_statement(source))
            yield from _never_empty(cursor.fetch_record_batch())
    except dbapi.Error as error:
        raise _unread(where, source, "PostgreSQL", _cause(error)) from None


def _duckdb(path: str, source: Source, where: str) -> Iterator[pa.RecordBatch]:
    duckdb = needed("duckdb", "duckdb", where)
    locked = {"enable_external_access": "false", "lock_configuration": "true"}
    try:
        with closing(duckdb.connect(path, read_only=True, config=locked)) as connection:
            yield from _never_empty(connection.sql(_statement(source)).to_arrow_reader(BATCH))
    except duckdb.Error as error:
        raise _unread(where, source, "DuckDB", str(error)) from None


def _never_empty(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    yield _plain(pa.RecordBatch.from_pylist([], schema=reader.schema))
    for batch in reader:
        yield _plain(batch)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A server's own types (numeric, for one) as the text that the driver gives them in."""
    columns = [c.storage if isinstance(c, pa.ExtensionArray) else c for c in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _sqlite(path: str, source: Source, where: str) -> Iterator[pa.RecordBatch]:
    """SQLite types values, not columns: every value becomes the text that it is."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            cursor = connection.execute(_statement(source))
            names = [column[0] for column in cursor.description]
            schema = pa.schema([(name, pa.string()) for name in names])
            yield pa.RecordBatch.from_pylist([], schema=schema)
            while rows := cursor.fetchmany(BATCH):
                columns = [pa.array([_text(v) for v in c], pa.string())
                           for c in zip(*rows, strict=True)]  # fmt: skip
                yield pa.RecordBatch.from_arrays(columns, schema=schema)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _unread(where, source, "SQLite", str(error)) from None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)


def _cause(error: Exception) -> str:
    """What the server said, without the address that was used."""
    said = str(error)
    return said.rsplit("FATAL:", 1)[-1].rsplit("ERROR:", 1)[-1].strip()


def _unread(where: str, source: Source, engine: str, said: str) -> InputMissingError:
    first = said.splitlines()[0] if said else "no reason"
    return InputMissingError(
        f"{where}: {engine} does not give the rows. Got: {_without_values(first, source):.160} "
        f"Expected a readable relation or query; credentials come from the environment or the "
        f"usual files. Check both."
    )


def _without_values(said: str, source: Source) -> str:
    """What an engine said, without the cells that it quotes: only the catalogue's words stay."""
    own = f"{source.relation} {source.query} {' '.join(source.reads)}"
    return QUOTED.sub(lambda cell: cell[0] if cell[2] in own else "'...'", said)
