"""Rows of a source as they are: no type guessed, numbered, with the lookup's columns joined."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from features.errors import DataError, InputMissingError
from pipelines.intake.delimited import ROW, Chunk
from pipelines.intake.dialects import check_wanted
from pipelines.intake.inputs import Input, fetched, inputs_of, local_kind, resolve
from pipelines.intake.readers import kind_of, read_chunks
from pipelines.intake.sources import Lookup, Source


def open_raw(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> pl.LazyFrame:
    """A delimited or Parquet file, with text left as text, lazily: for a first look at it.

    Raises
    ------
    ConfigurationError
        If the ending is none that is known.
    """
    if kind_of(path.name) == "parquet":
        return pl.scan_parquet(path)
    utf8 = path if encoding == "utf-8" else path.read_bytes().decode(encoding).encode()
    return pl.scan_csv(utf8, separator=delimiter, infer_schema=False)


def raw_rows(name: str, source: Source, root: Path) -> pl.DataFrame:
    """All rows of a source that lies in files, numbered from 1 through all of them.

    Raises
    ------
    InputMissingError
        If a column is not there; names those that are.
    DataError
        If a file cannot be parsed.
    """
    with TemporaryDirectory() as spool:
        parts = [
            chunk.rows
            for one in inputs_of(name, source, root)
            for chunk in chunks_of(one, fetched(one, source, Path(spool)), source, root)
        ]
    rows = pl.concat(parts, how="diagonal") if parts else pl.DataFrame(schema={ROW: pl.Int64})
    return rows.drop(ROW).with_row_index(ROW, offset=1)


def chunks_of(one: Input, path: Path, source: Source, root: Path) -> Iterator[Chunk]:
    """Chunks of one input, with the columns of the lookup.

    Parameters
    ----------
    one : Input
    path : Path
        What `pipelines.intake.inputs.fetched` gave.
    source : Source
    root : Path
        The project's folder.
    """
    where = f"sources.yaml, {one.source}"
    looked_up = _looked_up(source.lookup, root) if source.lookup else None
    with reading(path, where):
        for chunk in read_chunks(path, local_kind(one), source, where):
            if looked_up is None or not source.lookup:
                yield chunk
            else:
                yield _joined(chunk, looked_up, source.lookup.key, source, where)


@contextmanager
def reading(path: Path, where: str) -> Iterator[None]:
    """Turn what a reader says of a malformed file into one line.

    Raises
    ------
    DataError
    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0]
        raise DataError(
            f"{where}: {path.name} cannot be read. Got: {first:.160} "
            f"Expected a well-formed {path.suffix} file. Mend or convert the file."
        ) from error


def _looked_up(lookup: Lookup, root: Path) -> pl.DataFrame:
    path = resolve(lookup.path, root)
    other = open_raw(path)
    names = other.collect_schema().names()
    if lookup.key not in names:
        raise _no_key(lookup.key, names)
    return other.unique(lookup.key, keep="first", maintain_order=True).collect()


def _joined(chunk: Chunk, other: pl.DataFrame, key: str, source: Source, where: str) -> Chunk:
    own = chunk.rows.columns
    if key not in own:
        raise _no_key(key, own)
    fresh = [name for name in other.columns if name == key or name not in own]
    rows = chunk.rows.join(other.select(fresh), on=key, how="left", maintain_order="left")
    check_wanted(rows.columns, source.reads, where)
    return Chunk(rows, chunk.rejected)


def _no_key(key: str, names: list[str]) -> InputMissingError:
    return InputMissingError(
        f"sources.yaml, lookup: no column {key!r} in both files. Got {', '.join(names)}. Fix `key`."
    )
