"""Re-read a platform's import file and say what the platform would refuse, by the rule's name.

Findings carry lines, columns and counts, never a cell: the file holds personal data.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from delivery.cells import ANY_SHA256, form_fault
from delivery.platforms import CONSENT, DELIMITERS, Platform, PlatformCatalogue, PlatformColumn
from delivery.rules import RULES

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
HELD_OUT = ("arm", "keepwell_arm")
PRIVATE = re.compile(r"(keepwell_)?(reason(_\d)?|churn_reason|complaint)s?")
Header = tuple[str, ...]


class Finding(NamedTuple):
    """A rule that a file breaks, where first, and how often.

    Attributes
    ----------
    rule : str
        A key of `delivery.rules.RULES`.
    column : str
        Header; empty where it is about the whole file or row.
    line : int
        First line, the header being 1; 0 where it is about the whole file.
    times : int
    """

    rule: str
    column: str
    line: int
    times: int

    @property
    def sentence(self) -> str:
        """What is wrong, where and how often, and what to do."""
        place = f"line {self.line}" if self.line else "the file"
        where = f"{place}, {self.column}" if self.column else place
        often = f" ({self.times:,} times)" if self.times > 1 else ""
        return f"{self.rule}: {where}: {RULES[self.rule]}{often}"


Broken = tuple[str, str, int]


def check_file(
    name: str, content: bytes, platform: Platform, catalogue: PlatformCatalogue, today: date
) -> list[Finding]:
    """Everything for which a platform would refuse a file; empty where it would take it.

    Parameters
    ----------
    name : str
        The file's name; its ending says how cells are separated.
    content : bytes
    platform : Platform
    catalogue : PlatformCatalogue
        That it stands in.
    today : date
        Times after it lie in the future.
    """
    times: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], int] = {}
    for rule, column, line in _broken(name, content, platform, catalogue, today):
        times[rule, column] += 1
        first.setdefault((rule, column), line)
    return [Finding(*key, line=first[key], times=number) for key, number in times.items()]


def _broken(
    name: str, content: bytes, platform: Platform, catalogue: PlatformCatalogue, today: date
) -> Iterator[Broken]:
    ending = name.rpartition(".")[2].lower()
    if ending not in platform.extensions:
        yield "extension", "", 0
    if platform.limits.bytes and len(content) > platform.limits.bytes:
        yield "file_bytes", "", 0
    text, faults = _decoded(content)
    yield from faults
    if text is None:
        return
    rows = csv.reader(
        io.StringIO(text, newline=""), delimiter=DELIMITERS.get(ending, ","), strict=True
    )
    try:
        header = tuple(next(rows, ()))
        if not any(header):
            yield "no_header", "", 0
            return
        yield from _header_faults(header, platform, catalogue)
        yield from _row_faults(rows, header, platform, catalogue, today)
    except csv.Error:
        yield "quoting", "", rows.line_num


def _decoded(content: bytes) -> tuple[str | None, list[Broken]]:
    # Text of UTF-16 without a mark is every other byte zero.
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[:200].count(0) > 50:
        return None, [("encoding", "", 0)]
    faults: list[Broken] = []
    if content[:3] == b"\xef\xbb\xbf":
        faults, content = [("byte_order_mark", "", 1)], content[3:]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return None, [*faults, ("encoding", "", content[: error.start].count(b"\n") + 1)]
    if found := CONTROLS.search(text):
        faults.append(("control_character", "", text.count("\n", 0, found.start()) + 1))
        text = CONTROLS.sub("", text)
    pairs, feeds, returns = text.count("\r\n"), text.count("\n"), text.count("\r")
    if returns > pairs or 0 < pairs < feeds:
        faults.append(("line_ends", "", 0))
    return text, faults


def _header_faults(
    header: Header, platform: Platform, catalogue: PlatformCatalogue
) -> Iterator[Broken]:
    known = catalogue.columns_of(platform)
    folded = {" ".join(name.split()).casefold(): name for name in known}
    if len(header) == 1 and re.search(r"[;\t|,]", header[0]):
        yield "delimiter", "", 1
        return
    for name, times in Counter(header).items():
        if not name:
            yield "header_empty", "", 1
        elif times > platform.repeatable.get(name, 1):
            yield "header_duplicate", name, 1
        elif name != " ".join(name.split()):
            yield "header_space", name.strip(), 1
        elif name not in known and name.casefold() in folded:
            yield "header_case", name, 1
        elif PRIVATE.fullmatch(name.casefold()):
            yield "private_column", name, 1
        elif name not in known and not platform.own_fields:
            yield "header_unknown", name, 1
    if platform.limits.columns and len(header) > platform.limits.columns:
        yield "column_count", "", 1
    yield from _missing_headers(header, known)
    yield from _identifier_headers(header, platform)


def _missing_headers(header: Header, known: dict[str, PlatformColumn]) -> Iterator[Broken]:
    for name, column in known.items():
        if name not in header and (column.filled_with in header):
            yield "consent_missing" if name == CONSENT else "header_missing", name, 1


def _identifier_headers(header: Header, platform: Platform) -> Iterator[Broken]:
    present = _groups(header, platform)
    if not present:
        yield "identifier_header", "", 1
        return
    if platform.one_identifier and len(present) > 1:
        yield "identifier_several", "", 1
    at = {"first": header[0], "last": header[-1]}.get(platform.identifier_at)
    if at is not None and all(at not in group for group in present):
        yield "identifier_place", "", 1


def _groups(header: Header, platform: Platform) -> list[tuple[str, ...]]:
    """Identifiers that the file has, the platform's preference first."""
    return [group for group in platform.identifiers if set(group) <= set(header)]


