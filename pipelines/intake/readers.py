"""One reader for each kind of file: rows in order, numbered from 1, in chunks that fit memory."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, TypeVar

import polars as pl

from features.errors import ConfigurationError, DataError
from pipelines.intake import delimited
from pipelines.intake.delimited import REJECTED, ROW, Chunk
from pipelines.intake.dialects import check_wanted, dialect
from pipelines.intake.jsonlines import json_chunks
from pipelines.intake.sources import Kind, Source

CHUNK_ROWS = 1_000_000
BATCH_ROWS = 500_000
T = TypeVar("T")
ENDINGS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".psv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
    ".duckdb": "duckdb",
}
COMPRESSED = (".gz", ".zst", ".bz2")


def kind_of(name: str, declared: Kind | None = None) -> Kind:
    """The kind of a file: declared, or by its ending (below one of compression).

    Raises
    ------
    ConfigurationError
        If the ending is none that is known.
    """
    if declared:
        return declared
    if name.startswith(("postgresql:", "postgres:")):
        return "postgres"
    plain = Path(name)
    if plain.suffix.lower() in COMPRESSED:
        plain = plain.with_suffix("")
    kind = ENDINGS.get(plain.suffix.lower())
    if kind is None:
        raise ConfigurationError(
            f"sources.yaml: cannot read {plain.name!r}. Got {plain.suffix or 'no ending'}. "
            f"Expected one of {', '.join(ENDINGS)}, or `kind:` in the source. Convert the file."
        )
    return kind


def read_chunks(path: Path, kind: Kind, source: Source, where: str) -> Iterator[Chunk]:
    """Rows of one local file, the next chunk being read while one is worked on.

    Parameters
    ----------
    path : Path
    kind : str
        csv, jsonl, parquet or excel: databases are spooled to Parquet first.
    source : Source
    where : str
        For messages.

    Raises
    ------
    DataError, InputMissingError
        If the file cannot be read, or lacks a column.
    """
    yield from ahead(_together(_chunks(path, kind, source, where)))


def _chunks(path: Path, kind: Kind, source: Source, where: str) -> Iterator[Chunk]:
    own = [name for name in source.reads if name not in _looked_up(source)]
    if kind == "csv":
        found = dialect(
            path, where, delimiter=source.delimiter, encoding=source.encoding, wanted=own
        )
        check_wanted(found.header, own, where)
        return delimited.chunks(path, where, found)
    if kind == "jsonl":
        return _objects(path, source.encoding or "utf-8-sig", where, own)
    if kind == "excel":
        return _sheet(path, source, where, own)
    return _parquet(path, where, own)


def _looked_up(source: Source) -> set[str]:
    """Columns that the lookup brings, as far as the declaration says: none are known before."""
    return set(source.reads) if source.lookup else set()


def _parquet(path: Path, where: str, wanted: list[str]) -> Iterator[Chunk]:
    following = 1
    try:
        found = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        check_wanted(found.collect_schema().names(), wanted, where)
        for batch in found.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
            yield Chunk(_numbered(batch, following), _none())
            following += batch.height
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, where, error) from error


def _numbered(rows: pl.DataFrame, first: int) -> pl.DataFrame:
    numbers = pl.int_range(first, first + rows.height, dtype=pl.Int64, eager=True)
    return rows.select(numbers.alias(ROW), pl.all())


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=REJECTED)


def _sheet(path: Path, source: Source, where: str, wanted: list[str]) -> Iterator[Chunk]:
    fastexcel = needed("fastexcel", "excel", where)
    try:
        book = fastexcel.read_excel(path)
        name = source.sheet or book.sheet_names[0]
        sheet = book.load_sheet(name, dtypes="string", whitespace_as_null=False)
    except fastexcel.FastExcelError as error:
        raise _unreadable(path, where, error) from error
    rows = sheet.to_polars()
    check_wanted(rows.columns, wanted, where)
    yield Chunk(_numbered(rows, 1), _none())


def _objects(path: Path, encoding: str, where: str, wanted: list[str]) -> Iterator[Chunk]:
    try:
        yield from json_chunks(path, encoding, where, wanted)
    except (UnicodeDecodeError, OSError, EOFError) as error:
        raise _unreadable(path, where, error) from error


def _unreadable(path: Path, where: str, error: Exception) -> DataError:
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(
        f"{where}: {path.name} cannot be read. Got: {said:.160} "
        f"Expected a well-formed {path.suffix} file. Mend or convert the file."
    )


def needed(module: str, extra: str, where: str) -> Any:
    """A library that an optional extra brings.

    Raises
    ------
    ConfigurationError
        If it is not installed; names the extra.
    """
    from importlib import import_module

    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{where}: this kind of source needs the extra {extra!r}. "
            f"Install it: pip install 'keepwell[{extra}]'."
        ) from error


def _together(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Small chunks joined to about `CHUNK_ROWS`: every chunk has a price of its own."""
    waiting: list[Chunk] = []
    height = 0
    for chunk in chunks:
        waiting.append(chunk)
        height += chunk.rows.height + chunk.rejected.height
        if height >= CHUNK_ROWS:
            yield _joined(waiting)
            waiting, height = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Chunk]) -> Chunk:
    rows = pl.concat([part.rows for part in parts], how="diagonal")
    return Chunk(rows, pl.concat([part.rejected for part in parts]))


def ahead(chunks: Iterator[T]) -> Iterator[T]:
    """Make the next item in a thread while the caller works on this one."""
    queue: Queue[T | BaseException | None] = Queue(maxsize=1)
    stopped = Event()

    def fill() -> None:
        try:
            for chunk in chunks:
                if stopped.is_set():
                    return
                queue.put(chunk)
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    thread = Thread(target=fill, daemon=True)
    thread.start()
    try:
        while (chunk := queue.get()) is not None:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk
    finally:
        stopped.set()
        while thread.is_alive():
            _discard(queue)


def _discard(queue: "Queue[Any]") -> None:
    with suppress(Empty):
        queue.get(timeout=0.1)
