"""Hostile files, each with the truth about its rows, and a judgement of what ingest made of them.

A row is *found* if it was accepted exactly as it is meant, is a duplicate, stands in quarantine
with its text, or its whole file was refused in one line.
"""

import csv
import gzip
import io
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features.errors import KeepwellError
from features.taxonomy import Taxonomy
from pipelines.ingest import ingest, read_events
from pipelines.intake.quarantine import read_quarantine
from pipelines.intake.sources import Business, Source, SourceCatalogue

COLUMNS = ("customer_id", "event_id", "occurred_at", "event_type", "value")
TAXONOMY = Taxonomy.model_validate(
    {"channels": ["web"], "events": {"order_completed": {"role": "value"}}}
)
NAMES = (
    "001",
    "1",
    "NA",
    "null",
    "None",
    "nan",
    "Ærø",
    "東京",
    "🛒",
    "a b",
    "‎x",
    "e\u0301",
    "-",
    "1e3",
    "007",
)
Row = tuple[str, ...]


class Case(NamedTuple):
    """A file: its name, its bytes, the marks of its rows, and what good rows must become.

    ``marks`` are ids of events, one a row that was written; ``exact`` maps those that are good to
    customer and cents.
    """

    name: str
    content: bytes
    marks: list[str]
    exact: dict[str, tuple[str, int]]
    settings: dict[str, object]


class Verdict(NamedTuple):
    """Counts of one file."""

    rows: int
    accepted: int
    duplicates: int
    quarantined: int
    refused_files: int
    rows_lost: int
    silent_coercions: int
    tracebacks: int
    reasons: dict[str, int]


