"""How a column writes its times and its numbers, read off the values themselves."""

import re
from typing import NamedTuple

import polars as pl

TIME = r"(?P<time>,?[ T]+\d{1,2}:\d{2}(?P<seconds>:\d{2})?(?P<half> ?[AaPp][Mm])?)?"
ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)?$"
ZONED = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
CLOCK = r"\d{1,2}:\d{2}"
# Shape of a date -> its strptime form; in NUMERIC, which part is the day is for the data to say.
NUMERIC = (
    rf"^(?P<one>\d{{1,2}})(?P<cut>[/.-])(?P<two>\d{{1,2}})[/.-](?P<year>\d{{4}}|\d{{2}}){TIME}$"
)
NAMED: dict[str, str] = {
    rf"^\d{{4}}/\d{{1,2}}/\d{{1,2}}{TIME}$": "%Y/%m/%d",
    rf"^\d{{4}}\.\d{{1,2}}\.\d{{1,2}}{TIME}$": "%Y.%m.%d",
    rf"^\d{{8}}{TIME}$": "%Y%m%d",
    rf"^\d{{1,2}} [A-Za-z]{{3}} \d{{4}}{TIME}$": "%d %b %Y",
    rf"^\d{{1,2}}-[A-Za-z]{{3}}-\d{{4}}{TIME}$": "%d-%b-%Y",
    rf"^\d{{1,2}}-[A-Za-z]{{3}}-\d{{2}}{TIME}$": "%d-%b-%y",
    rf"^[A-Za-z]{{3}} \d{{1,2}}, \d{{4}}{TIME}$": "%b %d, %Y",
    rf"^\d{{1,2}} [A-Za-z]{{4,9}} \d{{4}}{TIME}$": "%d %B %Y",
}
# Seconds, milliseconds and microseconds of the years 2000 to 2100, told apart by their size.
EPOCHS = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
EPOCH_FROM, EPOCH_TO = 946_684_800, 4_102_444_800
COMMA = r"^[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?$"
SYMBOL = r"^[€$£¥]\s*|\s*[€$£¥]$"
ENOUGH = 0.9
SHOWN = 2_000


class TimeForm(NamedTuple):
    """How a column writes times.

    Attributes
    ----------
    format : str or None
        As ``sources.yaml`` names it; None for ISO 8601 and typed columns.
    zoned, clock : bool
        Whether a zone, and whether a time of day is written.
    why : str
        What the data said.
    other : str or None
        A form that fits as well: the data leave open which part is the day.
    """

    format: str | None
    zoned: bool
    clock: bool
    why: str
    other: str | None = None


def time_form(column: pl.Series, *, day_first: bool | None = None) -> TimeForm | None:
    """How a column writes times, or None where it does not.

    Parameters
    ----------
    column : Series
        Rows in the order of the file.
    day_first : bool or None
        What the user said of dates like 03/04/2024; None: the data decide.
    """
    if isinstance(column.dtype, pl.Datetime):
        zoned = column.dtype.time_zone is not None
        return TimeForm(None, zoned, _has_clock(column), "typed as a time")
    if column.dtype == pl.Date:
        return TimeForm(None, False, False, "typed as a date")
    if column.dtype.is_integer() or column.dtype == pl.Float64:
        return _epoch(column)
    if column.dtype != pl.String:
        return None
    text = column.drop_nulls().str.strip_chars()
    text = text.filter(text != "")
    return _of_text(text, day_first) if text.len() else None


def _of_text(text: pl.Series, day_first: bool | None) -> TimeForm | None:
    shown = text.head(SHOWN)
    if _share(shown, ISO) >= ENOUGH:
        return TimeForm(None, _share(shown, ZONED) > 0.5, _share(shown, CLOCK) > 0.5, "ISO 8601")
    if _share(shown, NUMERIC) >= ENOUGH:
        return _numeric(text, day_first)
    for shape, form in NAMED.items():
        if _share(shown, shape) >= ENOUGH:
            full, clock = _with_clock(form, shown, shape)
            read = shown.str.to_datetime(full, strict=False)
            plausible = (read.dt.year().is_between(1970, 2100)).sum() / shown.len()
            return (
                TimeForm(full, False, clock, f"written as {full}") if plausible > ENOUGH else None
            )
    return _epoch(text)


def _numeric(text: pl.Series, day_first: bool | None) -> TimeForm:
    shown = text.head(SHOWN)
    parts = shown.str.extract_groups(NUMERIC).struct.unnest()
    cut = parts["cut"].mode().sort()[0]
    year = "%Y" if parts["year"].str.len_chars().max() == 4 else "%y"
    day, month = (
        _with_clock(cut.join((*order, year)), shown, NUMERIC)[0]
        for order in (("%d", "%m"), ("%m", "%d"))
    )
    clock = bool(parts["time"].count() > shown.len() / 2)
    if day_first is not None:
        return TimeForm(day if day_first else month, False, clock, "as you said")
    first_is_day, why = _day_first(text, day, month)
    if first_is_day is None:
        return TimeForm(day, False, clock, why, other=month)
    return TimeForm(day if first_is_day else month, False, clock, why)


