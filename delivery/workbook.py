"""The workbook: a first sheet that a manager reads, then one sheet an action, in bounded memory.

Every text is written as a string, so nothing in the workbook can be a formula.
"""

import io
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

import polars as pl
import polars.selectors as cs
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from actions.catalogue import Action, ActionCatalogue
from delivery import formats, words
from delivery.csv_cells import MONEY, clean_text
from delivery.facts import ReportFacts
from delivery.overview import Style, overview
from delivery.pieces import Run
from features.schemas import Column

# Excel: 1,048,576 rows a sheet, 32,767 characters a cell, 31 in the name of a sheet.
MOST_ROWS, MOST_CHARACTERS, MOST_NAME = 1_000_000, 32_767, 31
HEADS = {
    "customer_id": ("Customer", 14), "first_name": ("First name", 14), "email": ("E-mail", 30),
    "phone": ("Phone", 16), "stage": ("Stage", 12), "level": ("Level", 12),
    "activity": ("Activity", 10), "churn_risk": ("Churn risk", 10), "churn_band": ("Risk", 8),
    "reason_1": ("Reason 1", 36), "reason_2": ("Reason 2", 30), "reason_3": ("Reason 3", 30),
    "channel": ("Channel", 10), "consent_basis": ("Consent", 13), "send_after": ("Not before", 11),
    "expires_on": ("Not from", 11), "best_weekday": ("Best day", 11),
    "best_hour": ("Best hour", 9), "expected_net_value": ("Net value", 12),
    "net_value_low": ("Low (80%)", 12), "net_value_high": ("High (80%)", 12),
    "cost": ("Cost", 10), "basis": ("Basis", 10), "decision_id": ("Decision", 23),
}  # fmt: skip
# Codes of actions.csv in words.
NAMED = {
    "stage": words.STAGES, "level": words.LEVELS, "activity": words.ACTIVITIES,
    "churn_band": words.BANDS, "channel": words.CHANNELS, "consent_basis": words.CONSENTS,
    "basis": {code: name for code, (name, _) in words.BASES.items()},
}  # fmt: skip
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


class Sheets(NamedTuple):
    """The workbook being written, its styles, and texts that are too long for a cell."""

    book: Workbook
    style: Style
    long_texts: list[str]


def workbook_bytes(
    actions: pl.DataFrame,
    *,
    facts: ReportFacts,
    catalogue: ActionCatalogue,
    columns: Iterable[Column],
    run: Run,
    sheet_rows: int = MOST_ROWS,
) -> bytes:
    """The workbook as the bytes of an XLSX file: same inputs, same bytes.

    Parameters
    ----------
    actions : table of `delivery.canonical.typed_actions`
    facts : ReportFacts
        What the first sheet says.
    catalogue : ActionCatalogue
    columns : iterable of Column
        Meaning of the columns, for the last sheet.
    run : Run
    sheet_rows : int
        Most customers on one sheet; an action with more gets several.
    """
    out = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(out, options) as book:
        # Without a fixed date the bytes would depend on the clock.
        made = datetime.fromisoformat(run["as_of"])
        book.set_properties({"title": f"Actions of {facts.as_of}", "created": made})
        sheets = Sheets(book, _style(book, run["currency"]), [])
        parts = list(_parts(actions, catalogue, sheet_rows))
        names = _names([part.title for part in parts])
        overview(book, facts, sheets.style, actions, links=_links(parts, names))
        for part, name in zip(parts, names, strict=True):
            _action_sheet(sheets, part, name, facts)
        _columns_sheet(sheets, columns)
        _long_texts_sheet(sheets)
    return out.getvalue()


class Part(NamedTuple):
    """Customers of one action that fit on one sheet; `number` counts from 1."""

    action: Action
    rows: pl.DataFrame
    number: int

    @property
    def title(self) -> str:
        """Name of the action, numbered from its second sheet on."""
        return self.action.name if self.number == 1 else f"{self.action.name} {self.number}"


def _parts(actions: pl.DataFrame, catalogue: ActionCatalogue, most: int) -> Iterator[Part]:
    """Sheets in the order of the catalogue, the most valuable customers first."""
    for action in catalogue.actions:
        chosen = actions.filter(pl.col("action_id") == action.id)
        best = chosen.sort("expected_net_value", "customer_id", descending=[True, False])
        for number, rows in enumerate(best.iter_slices(most), 1):
            if rows.height:
                yield Part(action, rows, number)


def _names(titles: list[str]) -> list[str]:
    """Names that Excel takes: short, without its forbidden signs, each once in any capitals."""
    taken: set[str] = {"this week", "columns", "long texts", "history"}
    names = []
    for title in titles:
        plain = FORBIDDEN.sub(" ", title).strip(" '") or "Action"
        name, number = plain[:MOST_NAME].strip(" '"), 1
        while name.casefold() in taken:
            number += 1
            end = f" ({number})"
            name = plain[: MOST_NAME - len(end)].strip(" '") + end
        taken.add(name.casefold())
        names.append(name)
    return names


def _links(parts: list[Part], names: list[str]) -> dict[str, str]:
    """Action's id -> its first sheet, its apostrophes doubled as a link wants them."""
    pairs = zip(parts, names, strict=True)
    return {part.action.id: name.replace("'", "''") for part, name in pairs if part.number == 1}


