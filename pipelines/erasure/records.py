"""Files of records as text: a row for each line or quoted block, or an object for each line."""

import codecs
import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow as pa

from features.errors import DataError
from pipelines.erasure.person import Person
from pipelines.intake.dialects import DELIMITERS, dialect, opened
from pipelines.intake.readers import COMPRESSED, ENDINGS
from pipelines.tables import replacing

PACKING = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}


class Form(NamedTuple):
    """How a file of records is written."""

    kind: str
    encoding: str
    delimiter: str


def form_of(path: Path, declared: Form | None = None) -> Form | None:
    """How a file is written, or None where it is no text of records."""
    if declared:
        return declared
    plain = path.with_suffix("") if path.suffix.lower() in COMPRESSED else path
    kind = ENDINGS.get(plain.suffix.lower())
    if kind == "jsonl":
        return Form(kind, "utf-8", "")
    if kind != "csv":
        return None
    try:
        found = dialect(path, "", delimiter=None, encoding=None, wanted=[])
        with _text(path, found.encoding) as lines:
            header = next(iter(lines), "")
    except (DataError, OSError, UnicodeDecodeError):
        return None
    return Form(kind, found.encoding, max(DELIMITERS, key=header.count))


def holds_record(path: Path, person: Person, declared: Form | None = None) -> bool:
    """Whether a text file has a record about the person."""
    form = form_of(path, declared)
    if form is None:
        return False
    try:
        with _text(path, form.encoding) as lines:
            return any(about for about, _ in _records(lines, form, person))
    except (UnicodeDecodeError, csv.Error, OSError, pa.ArrowException):
        return False


def drop_records(path: Path, person: Person, declared: Form | None = None) -> int:
    """Write a text file again without the records about the person; every other byte stays.

    Returns
    -------
    int
        How many records went.
    """
    form = form_of(path, declared)
    if form is None:
        return 0
    gone = 0
    mode = path.stat().st_mode & 0o777
    with _text(path, form.encoding) as lines, replacing(path) as unfinished:
        with _packed(unfinished, path.suffix.lower(), form.encoding) as out:
            for about, text in _records(lines, form, person):
                gone += about
                out.write("" if about else text)
        unfinished.chmod(mode)
    return gone


def drop_lines(path: Path, pattern: str) -> None:
    """Write a log again without the lines that match."""
    kept = [line for line in path.read_text("utf-8", "replace").splitlines(keepends=True)
            if not re.search(pattern, line)]  # fmt: skip
    with replacing(path) as unfinished:
        unfinished.write_text("".join(kept), "utf-8")


def _records(lines: Iterable[str], form: Form, person: Person) -> Iterator[tuple[bool, str]]:
    return _objects(lines, person) if form.kind == "jsonl" else _rows(lines, form, person)


def _rows(lines: Iterable[str], form: Form, person: Person) -> Iterator[tuple[bool, str]]:
    """Each row of delimited text as it is written, and whether it is about the person."""
    taken: list[str] = []

    def noted() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    telling, header = person.telling, None
    for cells in csv.reader(noted(), delimiter=form.delimiter):
        text = "".join(taken)
        taken.clear()
        if header is None:
            header = [name.strip("\ufeff ") for name in cells]
            yield False, text
            continue
        plain = [cell.strip().removeprefix("'") for cell in cells]  # safe for spreadsheets
        named = {c for n, c in zip(header, plain, strict=False) if n in person.columns}
        every = set(plain)
        yield bool(named & person.texts or every & telling or _inside(every, person)), text
    if taken:
        yield False, "".join(taken)


def _inside(cells: set[str], person: Person) -> bool:
    """Whether an address stands in a cell in other letters."""
    addresses = {text.lower() for text in person.texts if "@" in text}
    return any(cell.lower() in addresses for cell in cells) if addresses else False


def _objects(lines: Iterable[str], person: Person) -> Iterator[tuple[bool, str]]:
    for line in lines:
        try:
            said = json.loads(line.removeprefix("\ufeff"))
        except json.JSONDecodeError:
            yield False, line
            continue
        yield _about(said, "", person), line


def _about(value: Any, path: str, person: Person) -> bool:
    if isinstance(value, dict):
        return any(_about(v, f"{path}.{k}" if path else k, person) for k, v in value.items())
    if isinstance(value, list):
        return any(_about(v, path, person) for v in value)
    text = str(value)
    return text in (person.texts if path in person.columns else person.telling)


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[Iterator[str]]:
    with opened(path) as raw, io.TextIOWrapper(cast("Any", raw), encoding, newline="") as text:
        yield iter(text)


@contextmanager
def _packed(path: Path, ending: str, encoding: str) -> Iterator[codecs.StreamWriter]:
    packing = PACKING.get(ending)
    with (
        pa.output_stream(os.fspath(path), compression=packing) as raw,
        codecs.getwriter(encoding)(cast("Any", raw)) as text,
    ):
        yield text
