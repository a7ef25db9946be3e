"""A first look at a file that nobody has described: encoding, delimiter, and a sample of rows."""

import codecs
import csv
import io
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features.errors import DataError, InputMissingError
from pipelines.intake.raw import open_raw, reading

TEXT_ENDINGS = (".csv", ".tsv", ".txt")
HEAD_ROWS, SPREAD_ROWS = 50_000, 100_000
PEEK_BYTES, BLOCK_BYTES = 1 << 18, 1 << 22
SNIFFED_LINES = 200
DELIMITERS = (",", ";", "\t", "|")
MARKS = {codecs.BOM_UTF8: None, codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
PACKED = {b"PK\x03\x04": "a zip or Excel file", b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "old Excel"}


class Sample(NamedTuple):
    """Rows of a file, as text where the file is text.

    Attributes
    ----------
    path : Path
    head : table
        The first rows, in the order of the file.
    spread : table
        Rows from all over the file.
    height : int
        Rows of the whole file.
    delimiter, encoding : str or None
        Of a text file; None for a comma and UTF-8, and for others.
    """

    path: Path
    head: pl.DataFrame
    spread: pl.DataFrame
    height: int
    delimiter: str | None
    encoding: str | None

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return self.head.columns

    def opened(self) -> pl.LazyFrame:
        """All rows of the file, lazily."""
        return open_raw(self.path, self.delimiter or ",", self.encoding or "utf-8")


def take_sample(path: Path, option: str) -> Sample:
    """Open a file and read a sample of it.

    Parameters
    ----------
    path : Path
    option : str
        The option that named it, for messages.

    Raises
    ------
    InputMissingError
        If there is no such file.
    DataError
        If it is empty, not a table, or cannot be read; says what it is.
    """
    where = f"{option} {path.name}"
    if not path.is_file():
        raise InputMissingError(f"{option}: file not found. Got {path}. Expected a file.")
    if not path.stat().st_size:
        raise DataError(f"{where}: the file is empty. Expected a header and rows.")
    delimiter = encoding = None
    if path.suffix.lower() in TEXT_ENDINGS:
        encoding = _encoding(path, where)
        delimiter = _delimiter(path, encoding, where)
    with reading(path, option):
        frame = open_raw(path, delimiter or ",", encoding or "utf-8")
        count: int = frame.select(pl.len()).collect().item()
        if not count:
            raise DataError(f"{where}: no rows below the header. Expected at least one.")
        head = frame.head(HEAD_ROWS).collect()
        every = max(1, count // SPREAD_ROWS)
        spread = head if count <= HEAD_ROWS else frame.gather_every(every).collect()
    return Sample(path, head, spread, count, delimiter, encoding)


def _encoding(path: Path, where: str) -> str | None:
    """None, for UTF-8, if the whole file is; otherwise what Windows writes in western Europe."""
    with path.open("rb") as file:
        start = file.read(PEEK_BYTES)
        marked = [name for mark, name in MARKS.items() if start.startswith(mark)]
        if marked:
            return marked[0]
        _refuse_binary(start, where)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            while block := file.read(BLOCK_BYTES):
                decoder.decode(block)
        except UnicodeDecodeError:
            return "cp1252"
    return None


def _refuse_binary(start: bytes, where: str) -> None:
    packed = next((name for mark, name in PACKED.items() if start.startswith(mark)), None)
    if packed or b"\x00" in start:
        raise DataError(
            f"{where}: not a text file. Got {packed or 'binary data'}. "
            f"Expected CSV or Parquet. Export the table as CSV (UTF-8)."
        )


def _delimiter(path: Path, encoding: str | None, where: str) -> str | None:
    """The sign that cuts most lines into as many fields as the first."""
    with path.open("rb") as file:
        decoder = codecs.getincrementaldecoder(encoding or "utf-8")(errors="replace")
        text = decoder.decode(file.read(PEEK_BYTES))
    lines = text.splitlines()[:SNIFFED_LINES]
    best = max(DELIMITERS, key=lambda sign: _fit(lines, sign))
    header = next(csv.reader(io.StringIO(lines[0].lstrip("\ufeff")), delimiter=best), [])
    if len(header) < 2:
        raise DataError(
            f"{where}: only one column. Got a first line without comma, semicolon, tab or bar. "
            f"Expected a table with a customer and a time. Export it as CSV."
        )
    if all(not any(c.isalpha() for c in name) for name in header):
        raise DataError(
            f"{where}: no header. Got a first line without a letter. "
            f"Expected names of columns. Add a first line with names."
        )
    return None if best == "," else best


def _fit(lines: list[str], sign: str) -> tuple[float, int]:
    widths = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
    if not widths or widths[0] < 2:
        return (0.0, 0)
    return (sum(w == widths[0] for w in widths) / len(widths), widths[0])
