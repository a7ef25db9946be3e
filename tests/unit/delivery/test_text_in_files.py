"""Whatever text a company holds: no formula in a file, and the text can be read back."""

import csv
import io
import random
import re
import shutil
import subprocess
import zipfile
from datetime import date
from xml.etree import ElementTree as ET

import openpyxl
import polars as pl
import pytest

from delivery import formats
from delivery.canonical import action_columns, action_rows, typed_actions
from delivery.csv_cells import FORMULA, clean_text, csv_text
from delivery.facts import report_facts
from delivery.workbook import workbook_bytes

TEXTS = 10_000
MOVES = {"stage_before": pl.String, "stage_now": pl.String, "customers": pl.Int64}
LEADS = [
    "=", "+", "-", "@", "\t=", "\r=", "\n@", "\x00=", " =", "'=", "''+",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}", "\N{ZERO WIDTH SPACE}=", "\ufeff=", "\N{NO-BREAK SPACE}-", "'", "",
    "", "", "\N{RIGHT-TO-LEFT OVERRIDE}", "0", "00", "_x0041_", "{=", "%", "|",
]  # fmt: skip
PIECES = [
    "HYPERLINK(\"http://example.org\")", "1+1", "cmd|' /C calc'!A0", "SUM(A1:A9)", "007", "1e5",
    "Zo\xeb", "\u0645\u0631\u062d\u0628\u0627", "\N{FACE WITH TEARS OF JOY}",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}", "a,b", 'say "hi"', "a;b", "\x07", "\x1b[31m", "\x85",
    "\u2028",
    "\ufffe", "<b>&amp;</b>", "2026-01-01", "TRUE", "NULL", "NA", "#REF!", "1,5", "line\nline",
    "e\N{COMBINING ACUTE ACCENT}", "_x000D_", "https://example.org", "mailto:a@example.org", " ",
]  # fmt: skip
APOSTROPHE = re.compile(re.sub(r"\\x\{(\w+)\}", lambda m: "\\u" + m[1].zfill(4), FORMULA))
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def fuzzed() -> list[str]:
    draw = random.Random(7)
    made = [
        draw.choice(LEADS) + "".join(draw.choices(PIECES, k=draw.randint(0, 4)))
        for _ in range(TEXTS - 20)
    ]
    return made + [
        draw.choice(LEADS) + draw.choice("aZ\u0639\N{PILE OF POO}") * 40_000 for _ in range(20)
    ]


@pytest.fixture(scope="module")
def texts():
    return fuzzed()


@pytest.fixture(scope="module")
def kept(texts):
    """The texts on one line, without control characters: what both files promise to keep."""
    frame = pl.DataFrame({"text": texts}).select(clean_text("text"))
    return frame["text"].to_list()


@pytest.fixture(scope="module")
def actions(texts):
    """Action rows with the texts as first names."""
    count = len(texts)
    blanks = {"text": pl.String, "date": pl.Date, "float": pl.Float64, "integer": pl.Int64}
    columns = {
        column.name: pl.repeat(None, count, dtype=blanks[column.kind], eager=True)
        for column in action_columns(identities=True)
    }
    ids = pl.Series([f"{number:08d}" for number in range(count)])
    money = pl.Series([f"{count - number}.05" for number in range(count)])
    given = {
        "customer_id": ids, "decision_id": ids, "first_name": pl.Series(texts),
        "action_id": ["thank_you"] * count, "action_name": ["=Thanks"] * count,
        "channel": ["email"] * count, "basis": ["assumed"] * count, "expected_net_value": money,
        "net_value_low": money, "net_value_high": money, "cost": ["0.05"] * count,
        "send_after": [date(2026, 1, 1)] * count,
    }  # fmt: skip
    return pl.DataFrame(columns).with_columns(pl.Series(k, v) for k, v in given.items())


@pytest.fixture
def workbook(scores, decisions, exported, catalogue, run):
    """Write a workbook of action rows; its first sheet is about one customer."""

    def of(rows, **settings):
        who = scores({"customer_id": "1"})
        moves = pl.DataFrame(schema=MOVES)
        facts = report_facts(
            scores=who, decisions=decisions(exported("1")), movement=moves, evaluation={},
            catalogue=catalogue, run=run,
        )  # fmt: skip
        columns = action_columns(identities=True)
        return workbook_bytes(
            typed_actions(rows), facts=facts, catalogue=catalogue, columns=columns, run=run,
            **settings,
        )  # fmt: skip

    return of


