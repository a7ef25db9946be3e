"""The pieces a report section is built of: tables and figures, already in words."""

from typing import Literal, NamedTuple, TypedDict

import polars as pl

FigureKind = Literal[
    "bars", "long_bars", "stacks", "pairs", "budget", "flow", "ranges", "promises", "curve"
]  # fmt: skip


class Mark(NamedTuple):
    """One mark of a figure.

    Attributes
    ----------
    row : str
        Label of the line that it stands on.
    value : float
        Its length, share or shade.
    text : str
        The value as printed.
    part : str
        Column or series, where a line has several marks.
    """

    row: str
    value: float
    text: str
    part: str = ""


class TextTable(NamedTuple):
    """A printed table; `shades` (0-1) colour its cells, `labels` columns are text.

    With `total`, the last row sums the others up.
    """

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    labels: int = 1
    shades: tuple[tuple[float, ...], ...] = ()
    total: bool = False


class Figure(NamedTuple):
    """A picture, what it says in one sentence for who cannot see it, and its table.

    `limit` is the end of the scale; 0: the largest value.
    """

    title: str
    label: str
    kind: FigureKind
    marks: tuple[Mark, ...]
    table: TextTable
    note: str = ""
    limit: float = 0


class SourceCounts(TypedDict):
    """Rows of one source, by what became of them."""

    source: str
    rows_in: int
    accepted: int
    duplicates: int
    quarantined: int
    events: int
    reasons: dict[str, int]
    last_on: str | None
    warnings: list[str]


class Run(TypedDict):
    """What the report says about the run itself."""

    as_of: str
    previous_as_of: str | None
    published_before: bool
    judged_on: str
    run_id: str
    company: str
    currency: str
    budget_cents: int | None
    spent_cents: int
    holdout_share: float
    horizon_days: int
    gap_days: int
    lookback_days: int
    data_span: list[str]
    sources: list[SourceCounts]
    definitions: dict[str, list[dict[str, str]]]


def counted(caption: str, head: str, marks: tuple[Mark, ...]) -> TextTable:
    """Two-column table of the marks of a bar chart: the label and the value as printed."""
    return TextTable(caption, (head, "Customers"), tuple((m.row, m.text) for m in marks))


def total(numbers: pl.Series) -> int:
    """Sum of whole numbers or of flags; 0 where there are none."""
    return int(numbers.sum())


def pairs(counts: pl.DataFrame) -> dict[tuple[str, str], int]:
    """Third column of a table by the first two."""
    return {(row, column): number for row, column, number in counts.iter_rows()}


def spoken(title: str, marks: tuple[Mark, ...]) -> str:
    """Sentence that reads a bar chart out."""
    return f"{title}: " + "; ".join(f"{mark.row} {mark.text}" for mark in marks) + "."
