"""Does a file hold a person? Tables are read as tables: their compressed bytes show nothing."""

import bz2
import gzip
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any, cast

import polars as pl

from pipelines.erasure.person import Person
from pipelines.erasure.records import holds_record
from pipelines.intake.databases import quoted
from pipelines.intake.dialects import opened

PIECE_BYTES, OVERLAP_BYTES = 4 << 20, 512
SQLITE, PARQUET, ZIP = b"SQLite format 3\0", b"PAR1", b"PK\x03\x04"
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh")
SKIPPED = (".git", ".venv")


def files_below(root: Path) -> Iterator[Path]:
    """Every file, links not followed, without the history of git and the environment."""
    for path in sorted(root.iterdir()):
        if path.name in SKIPPED or path.is_symlink():
            continue
        if path.is_dir():
            yield from files_below(path)
        elif path.is_file():
            yield path


def is_named(path: Path, root: Path, person: Person) -> bool:
    """Whether the name of a file, or of a folder above it, holds the person."""
    pattern = person.pattern()
    return bool(pattern and re.search(pattern, str(path.relative_to(root))))


def holds(path: Path, person: Person, *, every: bool = False) -> bool:
    """Whether what a file says holds the person.

    Parameters
    ----------
    path : Path
    person : Person
    every : bool
        Take every text for the person's, as in a file that is known to be about them.
    """
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(PARQUET):
        return _in_table(path, person)
    if start.startswith(SQLITE):
        return any(count for _, _, count in cells_in_database(path, person))
    pattern = person.pattern(every=every)
    if start.startswith(ZIP):
        return bool(pattern) and _in_archive(path, pattern)
    return (bool(pattern) and _in_bytes(path, start, pattern)) or holds_record(path, person)


def matches(schema: pl.Schema, person: Person) -> pl.Expr:
    """Rows of a table that are about the person."""
    texts, telling = list(person.texts), list(person.telling)
    found = [pl.lit(False)]
    for name, dtype in schema.items():
        if dtype not in (pl.String, pl.Categorical, pl.Enum):
            continue
        cell = pl.col(name).cast(pl.String)
        own = cell.is_in(texts if name in person.columns else telling)
        pattern = person.pattern(every=name == "raw")
        found.append(own | cell.str.contains(pattern) if pattern else own)
    return pl.any_horizontal(*found).fill_null(False)


def cells_in_database(path: Path, person: Person) -> Iterator[tuple[str, str, int]]:
    """Table, column and number of the cells of a SQLite file that hold the person."""
    pattern = person.pattern()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        base.create_function("holds", 1, lambda v: _says(v, pattern), deterministic=True)
        for (table,) in base.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            columns = [row[1] for row in base.execute(f"PRAGMA table_info({quoted(table)})")]
            for column in columns:
                count = f"SELECT COUNT(*) FROM {quoted(table)} WHERE holds({quoted(column)})"
                yield table, column, base.execute(count).fetchone()[0]


def _says(value: object, pattern: str) -> bool:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return bool(pattern) and isinstance(text, str) and re.search(pattern, text) is not None


def _in_table(path: Path, person: Person) -> bool:
    rows = pl.scan_parquet(path, glob=False)
    found = rows.select(matches(rows.collect_schema(), person).any())
    return bool(found.collect(engine="streaming").item())


def _in_archive(path: Path, pattern: str) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(
            re.search(pattern, name) or _in_stream(cast("Any", archive.open(name)), pattern)
            for name in archive.namelist()
        )


def _in_bytes(path: Path, start: bytes, pattern: str) -> bool:
    if start.startswith(PACKED):
        unpack = {PACKED[0]: gzip.open, PACKED[2]: bz2.open}
        make = next((f for mark, f in unpack.items() if start.startswith(mark)), None)
        with make(path) if make else opened(path) as file:
            return _in_stream(cast("Any", file), pattern)
    with path.open("rb") as file:
        return _in_stream(file, pattern)


def _in_stream(file: "IO[bytes]", pattern: str) -> bool:
    """Search piece by piece, also for text of two bytes a sign."""
    sought = re.compile(pattern.encode("utf-8"))
    kept = b""
    while piece := file.read(PIECE_BYTES):
        whole = kept + piece
        if sought.search(whole) or (b"\0" in whole and sought.search(whole.replace(b"\0", b""))):
            return True
        kept = whole[-OVERLAP_BYTES:]
    return False
