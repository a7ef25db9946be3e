"""Times and dates as files write them -> moments in UTC, and dates.

Rules: a time with a zone is that moment; one without is in the source's zone; a local time that a
clock change skips is none, one that occurs twice is the first; numbers count from 1970 in UTC, and
their size says whether they are seconds, milliseconds, microseconds or nanoseconds.
"""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from features.errors import ConfigurationError, DataError
from pipelines.intake.sources import EPOCHS

UTC = pl.Datetime("us", "UTC")
# A clock time with a zone behind it: in a plain date the same signs are only separators.
ZONED = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
ZONED_FORMS = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
PLAIN_FORMS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
# What most files write: tried first on a whole column, because one plain form is ten times faster.
COMMON_ZONED = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d %H:%M:%S UTC")
COMMON_PLAIN = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
SAMPLE = 50
NUMBER = r"^-?\d{9,19}(\.\d+)?$"
# Microseconds of one unit, and the number from which on that unit is meant: 1e11 seconds are the
# year 5138, 1e11 milliseconds March 1973.
UNITS = (("epoch_ns", 1e-3, 1e17), ("epoch_us", 1.0, 1e14), ("epoch_ms", 1e3, 1e11))


def moments(
    column: pl.Series, form: str | None, zone: str | None, where: str, name: str | None
) -> pl.Series:
    """Moments in UTC, null where there is none.

    Parameters
    ----------
    column : Series
        Text, numbers, dates or times.
    form : str or None
        A strptime format, or one of ``epoch_s``, ``epoch_ms``, ``epoch_us``, ``epoch_ns``.
    zone : str or None
        IANA zone of times that have none.
    where, name : str
        For messages: the place in the catalogue, and the column.

    Raises
    ------
    ConfigurationError
        If the times have no zone, and none is declared.
    DataError
        If the column's type cannot be a time.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _local(column.cast(pl.Datetime("us")), _declared(zone, where))
    if dtype.is_numeric() or form in EPOCHS:
        return _epochs(column.cast(pl.String), form)
    if dtype == pl.Null:
        return pl.Series(column.name, [None] * column.len(), dtype=UTC)
    if not isinstance(dtype, pl.String):
        raise DataError(
            f"{where}: not a time. Got column {name!r} of type {dtype}. "
            f"Expected a date, a time, a number of seconds or text."
        )
    text = column.str.strip_chars()
    return _formed(text, form, zone, where) if form else _texts(text, zone)


def dates(column: pl.Series, form: str | None, business_zone: str) -> pl.Series:
    """Business dates, null where there is none."""
    if isinstance(column.dtype, pl.Date):
        return column
    if isinstance(column.dtype, pl.Datetime):
        if column.dtype.time_zone is None:
            return column.dt.date()
        return column.dt.convert_time_zone(business_zone).dt.date()
    day = column.cast(pl.String).str.strip_chars()
    day = day if form else day.str.slice(0, 10)
    return day.str.to_date(form or "%Y-%m-%d", strict=False)


def check_zone(zone: str) -> None:
    """Refuse a time zone that does not exist.

    Raises
    ------
    ConfigurationError
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"sources.yaml: unknown time zone. Got {zone!r}. Expected an IANA name, for example "
            f"Europe/London."
        ) from error


def _texts(text: pl.Series, zone: str | None) -> pl.Series:
    """The form of the first values for all, and every other form for what it leaves."""
    first = _common(text.drop_nulls().head(SAMPLE), zone)
    if first is None:
        return _any_form(text, zone)
    parsed = _plainly(text, first, zone)
    left = (parsed.is_null() & text.is_not_null()).arg_true()
    if not left.len():
        return parsed
    return parsed.scatter(left, _any_form(text.gather(left), zone))


def _common(sample: pl.Series, zone: str | None) -> str | None:
    forms = (*COMMON_ZONED, *(COMMON_PLAIN if zone else ()))
    for form in forms:
        fits = sample.str.to_datetime(form, time_unit="us", strict=False).is_not_null()
        if sample.len() and fits.sum() > sample.len() / 2:
            return form
    return None


def _plainly(text: pl.Series, form: str, zone: str | None) -> pl.Series:
    naive = text.str.to_datetime(form, time_unit="us", strict=False)
    if form in COMMON_ZONED:
        return naive.dt.replace_time_zone("UTC")
    return _local(naive, zone or "UTC")


def _any_form(text: pl.Series, zone: str | None) -> pl.Series:
    return text.to_frame("text").select(_text_time(pl.col("text"), zone)).to_series()


def _text_time(text: pl.Expr, zone: str | None) -> pl.Expr:
    """ISO 8601, with a T or a blank between date and time; or a number."""
    zoned_text = text.str.contains(ZONED)
    even = text.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ")
    offset = even.str.replace(r"\s*(Z|UTC)$", "+00:00").str.replace(r"\s+([+-][\d:]+)$", "$1")
    zoned = pl.when(zoned_text).then(offset).otherwise(None)
    absolute = [
        zoned.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        for form in ZONED_FORMS
    ]
    absolute.append(_epoch(pl.when(text.str.contains(NUMBER)).then(text), None))
    if zone is None:
        return pl.coalesce(*absolute)
    plain = pl.when(zoned_text.not_()).then(even).otherwise(None)
    naive = [plain.str.to_datetime(form, time_unit="us", strict=False) for form in PLAIN_FORMS]
    local = pl.coalesce(*naive).dt.replace_time_zone(
        zone, ambiguous="earliest", non_existent="null"
    )
    return pl.coalesce(local.dt.convert_time_zone("UTC"), *absolute)


def _epochs(text: pl.Series, form: str | None) -> pl.Series:
    return text.to_frame("text").select(_epoch(pl.col("text"), form)).to_series()


def _epoch(text: pl.Expr, form: str | None) -> pl.Expr:
    """Counts from 1970 in UTC; without a form each value's size tells its unit."""
    count = text.str.strip_chars().cast(pl.Float64, strict=False)
    count = pl.when(count.is_finite()).then(count)
    if form in EPOCHS:
        factor = next((factor for unit, factor, _ in UNITS if unit == form), 1e6)
        return _from_micros(count * factor)
    micros = count * 1e6
    for _, factor, least in reversed(UNITS):
        micros = pl.when(count.abs() >= least).then(count * factor).otherwise(micros)
    return _from_micros(micros)


def _from_micros(micros: pl.Expr) -> pl.Expr:
    within = pl.when(micros.abs() < 9e18).then(micros.round()).otherwise(None)
    return pl.from_epoch(within.cast(pl.Int64), "us").dt.replace_time_zone("UTC")


def _formed(text: pl.Series, form: str, zone: str | None, where: str) -> pl.Series:
    """The format says whether there is a zone: by ``%z``, or by a Z at its end."""
    if re.search(r"%[:#]*z", form):
        offset = text.str.replace(r"Z$", "+00:00")
        return offset.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    named = "UTC" if form.endswith("Z") else _declared(zone, where)
    return _local(text.str.to_datetime(form, time_unit="us", strict=False), named)


def _local(naive: pl.Series, zone: str) -> pl.Series:
    placed = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _declared(zone: str | None, where: str) -> str:
    if zone is None:
        raise ConfigurationError(
            f"{where}: the times have no zone. Add `timezone:` (an IANA name) to the source."
        )
    return zone