def _day_first(text: pl.Series, day: str, month: str) -> tuple[bool | None, str]:
    """Whether the first part is the day, and the evidence: a part beyond 12, or the order."""
    parts = text.str.extract_groups(NUMERIC).struct.unnest()
    one, two = (parts[name].cast(pl.Int64, strict=False) for name in ("one", "two"))
    first, second = int((one > 12).sum()), int((two > 12).sum())
    if first or second:
        largest = max(one.max(), two.max())  # pyright: ignore[reportArgumentType]
        place = "first" if first >= second else "second"
        why = f"{'day' if first >= second else 'month'} first: the {place} number reaches {largest}"
        fewer = min(first, second)
        return first >= second, why + (f"; {fewer:,} rows do not fit" if fewer else "")
    if parts["cut"][0] == ".":
        return True, "day first, as dates with dots are written"
    back = [_backwards(text.str.to_datetime(form, strict=False)) for form in (day, month)]
    if 2 * min(back) < max(back):
        wins = back[0] < back[1]
        return wins, f"{'day' if wins else 'month'} first: so the rows are in order of time"
    return None, "no number is beyond 12, so day and month could be either"


def _backwards(times: pl.Series) -> int:
    return int((times.diff().dt.total_seconds() < 0).sum())


def _with_clock(form: str, shown: pl.Series, shape: str) -> tuple[str, bool]:
    parts = shown.str.extract_groups(shape).struct.unnest()
    if parts["time"].count() <= shown.len() / 2:
        return form, False
    lead = re.match(r",?[ T]+", parts["time"].drop_nulls()[0])
    seconds = ":%S" if parts["seconds"].count() > shown.len() / 2 else ""
    half = parts["half"].drop_nulls()
    if half.len() > shown.len() / 2:
        blank = " " if half[0].startswith(" ") else ""
        return f"{form}{lead[0] if lead else ' '}%I:%M{seconds}{blank}%p", True
    return f"{form}{lead[0] if lead else ' '}%H:%M{seconds}", True


def _epoch(column: pl.Series) -> TimeForm | None:
    count = column.drop_nulls().head(SHOWN).cast(pl.Float64, strict=False).drop_nulls()
    if count.len() < ENOUGH * min(SHOWN, column.drop_nulls().len()) or not count.len():
        return None
    for form, unit in EPOCHS.items():
        inside = count.is_between(EPOCH_FROM * unit, EPOCH_TO * unit).sum() / count.len()
        if inside >= ENOUGH:
            words = {"epoch_s": "seconds", "epoch_ms": "milliseconds", "epoch_us": "microseconds"}
            return TimeForm(form, True, True, f"{words[form]} since 1970, by their size")
    return None


def _has_clock(times: pl.Series) -> bool:
    shown = times.drop_nulls().head(SHOWN)
    return bool((shown != shown.dt.truncate("1d")).any())


class NumberForm(NamedTuple):
    """How a column writes numbers: the decimal sign, and the share of them below zero."""

    decimal: str
    negative: float


def number_form(column: pl.Series) -> NumberForm | None:
    """How a column writes numbers, or None where at most nine in ten of its values are one."""
    filled = column.drop_nulls()
    if column.dtype.is_numeric():
        return NumberForm(".", _negative(filled)) if filled.len() else None
    if column.dtype != pl.String:
        return None
    text = filled.str.strip_chars().str.replace_all(SYMBOL, "")
    text = text.filter(text != "")
    if not text.len():
        return None
    commas = _share(text, COMMA)
    dots = text.str.replace_all(r",(\d{3})", "$1").cast(pl.Float64, strict=False)
    comma = commas >= ENOUGH and text.str.contains(",", literal=True).any()
    if comma and not _grouped_only(text):
        return NumberForm(",", float(text.str.starts_with("-").sum()) / text.len())
    return NumberForm(".", _negative(dots)) if dots.count() >= ENOUGH * text.len() else None


def symbols(column: pl.Series) -> set[str]:
    """Currency signs that stand beside the numbers."""
    if column.dtype != pl.String:
        return set()
    found = column.str.extract(r"([€$£¥])", 1).drop_nulls().unique()
    return set(found)


def _grouped_only(text: pl.Series) -> bool:
    """Commas that only ever part three digits from a dot, as in 1,234.50."""
    return bool(text.str.contains(r",\d{3}\.\d").any())


def _negative(numbers: pl.Series) -> float:
    return float((numbers < 0).sum()) / max(numbers.len(), 1)


def _share(text: pl.Series, pattern: str) -> float:
    plain = re.sub(r"\?P<\w+>", "?:", pattern)
    return float(text.str.contains(plain).sum()) / max(text.len(), 1)