def _row_faults(
    rows: Iterator[list[str]],
    header: Header,
    platform: Platform,
    catalogue: PlatformCatalogue,
    today: date,
) -> Iterator[Broken]:
    known = catalogue.columns_of(platform)
    columns = [known.get(name, PlatformColumn(header=name or "?")) for name in header]
    required = {c.header for c in columns if c.filled or (c.filled_with in header)}
    seen: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    count, line = 0, 1
    hashed: dict[str, set[bool]] = {}
    for cells in rows:
        count, line = count + 1, line + 1
        if len(cells) != len(header):
            yield "cell_count", "", line
            continue
        yield from (
            (rule, name, line) for rule, name in _cell_faults(cells, columns, platform, today)
        )
        row = _joined(header, cells)
        yield from ((rule, name, line) for rule, name in _row_rules(row, required, platform, seen))
        for name in hashed_or_plain(columns):
            if row[name]:
                hashed.setdefault(name, set()).add(bool(ANY_SHA256.fullmatch(row[name])))
    yield from (("mixed_hashing", name, 0) for name, both in hashed.items() if len(both) > 1)
    yield from _count_faults(count, platform)


def hashed_or_plain(columns: list[PlatformColumn]) -> list[str]:
    """Headers whose cells may be hashed or not, but all alike."""
    return [c.header for c in columns if c.holds in ("email_or_sha256", "phone_or_sha256")]


def _joined(header: Header, cells: list[str]) -> dict[str, str]:
    """Cells by header; of columns that repeat, the first that is filled."""
    row: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=True):
        row[name] = row.get(name) or cell
    return row


def _cell_faults(
    cells: list[str], columns: list[PlatformColumn], platform: Platform, today: date
) -> Iterator[tuple[str, str]]:
    most = platform.limits.cell_bytes
    for cell, column in zip(cells, columns, strict=True):
        if not cell:
            continue
        if "\n" in cell or "\r" in cell:
            yield "cell_line_break", column.header
        if platform.plain_cells and ("," in cell or '"' in cell):
            yield "cell_comma_or_quote", column.header
        if most and len(cell) * 4 > most and len(cell.encode()) > most:
            yield "cell_bytes", column.header
        if column.header in HELD_OUT and cell.casefold() in ("holdout", "held_out", "control"):
            yield "held_out", column.header
        if fault := form_fault(cell, column, today):
            yield fault, column.header


def _row_rules(
    row: dict[str, str],
    required: set[str],
    platform: Platform,
    seen: dict[tuple[str, ...], set[tuple[str, ...]]],
) -> Iterator[tuple[str, str]]:
    for name in sorted(required):
        if not row[name].strip():
            yield "consent_missing" if name == CONSENT else "cell_empty", name
    group = [row[name] for name in platform.complete if name in row]
    if any(group) and not (all(group) and len(group) == len(platform.complete)):
        yield "incomplete_group", platform.complete[0]
    filled = [g for g in _groups(tuple(row), platform) if all(row[name].strip() for name in g)]
    if not filled:
        yield "identifier_missing", ""
    for names in filled:
        key = tuple(row[name].strip().casefold() for name in names)
        if key in seen.setdefault(names, set()):
            yield "identifier_duplicate", names[0]
        seen[names].add(key)


def _count_faults(count: int, platform: Platform) -> Iterator[Broken]:
    limits = platform.limits
    if count == 0:
        yield "no_rows", "", 0
    elif count < limits.min_rows:
        yield "too_few_rows", "", 0
    elif limits.rows and count > limits.rows:
        yield "too_many_rows", "", 0