def test_no_cell_of_the_csv_starts_like_a_formula_and_the_text_can_be_read_back(texts, kept):
    rows = list(csv.reader(io.StringIO(csv_text(pl.DataFrame({"n": range(TEXTS), "t": texts})))))
    written = [row[1] for row in rows[1:]]
    dangerous = re.compile(r"[\s\ufeff\u200b]*[=+\-@\t\r\x00\uff1d\uff0b\uff0d\uff20]")
    assert [text for text in written if dangerous.match(text)] == []
    assert [text[1:] if APOSTROPHE.match(text) else text for text in written] == kept


def strings(sheet):
    """Cell -> text, of a sheet with inline strings."""
    for cell in sheet.iter(f"{SHEET}c"):
        if cell.get("t") == "inlineStr":
            yield cell.get("r"), "".join(part.text or "" for part in cell.iter(f"{SHEET}t"))


def unescaped(text):
    return re.sub(r"_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_no_cell_of_the_workbook_is_a_formula_and_the_text_can_be_read_back(
    workbook, actions, kept
):
    with zipfile.ZipFile(io.BytesIO(workbook(actions))) as book:
        sheets = [ET.fromstring(book.read(n)) for n in book.namelist() if "worksheets/sheet" in n]
    assert sum(1 for sheet in sheets for _ in sheet.iter(f"{SHEET}f")) == 0
    names = {cell: unescaped(text) for cell, text in strings(sheets[1]) if re.match(r"B\d", cell)}
    found = [names.get(f"B{line}", "") for line in range(7, TEXTS + 7)]
    long = [number for number, text in enumerate(kept) if len(text.encode("utf-16-le")) > 65_534]
    assert len(long) == 20
    short = [number for number in range(TEXTS) if number not in long]
    assert [found[n] for n in short] == [kept[n] for n in short]
    parts = {}
    for cell, text in strings(sheets[-1]):
        line = int(re.sub(r"\D", "", cell))
        parts[line] = parts.get(line, "") + unescaped(text)
    assert [parts[line] for line in sorted(parts)[1:]] == [kept[n] for n in long]


def test_same_rows_give_the_same_workbook_and_many_rows_several_sheets(workbook, actions):
    made = workbook(actions.head(50), sheet_rows=20)
    assert made == workbook(actions.head(50), sheet_rows=20)
    book = openpyxl.load_workbook(io.BytesIO(made), read_only=True)
    letters = [name for name in book.sheetnames if name.startswith("Thank-you letter")]
    assert letters == ["Thank-you letter", "Thank-you letter 2", "Thank-you letter 3"]


def test_counts_are_numbers_in_the_workbook_whatever_the_locale(scores, decisions, catalogue, run):
    ids = [f"{number:04d}" for number in range(1200)]
    held = {"outcome": "held_out", "exit_reason": "holdout"}
    who, what = (make(*({"customer_id": c} | more for c in ids)) for make, more in
                 ((scores, {}), (decisions, held)))  # fmt: skip
    with formats.written_in("de-DE"):
        facts = report_facts(
            scores=who, decisions=what, movement=pl.DataFrame(schema=MOVES), evaluation={},
            catalogue=catalogue, run=run,
        )  # fmt: skip
        made = workbook_bytes(
            typed_actions(action_rows(who, what, catalogue=catalogue)), facts=facts,
            catalogue=catalogue, columns=action_columns(), run=run,
        )  # fmt: skip
    sheet = openpyxl.load_workbook(io.BytesIO(made))["This week"]
    counted = {row[0].value: row[1].value for row in sheet.iter_rows()}
    assert counted["Held out for measurement"] == counted["Retention"] == 1200


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="LibreOffice is not installed")
def test_libreoffice_keeps_ids_names_and_amounts(workbook, actions, tmp_path):
    unseen = r"[\x00-\x1f\x{85}\x{2028}\x{fffe}]"
    plain = actions.head(400).filter(~pl.col("first_name").str.contains(unseen))
    (tmp_path / "actions.xlsx").write_bytes(workbook(plain))
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,2"
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    command = ["soffice", profile, "--headless", "--convert-to", form, "actions.xlsx"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=180, capture_output=True)
    (made,) = tmp_path.glob("*.csv")
    rows = list(csv.reader(io.StringIO(made.read_text("utf-8"), newline="")))
    cells = {name: [row[place] for row in rows[6:]] for place, name in enumerate(rows[5])}
    assert cells["Customer"] == plain["customer_id"].to_list()
    assert cells["First name"] == plain.select(clean_text("first_name"))["first_name"].to_list()
    assert [float(text) for text in cells["Net value"]] == [
        float(text) for text in plain["expected_net_value"]
    ]
