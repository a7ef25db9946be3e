"""How a text file is written: its encoding, its delimiter, and the names of its columns."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import pyarrow as pa

from features.errors import DataError, InputMissingError

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


class Dialect(NamedTuple):
    """How a text file is written: its encoding, delimiter and the names of its columns."""

    encoding: str
    delimiter: str
    header: list[str]
    only_header: bool


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
        raise undecodable(path, where, known, error) from error
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

    with opened(path) as file:
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
        with opened(path) as file:
            return file.read(PEEK_BYTES)
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(
            f"{where}: {path.name} cannot be opened. Got: {str(error).splitlines()[0]:.120}. "
            f"Expected a whole file. Fetch it again."
        ) from error


def opened(path: Path) -> "IO[bytes] | pa.NativeFile":
    """Bytes of a file, decompressed as its ending says."""
    return pa.input_stream(path, compression="detect")


def undecodable(path: Path, where: str, encoding: str, error: Exception) -> DataError:
    """What to say of a file that is not in its encoding; where, and what it looks like."""
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
    with opened(path) as raw, io.TextIOWrapper(cast("Any", raw), encoding, newline="\n") as text:
        yield iter(text)
