"""Delimited text, row by row as it is: every field text, every ragged row kept with its number.

Arrow's reader parses; what is added here is what it leaves to its caller: encodings, delimiters,
headers that name a column twice, and quotes that were never closed.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from features.errors import DataError, InputMissingError

BLOCK_BYTES = 16 << 20
PEEK_BYTES = 1 << 20
MOST_COLUMNS = 10_000
DELIMITERS = (",", ";", "\t", "|")
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ROW = "__row__"
RAGGED, SWALLOWED = "field_count", "open_quote"
REJECTED = {ROW: pl.Int64, "reason": pl.String, "raw": pl.String}


class Chunk(NamedTuple):
    """Rows as they were read, numbered in ``__row__``, and those that the reader rejects.

    ``rejected`` has ``__row__``, ``reason`` and ``raw``.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame


class Dialect(NamedTuple):
    """How a text file is written: its encoding, delimiter and the names of its columns."""

    encoding: str
    delimiter: str
    header: list[str]
    only_header: bool


def chunks(
    path: Path, where: str, *, delimiter: str | None, encoding: str | None, wanted: list[str]
) -> Iterator[Chunk]:
    """Rows of a delimited file, block by block, in order.

    Parameters
    ----------
    path : Path
        May be compressed: ``.gz``, ``.zst``, ``.bz2``.
    where : str
        For messages.
    delimiter, encoding : str or None
        None: found out (see `dialect`).
    wanted : list of str
        Columns that are needed; they tell the delimiter.

    Raises
    ------
    DataError
        If the file cannot be decoded or parsed; names the byte or the line.
    """
    found = dialect(path, where, delimiter=delimiter, encoding=encoding, wanted=wanted)
    if found.only_header:
        yield Chunk(_nothing(found.header), _rejected([]))
        return
    ragged: list[tuple[int, str]] = []
    try:
        with _reader(path, found, ragged) as reader:
            yield from _numbered(reader, ragged, found, where)
    except (pa.ArrowInvalid, UnicodeDecodeError, EOFError, OSError) as error:
        raise _unreadable(path, where, found, error) from error


def dialect(
    path: Path, where: str, *, delimiter: str | None, encoding: str | None, wanted: list[str]
) -> Dialect:
    """How a file is written, from its first bytes.

    A byte order mark tells the encoding, otherwise it is UTF-8 unless declared. The delimiter is
    the one of comma, semicolon, tab and bar with which the header names the most wanted columns.

    Raises
    ------
    DataError
        If the file is empty, cannot be decoded, or its header names a column twice.
    """
    start = _start(path, where)
    known = encoding or next((n for mark, n in MARKS.items() if start.startswith(mark)), "utf-8")
    try:
        decoder = codecs.getincrementaldecoder(known)()
        text = decoder.decode(start).lstrip("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        raise _undecodable(path, where, known, error) from error
    if not text.strip():
        raise DataError(f"{where}: {path.name} is empty. Expected a header and rows.")
    candidates = {delimiter: _header(text, delimiter)} if delimiter else _headers(text)
    best = max(candidates, key=lambda d: (len(set(wanted) & set(candidates[d])), d == ","))
    header = candidates[best]
    _check_header(header, path, where)
    lines = text.count("\n") + text.count("\r") if len(start) < PEEK_BYTES else 2
    only = lines == 0 or (len(start) < PEEK_BYTES and _is_only_header(text, best))
    return Dialect(known, best, header, only)


def likely_encoding(path: Path) -> str | None:
    """What a text file's bytes look like, by charset-normalizer; a guess for a person to check."""
    from charset_normalizer import from_bytes

    with _opened(path) as file:
        best = from_bytes(file.read(PEEK_BYTES)).best()
    return best.encoding if best else None


def _headers(text: str) -> dict[str, list[str]]:
    return {delimiter: _header(text, delimiter) for delimiter in DELIMITERS}


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_only_header(text: str, delimiter: str) -> bool:
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        return sum(1 for row in rows if row) < 2
    except csv.Error:
        return False


def _check_header(header: list[str], path: Path, where: str) -> None:
    if len(header) > MOST_COLUMNS:
        raise DataError(
            f"{where}: {path.name} has {len(header):,} columns. Expected at most {MOST_COLUMNS:,}."
        )
    folded = [name.strip().casefold() for name in header]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if twice:
        raise DataError(
            f"{where}: the header of {path.name} names a column twice (case aside). "
            f"Got {', '.join(repr(n) for n in twice[:3])}. Expected different names. Rename one."
        )


def _start(path: Path, where: str) -> bytes:
    try:
        with _opened(path) as file:
            return file.read(PEEK_BYTES)
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(
            f"{where}: {path.name} cannot be opened. Got: {str(error).splitlines()[0]:.120}. "
            f"Expected a whole file. Fetch it again."
        ) from error


def _opened(path: Path) -> "IO[bytes] | pa.NativeFile":
    """Bytes of a file, decompressed as its ending says."""
    return pa.input_stream(path, compression="detect")


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
        _opened(path),
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
        yield _without_swallowed(rows, _rejected(bad), found)
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
    table = pa.table([pa.array(numbers), *columns], names=[ROW, *found.header])
    rows = pl.from_arrow(table)
    assert isinstance(rows, pl.DataFrame)
    return rows


def _decoded(column: pa.Array, numbers: np.ndarray, name: str, where: str) -> pa.Array:
    try:
        return pc.cast(column, pa.large_string())
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


def _without_swallowed(rows: pl.DataFrame, rejected: pl.DataFrame, found: Dialect) -> Chunk:
    """Reject rows of which a field holds a line break and as many delimiters as a whole row.

    An opening quote without its end swallows the lines up to the next quote, and the field count
    may still fit: then exactly so many delimiters are inside.
    """
    texts = [name for name in found.header if _has_break(rows[name])]
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


def _has_break(column: pl.Series) -> bool:
    return bool(column.str.contains("\n", literal=True).any())


def _unreadable(path: Path, where: str, found: Dialect, error: Exception) -> DataError:
    if isinstance(error, UnicodeDecodeError):
        return _undecodable(path, where, found.encoding, error)
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


def _undecodable(path: Path, where: str, encoding: str, error: Exception) -> DataError:
    if isinstance(error, LookupError):
        return DataError(
            f"{where}: unknown encoding. Got {encoding!r}. Expected a name that Python knows, for "
            f"example utf-8, utf-16 or cp1252. Fix `encoding:`."
        )
    at = f"byte {error.start:,}" if isinstance(error, UnicodeDecodeError) else "some bytes"
    likely = likely_encoding(path)
    looks = f" It looks like {likely}." if likely else ""
    return DataError(
        f"{where}: {path.name} is not {encoding}. Got {at} that it does not allow.{looks} "
        f"Declare `encoding:` in the source, or export the file as UTF-8."
    )


def check_wanted(header: list[str], wanted: list[str], where: str) -> None:
    """Refuse a file that does not have the columns that a source reads.

    Raises
    ------
    InputMissingError
        Names those that are missing and those that are there.
    """
    missing = [name for name in wanted if name not in header]
    if missing:
        raise InputMissingError(
            f"{where}: column not found. Got {', '.join(missing)}. The file has "
            f"{len(header)} columns: {', '.join(header):.300}. Fix the mapping or the delimiter, "
            f"or `keepwell init` again."
        )


@contextmanager
def lines(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    """Lines of a text file, decompressed and decoded.

    Raises
    ------
    UnicodeDecodeError
        If the text is not in that encoding.
    """
    with _opened(path) as raw, io.TextIOWrapper(cast("Any", raw), encoding, newline="\n") as text:
        yield iter(text)
