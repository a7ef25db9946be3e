"""The workbook's first sheet: what to do this week, what it brings and costs, who is held out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from delivery import words
from delivery.facts import ReportFacts

CHARTED = 8
WIDTHS = (46, 24, 12, 14, 14, 14, 12, 14)
TILES = ((0, 0), (1, 2), (3, 4), (5, 7))
HEADS = (
    "Action", "Channel", "Customers", "Net value", "Low (80%)", "High (80%)", "Cost", "Basis",
)  # fmt: skip
BLUE = "#2F6FB3"


class Style(NamedTuple):
    """Formats of the workbook's cells."""

    title: Format
    head: Format
    column: Format
    figures: Format
    heading: Format
    indented: Format
    text: Format
    inset: Format
    wrap: Format
    link: Format
    big: Format
    soft: Format
    money: Format
    total: Format
    number: Format
    sum: Format
    percent: Format
    hour: Format
    day: Format


def overview(
    book: Workbook,
    facts: ReportFacts,
    style: Style,
    actions: pl.DataFrame,
    *,
    links: dict[str, str],
) -> None:
    """Write the first sheet.

    Parameters
    ----------
    book : Workbook
        Without a sheet yet.
    facts : ReportFacts
    style : Style
    actions : table of `delivery.canonical.typed_actions`
    links : dict of str to str
        Id of an action -> sheet with its customers.
    """
    sheet = book.add_worksheet("This week")
    sheet.hide_gridlines(2)
    for place, width in enumerate(WIDTHS):
        sheet.set_column(place, place, width)
    sheet.write_string(0, 0, f"{facts.company}: what to do", style.title)
    sheet.write_string(1, 0, f"Snapshot of {facts.as_of}", style.text)
    _paragraph(sheet, 2, facts.summary, style)
    _tiles(sheet, 4, facts, style)
    sheet.write_string(
        7, 0, "Actions, by expected value. Click a name for its customers.", style.head
    )
    rows = _by_action(actions)
    after = _actions_table(sheet, 8, rows, style, links)
    counted = _stages_table(sheet, after + 2, facts, style)
    last = _exits(sheet, counted + 2, facts, style)
    _paragraph(sheet, last + 1, " ".join(facts.limits), style)
    if rows:
        _charts(book, sheet, first=9, rows=len(rows), stages=after + 4, at=last + 3)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _paragraph(sheet: Worksheet, line: int, text: str, style: Style) -> None:
    sheet.set_row(line, 16 * (len(text) // 120 + 1))
    sheet.merge_range(line, 0, line, len(WIDTHS) - 1, "", style.wrap)
    sheet.write_string(line, 0, text, style.wrap)


def _tiles(sheet: Worksheet, line: int, facts: ReportFacts, style: Style) -> None:
    for (first, _), tile in zip(TILES, facts.tiles, strict=True):
        sheet.write_string(line, first, tile.value, style.big)
    sheet.set_row(line + 1, 32)
    for (first, last), tile in zip(TILES, facts.tiles, strict=True):
        if last > first:
            sheet.merge_range(line + 1, first, line + 1, last, "", style.wrap)
        sheet.write_string(line + 1, first, f"{tile.name}, {tile.note}", style.wrap)


def _by_action(actions: pl.DataFrame) -> list[dict[str, Any]]:
    """Sums of each action, the most valuable first."""
    money = pl.col("expected_net_value", "net_value_low", "net_value_high", "cost")
    grouped = actions.group_by("action_id", "action_name").agg(
        pl.col("channel").unique().sort(),
        pl.col("basis").unique().sort(),
        pl.len().alias("customers"),
        pl.col("net_value_low").null_count().alias("unknown"),
        money.sum(),
    )
    return grouped.sort("expected_net_value", "action_name", descending=[True, False]).to_dicts()


def _actions_table(
    sheet: Worksheet, line: int, rows: list[dict[str, Any]], style: Style, links: dict[str, str]
) -> int:
    """Write the table; returns the line of its total."""
    _heads(sheet, line, HEADS, style)
    for number, row in enumerate(rows, line + 1):
        name = row["action_name"]
        sheet.write_url(
            number,
            0,
            f"internal:'{links[row['action_id']]}'!A1",
            style.link,
            name,
        )
        channels = ", ".join(words.channel(code) for code in row["channel"])
        sheet.write_string(number, 1, channels, style.wrap)
        sheet.write_number(number, 2, row["customers"], style.number)
        sheet.write_number(number, 3, float(row["expected_net_value"]), style.money)
        if not row["unknown"]:
            # Effects of one action are unsure together, so their ends add up.
            sheet.write_number(number, 4, float(row["net_value_low"]), style.money)
            sheet.write_number(number, 5, float(row["net_value_high"]), style.money)
        sheet.write_number(number, 6, float(row["cost"]), style.money)
        bases = ", ".join(words.BASES.get(code, (code,))[0] for code in row["basis"])
        sheet.write_string(number, 7, bases, style.inset)
    end = line + len(rows) + 1
    sheet.write_string(end, 0, "All", style.sum)
    sheet.write_blank(end, 1, None, style.sum)
    sheet.write_number(end, 2, sum(row["customers"] for row in rows), style.sum)
    for place, column in ((3, "expected_net_value"), (6, "cost")):
        sheet.write_number(end, place, float(sum(row[column] for row in rows)), style.total)
    return end


def _stages_table(sheet: Worksheet, line: int, facts: ReportFacts, style: Style) -> int:
    """Write customers by stage; returns the last line."""
    sheet.write_string(line, 0, "Customers by stage", style.head)
    _heads(sheet, line + 1, ("Stage", "Customers"), style)
    marks = facts.standing.figures[0].marks
    for number, mark in enumerate(marks, line + 2):
        sheet.write_string(number, 0, mark.row, style.text)
        sheet.write_number(number, 1, mark.value, style.number)
    return line + 1 + len(marks)


def _exits(sheet: Worksheet, line: int, facts: ReportFacts, style: Style) -> int:
    """Write who gets no action and why; returns the last line."""
    sheet.write_string(line, 0, "Who gets no action, and why", style.head)
    _heads(sheet, line + 1, ("Reason", "Customers", "What it means", "", "", "", "", ""), style)
    lines = zip(facts.exits.table.rows, facts.exits.customers, strict=True)
    for number, ((name, meaning, _), customers) in enumerate(lines, line + 2):
        sheet.write_string(number, 0, name, style.text)
        sheet.write_number(number, 1, customers, style.number)
        sheet.write_string(number, 2, meaning, style.inset)
    return line + 1 + len(facts.exits.table.rows)


def _heads(sheet: Worksheet, line: int, heads: Sequence[str], style: Style) -> None:
    numbers = ("Customers", "Net value", "Low (80%)", "High (80%)", "Cost")
    after = ("", *heads)
    for head, before, place in zip(heads, after, range(len(heads)), strict=False):
        words_style = style.indented if before in numbers else style.heading
        sheet.write_string(line, place, head, style.figures if head in numbers else words_style)


def _charts(
    book: Workbook, sheet: Worksheet, *, first: int, rows: int, stages: int, at: int
) -> None:
    last = first + min(rows, CHARTED) - 1
    worth = _bars(book, "Expected net value by action", (first, last), column=3)
    sheet.insert_chart(at, 0, worth, {"description": "Bar chart of the table of actions above."})
    count = _bars(book, "Customers by stage", (stages, stages + 3), column=1)
    sheet.insert_chart(at, 3, count, {"description": "Bar chart of the table of stages above."})


def _bars(book: Workbook, title: str, lines: tuple[int, int], *, column: int) -> Any:
    chart: Any = book.add_chart({"type": "bar"})
    first, last = lines
    chart.add_series(
        {
            "categories": ["This week", first, 0, last, 0],
            "values": ["This week", first, column, last, column],
            "fill": {"color": BLUE},
            "gap": 60,
        }
    )
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True})
    chart.set_x_axis(
        {"major_gridlines": {"visible": True, "line": {"color": "#D9DFE6"}}, "num_format": "#,##0"}
    )
    chart.set_size({"width": 560, "height": 320})
    return chart