def _style(book: Workbook, currency: str) -> Style:
    money = formats.excel_money(currency)
    top: dict[str, Any] = {"valign": "top"}
    column = {"bold": True, "bg_color": "#DCE6F1", "bottom": 1, "text_wrap": True, **top}
    return Style(
        title=book.add_format({"bold": True, "font_size": 18, "font_color": "#173A5E"}),
        head=book.add_format({"bold": True, "font_size": 13, "font_color": "#173A5E"}),
        column=book.add_format(column),
        heading=book.add_format({**column, "text_wrap": False}),
        indented=book.add_format({**column, "text_wrap": False, "align": "left", "indent": 1}),
        figures=book.add_format({**column, "align": "right"}),
        text=book.add_format(top),
        inset=book.add_format({"align": "left", "indent": 1, **top}),
        wrap=book.add_format({"text_wrap": True, **top}),
        link=book.add_format({"font_color": "#1F5FA8", "underline": 1, "bold": True, **top}),
        big=book.add_format({"bold": True, "font_size": 16, "align": "left"}),
        soft=book.add_format({"font_color": "#566273", "text_wrap": True, **top}),
        money=book.add_format({"num_format": money, **top}),
        total=book.add_format({"num_format": money, "bold": True, "top": 1}),
        number=book.add_format({"num_format": "#,##0", **top}),
        sum=book.add_format({"num_format": "#,##0", "bold": True, "top": 1}),
        percent=book.add_format({"num_format": "0.0%", **top}),
        hour=book.add_format({"num_format": '00":00"', **top}),
        day=book.add_format({"num_format": "yyyy-mm-dd", "align": "left", **top}),
    )


def _action_sheet(sheets: Sheets, part: Part, name: str, facts: ReportFacts) -> None:
    sheet, style = sheets.book.add_worksheet(name), sheets.style
    shown = [
        c for c in HEADS if c in part.rows.columns and part.rows[c].null_count() < len(part.rows)
    ]
    action = part.action
    _string(sheets, sheet, 0, 0, part.title, style.title)
    about = f"{words.tactic(action.tactic)}, {formats.plural(part.rows.height, 'customer')}"
    _string(sheets, sheet, 1, 0, f"{about}, snapshot of {facts.as_of}", style.text)
    _string(sheets, sheet, 2, 0, f"Brief: {' '.join(action.brief.split())}", style.text)
    sheet.write_url(3, 0, "internal:'This week'!A1", style.link, "Back to the first sheet")
    head = 5
    writers = [_writer(column, style) for column in shown]
    for place, (column, (kind, _)) in enumerate(zip(shown, writers, strict=True)):
        title, width = HEADS[column]
        sheet.set_column(place, place, width)
        head_style = style.figures if kind == "number" else style.column
        _string(sheets, sheet, head, place, title, head_style)
    cells = _in_words(part.rows.select(shown))
    for line, row in enumerate(cells.iter_rows(), head + 1):
        for place, (value, (kind, cell_format)) in enumerate(zip(row, writers, strict=True)):
            _write(sheets, sheet, line, place, value, kind, cell_format)
    sheet.freeze_panes(head + 1, 1)
    sheet.autofilter(head, 0, head + part.rows.height, len(shown) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)


def _in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Cells as they are read: codes in words, days of the week by name, text on one line."""
    texts = [clean_text(name) for name in rows.select(cs.string()).columns]
    named = [pl.col(name).replace(NAMED[name]) for name in rows.columns if name in NAMED]
    days = [
        pl.col(name).replace_strict(words.WEEKDAYS, return_dtype=pl.String)
        for name in rows.columns
        if name == "best_weekday"
    ]
    return rows.with_columns(texts).with_columns(named + days)


def _writer(column: str, style: Style) -> tuple[str, Format]:
    if column in MONEY:
        return "number", style.money
    if column == "churn_risk":
        return "number", style.percent
    if column == "best_hour":
        return "number", style.hour
    if column in ("send_after", "expires_on"):
        return "day", style.day
    return "text", style.text


def _write(
    sheets: Sheets, sheet: Worksheet, line: int, place: int, value: Any, kind: str, style: Format
) -> None:
    if value is None or value == "":
        return
    if kind == "number":
        sheet.write_number(line, place, float(value), style)
    elif kind == "day":
        assert isinstance(value, date)
        sheet.write_datetime(line, place, datetime(value.year, value.month, value.day), style)  # noqa: DTZ001
    else:
        _string(sheets, sheet, line, place, value, style)


def _string(
    sheets: Sheets, sheet: Worksheet, line: int, place: int, text: str, style: Format
) -> None:
    """Write text as text; what does not fit into a cell goes whole to a sheet of its own."""
    if _units(text) > MOST_CHARACTERS:
        sheets.long_texts.append(text)
        note = f" ... (whole text: sheet Long texts, line {len(sheets.long_texts) + 1})"
        text = text[:15_000] + note
    sheet.write_string(line, place, text, style)


def _units(text: str) -> int:
    """Length as Excel counts it, in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def _columns_sheet(sheets: Sheets, columns: Iterable[Column]) -> None:
    sheet, style = sheets.book.add_worksheet("Columns"), sheets.style
    sheet.set_column(0, 1, 22)
    sheet.set_column(2, 2, 90)
    for place, head in enumerate(("In this workbook", "In actions.csv", "Meaning")):
        _string(sheets, sheet, 0, place, head, style.column)
    for line, column in enumerate(columns, 1):
        shown = HEADS.get(column.name, ("", 0))[0]
        for place, text in enumerate((shown, column.name, column.meaning)):
            _string(sheets, sheet, line, place, text, style.wrap)
    sheet.freeze_panes(1, 0)


def _long_texts_sheet(sheets: Sheets) -> None:
    """Texts that no cell can hold, in as many cells to the right as they need."""
    if not sheets.long_texts:
        return
    sheet = sheets.book.add_worksheet("Long texts")
    sheet.write_string(
        0, 0, "Whole texts; read the cells of a line from left to right", sheets.style.head
    )
    for line, text in enumerate(sheets.long_texts, 1):
        for place in range(0, len(text), 15_000):
            sheet.write_string(line, place // 15_000, text[place : place + 15_000])