def judge(case: Case, folder: Path) -> Verdict:
    """Ingest a file and hold the result against the truth."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / case.name).write_bytes(case.content)
    n = len(case.marks)
    try:
        account = ingest(folder, folder / "tables", _catalogue(case), TAXONOMY, 1000)[0]
    except KeepwellError as error:
        lost = n if "\n" in str(error) else 0
        return Verdict(n, 0, 0, 0, 1, lost, 0, 0, {})
    except Exception as error:  # a traceback is what is being counted
        print(case.name, repr(error)[:300], file=sys.stderr)
        return Verdict(n, 0, 0, 0, 0, n, 0, 1, {})
    events = read_events(folder / "tables").collect()
    found = {
        e: (c, v) for e, c, v in events.select("event_id", "customer_id", "value_cents").rows()
    }
    texts = "\n".join(read_quarantine(folder / "tables")["raw"])
    repeated = Counter(case.marks)
    lost = sum(mark not in found and mark not in texts for mark in repeated)
    wrong = sum(mark not in case.exact or found[mark] != case.exact[mark] for mark in found)
    if lost or wrong:
        shown = {m: (found.get(m), case.exact.get(m)) for m in repeated
                 if found.get(m) != case.exact.get(m) and m in found}  # fmt: skip
        print(case.name, case.content[:900], lost, wrong, shown, file=sys.stderr)
    balance = account["accepted"] + account["duplicates"] + account["quarantined"]
    lost += abs(account["rows_in"] - balance)
    return Verdict(
        n, account["accepted"], account["duplicates"], account["quarantined"], 0, lost, wrong, 0,
        dict(account["reasons"]),
    )  # fmt: skip


def _catalogue(case: Case) -> SourceCatalogue:
    source = Source.model_validate(
        {
            "table": "events",
            "path": case.name,
            "timezone": "UTC",
            "columns": {name: {"column": name} for name in COLUMNS},
            "contract": {"max_quarantined_rate": 1},
            **case.settings,
        }
    )
    business = Business(name="Hostile", timezone="UTC", currency="EUR")
    return SourceCatalogue(business=business, sources={"shop": source})


def _good(drawn: random.Random, count: int) -> tuple[list[Row], dict[str, tuple[str, int]]]:
    rows, exact = [], {}
    for number in range(count):
        cents = drawn.randrange(0, 10**7)
        mark = f"m{number:04d}{drawn.randrange(10**8):08d}"
        who = drawn.choice(NAMES)
        moment = f"2024-{drawn.randrange(1, 13):02d}-{drawn.randrange(1, 29):02d}T12:00:00Z"
        rows.append((who, mark, moment, "order_completed", f"{cents // 100}.{cents % 100:02d}"))
        exact[mark] = (who.replace("e\u0301", "\u00e9"), cents)
    return rows, exact


def _text(rows: list[Row], delimiter: str = ",", **style: object) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, **style)  # pyright: ignore[reportArgumentType]
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue()


def _case(
    rows: list[Row],
    exact: dict[str, tuple[str, int]],
    text: str | bytes,
    name: str = "a.csv",
    **settings: object,
) -> Case:
    content = text if isinstance(text, bytes) else text.encode()
    return Case(name, content, [row[1] for row in rows], exact, settings)


def dressed(drawn: random.Random) -> Case:
    """A sound file in any delimiter, encoding, quoting, line end and compression."""
    rows, exact = _good(drawn, drawn.randrange(1, 30))
    delimiter = drawn.choice(",;\t|")
    style = {
        "quoting": drawn.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        "lineterminator": drawn.choice(["\n", "\r\n"]),
    }
    content = _text(rows, delimiter, **style).encode(drawn.choice(["utf-8", "utf-8-sig", "utf-16"]))
    name = "a.csv"
    if drawn.random() < 0.3:
        content, name = gzip.compress(content), "a.csv.gz"
    return _case(rows, exact, content, name)


def ragged(drawn: random.Random) -> Case:
    """Some rows have a field too many or too few."""
    rows, exact = _good(drawn, drawn.randrange(2, 30))
    for number in range(len(rows)):
        if drawn.random() < 0.3:
            row = rows[number]
            exact.pop(row[1])
            rows[number] = (
                (*row, *["x"] * drawn.randrange(1, 4)) if drawn.random() < 0.5 else row[:-1]
            )
    if drawn.random() < 0.1:
        rows = [(*row[:5], "") for row in rows]
        exact = {}
    return _case(rows, exact, _text(rows))


def mistyped(drawn: random.Random) -> Case:
    """Cells that are no time, no amount, no id; out of range, empty, or of another kind."""
    rows, exact = _good(drawn, drawn.randrange(1, 30))
    bad = {
        0: ["", "  "],
        2: ["", "soon", "2024-13-01", "2024-02-30T00:00:00Z", "0001-01-01", "9999-12-31",
            "31/12/24", "1e400", "-1", "12", "2024-01-05T25:00:00Z"],
        3: ["", "teleported", "order_completed\x00"],
        4: ["", "a lot", "nan", "inf", "-inf", "1e400", "1e30", "12,50", "$5", "5 EUR", "--5",
            "0x10", "-3.00", "1.2.3", "١٢"],
    }  # fmt: skip
    for number, row in enumerate(rows):
        if drawn.random() < 0.4:
            column = drawn.choice(list(bad))
            cells = list(row)
            cells[column] = drawn.choice(bad[column])
            rows[number] = tuple(cells)
            exact.pop(row[1])
    return _case(rows, exact, _text(rows))


def repeated(drawn: random.Random) -> Case:
    """Rows twice, and ids that are used again for something else."""
    rows, exact = _good(drawn, drawn.randrange(1, 20))
    for row in list(rows):
        if drawn.random() < 0.3:
            rows.append(row)
        elif drawn.random() < 0.2:
            rows.append((*row[:4], "999999.99"))
            exact.pop(row[1])
    drawn.shuffle(rows)
    return _case(rows, exact, _text(rows))


def unclosed(drawn: random.Random) -> Case:
    """Quotes that are opened and never closed, stray ones, line breaks inside of fields."""
    rows, exact = _good(drawn, drawn.randrange(2, 20))
    lines = _text(rows, lineterminator="\n").splitlines()
    place = drawn.randrange(1, len(lines))
    fields = lines[place].split(",")
    column = drawn.randrange(len(fields))
    fields[column] = '"' + fields[column]
    lines[place] = ",".join(fields)
    if drawn.random() < 0.5 and place + 1 < len(lines):
        fields = lines[place + 1].split(",")
        fields[column] = '"' + fields[column]
        lines[place + 1] = ",".join(fields)
    if drawn.random() < 0.3:
        lines[-1] += ' "'
    return _case(rows, exact, "\n".join(lines) + "\n")


def damaged(drawn: random.Random) -> Case:
    """Bytes that were changed, cut off, or are of another encoding."""
    rows, exact = _good(drawn, drawn.randrange(1, 20))
    content = bytearray(_text(rows).encode())
    way = drawn.randrange(4)
    if way == 0:
        content = bytearray(_text(rows).encode("cp1252", errors="replace"))
        content[-1:] = b"\xff\n"
        return _case(rows, {}, bytes(content))
    if way == 1:
        return _case(
            rows, exact, gzip.compress(bytes(content))[: drawn.randrange(1, 60)], "a.csv.gz"
        )
    if way == 2:
        content[drawn.randrange(60, len(content))] = 0xFF
        return _case(rows, exact, bytes(content))
    return _case(rows, exact, b"PK\x03\x04" + bytes(content))


def headed(drawn: random.Random) -> Case:
    """Headers that are missing, doubled, empty or differ in case alone; files that are empty."""
    rows, exact = _good(drawn, drawn.randrange(0, 10))
    text = _text(rows, lineterminator="\n")
    body = text.split("\n", 1)[1]
    head = drawn.choice(
        ["", "\n", ",".join(COLUMNS[:4]), ",".join((*COLUMNS[:4], "VALUE ")), "a,b,c,d,e",
         ",".join((*COLUMNS[:4], "event_id")), ",".join((*COLUMNS[:4], "Event_ID")), ",,,,"]
    )  # fmt: skip
    return _case(rows, exact, f"{head}\n{body}" if head.strip() else head + body)


def objects(drawn: random.Random) -> Case:
    """JSON Lines with broken lines, repeated keys, nesting, numbers as ids and constants."""
    rows, exact = _good(drawn, drawn.randrange(1, 20))
    lines = []
    for row in rows:
        value = dict(zip(COLUMNS, row, strict=True))
        text = json.dumps(value, ensure_ascii=drawn.random() < 0.5)
        way = drawn.randrange(8)
        if way == 0:
            text = text[:-2]
        elif way == 1:
            text = text[:-1] + ', "value": "1"}'
        elif way == 2:
            text = f"[{text}]"
        elif way == 3:
            text = text.replace(f'"{row[4]}"', "NaN")
        if way < 4:
            exact.pop(row[1])
        elif way == 4:
            text = text.replace(f'"{row[4]}"', row[4])
        lines.append(text)
    return _case(rows, exact, "\n".join(lines) + "\n", "a.jsonl")


def typed(drawn: random.Random) -> Case:
    """Parquet with typed columns: integers as ids, empty cells, times without a zone."""
    rows, exact = _good(drawn, drawn.randrange(1, 30))
    table = pl.DataFrame(rows, schema=list(COLUMNS), orient="row").with_columns(
        pl.col("value").cast(pl.Float64),
        pl.col("occurred_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ"),
    )
    if drawn.random() < 0.5:
        table = table.with_columns(customer_id=pl.int_range(pl.len()) + 9007199254740993)
        exact = {m: (str(9007199254740993 + k), exact[m][1]) for k, m in enumerate(exact)}
    for number, row in enumerate(rows):
        if drawn.random() < 0.2:
            name = drawn.choice(["customer_id", "occurred_at", "event_type", "value"])
            table[number, name] = None
            exact.pop(row[1])
    out = io.BytesIO()
    table.write_parquet(out)
    content = out.getvalue()
    if drawn.random() < 0.1:
        content = content[: drawn.randrange(len(content))]
    return _case(rows, exact, content, "a.parquet")


FILES: tuple[Callable[[random.Random], Case], ...] = (
    dressed, ragged, mistyped, repeated, unclosed, damaged, headed, objects, typed,
)  # fmt: skip
