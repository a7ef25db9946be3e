"""Delimited text, row by row as it is: every field text, every ragged row kept with its number.

Arrow's reader parses; what is added here is what it leaves to its caller: encodings, delimiters,
headers that name a column twice, and quotes that were never closed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from features.errors import DataError
from pipelines.intake.dialects import Dialect, opened, undecodable

BLOCK_BYTES = 16 << 20
ROW = "__row__"
RAGGED, SWALLOWED = "field_count", "open_quote"
REJECTED = {ROW: pl.Int64, "reason": pl.String, "raw": pl.String}


class Chunk(NamedTuple):
    """Rows as they were read, numbered in ``__row__``, and those that the reader rejects.

    ``rejected`` has ``__row__``, ``reason`` and ``raw``.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame


def chunks(path: Path, where: str, found: Dialect) -> Iterator[Chunk]:
    """Rows of a delimited file, block by block, in order.

    Parameters
    ----------
    path : Path
        May be compressed: ``.gz``, ``.zst``, ``.bz2``.
    where : str
        For messages.
    found : Dialect

    Raises
    ------
    DataError
        If the file cannot be decoded or parsed; names the byte or the line.
    """
    if found.only_header:
        yield Chunk(_nothing(found.header), _rejected([]))
        return
    ragged: list[tuple[int, str]] = []
    try:
        with _reader(path, found, ragged) as reader:
            yield from _numbered(reader, ragged, found, where)
    except (pa.ArrowInvalid, UnicodeDecodeError, EOFError, OSError) as error:
        raise _unreadable(path, where, found, error) from error


def _reader(
    path: Path, found: Dialect, ragged: list[tuple[int, str]]
) -> arrow_csv.CSVStreamingReader:
    def keep(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number - 1, row.text))
        return "skip"

    reading = arrow_csv.ReadOptions(
        use_threads=False,  # in one thread rows carry their number
        block_size=BLOCK_BYTES,
        column_names=found.header,
        skip_rows_after_names=1,
        encoding=found.encoding,
    )
    parsing = arrow_csv.ParseOptions(
        delimiter=found.delimiter, newlines_in_values=True, invalid_row_handler=keep
    )
    converting = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(found.header, pa.binary()),
        null_values=[""],
        strings_can_be_null=True,
    )
    return arrow_csv.open_csv(
        opened(path),
        read_options=reading,
        parse_options=parsing,
        convert_options=converting,
    )


def _numbered(
    reader: arrow_csv.CSVStreamingReader,
    ragged: list[tuple[int, str]],
    found: Dialect,
    where: str,
) -> Iterator[Chunk]:
    """Give the rows their numbers: the reader counts all, and hands over the good ones."""
    following = 1
    for batch in reader:
        bad = ragged[:]
        ragged.clear()
        taken = [number for number, _ in bad]
        reach = np.arange(following, following + batch.num_rows + len(taken))
        numbers = np.setdiff1d(reach, taken, assume_unique=True)[: batch.num_rows]
        last = max([*taken, int(numbers[-1])] if batch.num_rows else taken, default=following - 1)
        following = last + 1
        rows = _text(batch, numbers, found, where)
        texts = [n for n, c in zip(found.header, batch.columns, strict=True) if _has_break(c)]
        yield _without_swallowed(rows, _rejected(bad), found, texts)
    if ragged:
        yield Chunk(_nothing(found.header), _rejected(ragged))


def _nothing(header: list[str]) -> pl.DataFrame:
    return pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(header, pl.String)})


def _rejected(ragged: list[tuple[int, str]]) -> pl.DataFrame:
    rows = [(number, RAGGED, text) for number, text in ragged]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")


def _text(batch: pa.RecordBatch, numbers: np.ndarray, found: Dialect, where: str) -> pl.DataFrame:
    columns = [_decoded(batch.column(k), numbers, name, where)
               for k, name in enumerate(found.header)]  # fmt: skip
    rows = pl.from_arrow(pa.table(columns, names=found.header))
    assert isinstance(rows, pl.DataFrame)
    return rows.insert_column(0, pl.Series(ROW, numbers))  # pa.array(numbers) would load pandas


def _decoded(column: pa.Array, numbers: np.ndarray, name: str, where: str) -> pa.Array:
    try:
        return pc.cast(column, pa.string_view())
    except pa.ArrowInvalid:
        for number, field in zip(numbers, column, strict=True):
            value = field.as_py()
            try:
                (value or b"").decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{where}: not valid UTF-8. Got byte 0x{value[error.start]:02x} in row "
                    f"{number}, column {name!r}. Expected UTF-8, or `encoding:` in the source, for "
                    f"example cp1252. Declare it, or export as UTF-8."
                ) from error
        raise


def _without_swallowed(
    rows: pl.DataFrame, rejected: pl.DataFrame, found: Dialect, texts: list[str]
) -> Chunk:
    """Reject rows of which a field holds a line break and as many delimiters as a whole row.

    An opening quote without its end swallows the lines up to the next quote, and the field count
    may still fit: then exactly so many delimiters are inside.
    """
    if not texts:
        return Chunk(rows, rejected)
    cuts = max(len(found.header) - 1, 1)
    swallowed = pl.any_horizontal(
        pl.col(name).str.contains("\n", literal=True)
        & (pl.col(name).str.count_matches(found.delimiter, literal=True) >= cuts)
        for name in texts
    ).fill_null(False)
    bad = rows.filter(swallowed)
    body = pl.struct(pl.col(found.header)).struct.json_encode()
    found_bad = bad.select(ROW, pl.lit(SWALLOWED).alias("reason"), body.alias("raw"))
    return Chunk(rows.filter(~swallowed), pl.concat([rejected, found_bad]))


def _has_break(column: pa.Array) -> bool:
    """Whether any field of a column of bytes holds a line break: one search through all of them."""
    content = column.buffers()[-1]
    return content is not None and b"\n" in content.to_pybytes()


def _unreadable(path: Path, where: str, found: Dialect, error: Exception) -> DataError:
    if isinstance(error, UnicodeDecodeError):
        return undecodable(path, where, found.encoding, error)
    said = str(error).splitlines()[0]
    if "straddling" in said:
        return DataError(
            f"{where}: {path.name} has a row longer than {BLOCK_BYTES:,} bytes. Often a quote that "
            f"is opened and never closed. Mend the row, or export the file again."
        )
    return DataError(
        f"{where}: {path.name} cannot be read. Got: {said:.160} Expected a well-formed file with "
        f"the delimiter {found.delimiter!r}. Mend or export the file again."
    )
