"""Raw rows -> canonical rows: normalised, each rejected row with one reason code.

Rules: ids are text and are never inferred; a time without a zone takes the source's; a local time
that a clock change skips is rejected, one that occurs twice means the first; amounts are rounded to
the cent, half away from zero, line by line.
"""

import hashlib
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from features.errors import ConfigurationError, DataError
from pipelines.raw import ROW
from pipelines.sources import Origin, Source

OLDEST, NEWEST = pl.datetime(1970, 1, 2, time_zone="UTC"), pl.datetime(2200, 1, 1, time_zone="UTC")
LARGEST_CENTS = 10**13
MAY_BE_EMPTY = ("value", "loaded_at", "until")
# A clock time with a zone behind it: in a plain date the same signs are only separators.
ZONED = r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
ZONED_FORMS = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")
PLAIN_FORMS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
IDS = frozenset({"customer_id", "event_id"})
TIMES = frozenset({"occurred_at", "loaded_at", "sent_at"})
REQUIRED_DATES = ("known_since", "since", "listed_on")
DATES = frozenset({*REQUIRED_DATES, "until"})


def normalise(rows: pl.DataFrame, name: str, source: Source, business_zone: str) -> pl.DataFrame:
    """One typed column a target, with ``__row__`` and ``reason`` (null where accepted).

    Parameters
    ----------
    rows : raw rows with ``__row__``
    name : str
        The source's id, for messages.
    source : Source
    business_zone : str
        IANA zone of business dates.

    Raises
    ------
    ConfigurationError
        If times have no zone and the source declares none.
    DataError
        If an id column holds fractions.
    """
    _check_zone(source.timezone or business_zone)
    typed: list[pl.Expr] = []
    for target, origin in source.columns.items():
        dtype = rows.schema.get(origin.column or "", pl.String())
        where = f"sources.yaml, {name}, {target}"
        typed.append(_typed(target, origin, dtype, source, business_zone, where).alias(target))
        if target in MAY_BE_EMPTY:
            typed.append(_given(origin).alias(f"{target}_given"))
    mapped = rows.select(pl.col(ROW).cast(pl.Int64), *typed)
    return mapped.with_columns(reason=_reason(source, mapped.columns))


def _typed(
    target: str,
    origin: Origin,
    dtype: pl.DataType,
    source: Source,
    business_zone: str,
    where: str,
) -> pl.Expr:
    if target in TIMES:
        return _time(_read(origin), origin, dtype, source, where)
    if target in DATES:
        return _date(_read(origin), origin, dtype, source, business_zone)
    if target == "value":
        return _cents(origin)
    if target in IDS and dtype.is_float():
        raise DataError(
            f"{where}: an id must not be a number with fractions. Got column {origin.column!r} of "
            f"type {dtype}. Expected text or whole numbers. Export the ids as text."
        )
    return _text(origin)


def _read(origin: Origin) -> pl.Expr:
    return pl.lit(origin.constant) if origin.column is None else pl.col(origin.column)


def _text(origin: Origin) -> pl.Expr:
    text = _read(origin).cast(pl.String).str.strip_chars()
    for override in reversed(origin.when):
        starts = pl.col(override.column).cast(pl.String).str.starts_with(override.starts_with)
        text = pl.when(starts.fill_null(False)).then(pl.lit(override.then)).otherwise(text)
    return pl.when(text == "").then(None).otherwise(text)


def _cents(origin: Origin) -> pl.Expr:
    if origin.product:
        first, second = (_number(pl.col(column)) for column in origin.product)
        amount = first * second
    else:
        amount = _number(_read(origin))
    magnitude = (amount.abs() * 100 + 1e-6).round(0, mode="half_away_from_zero") * amount.sign()
    finite = magnitude.is_finite() & (magnitude.abs() < LARGEST_CENTS)
    return pl.when(finite).then(magnitude).otherwise(None).cast(pl.Int64)


def _number(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)


def _given(origin: Origin) -> pl.Expr:
    """Whether there is a value at all; an empty one is no value, not a wrong one."""
    parts = [pl.col(name) for name in origin.product or []] or [_read(origin)]
    given = [part.cast(pl.String).str.strip_chars().str.len_chars() > 0 for part in parts]
    return pl.any_horizontal(*(part.fill_null(False) for part in given))


def _time(
    column: pl.Expr, origin: Origin, dtype: pl.DataType, source: Source, where: str
) -> pl.Expr:
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        return column.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _local(column.cast(pl.Datetime("us")), _zone(source, where))
    if not isinstance(dtype, pl.String):
        raise DataError(
            f"{where}: not a time. Got column {origin.column!r} of type {dtype}. "
            f"Expected a date, a time or text."
        )
    text = column.str.strip_chars()
    if origin.format:
        return _formed_time(text, origin.format, source, where)
    return _text_time(text, source.timezone)


def _text_time(text: pl.Expr, zone: str | None) -> pl.Expr:
    """ISO 8601, with a T or a blank between date and time."""
    zoned_text = text.str.contains(ZONED)
    even = text.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ")
    offset = even.str.replace(r"\s*(Z|UTC)$", "+00:00").str.replace(r"\s+([+-][\d:]+)$", "$1")
    zoned = pl.when(zoned_text).then(offset).otherwise(None)
    absolute = [
        zoned.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
        for form in ZONED_FORMS
    ]
    if zone is None:
        return pl.coalesce(*absolute)
    plain = pl.when(zoned_text.not_()).then(even).otherwise(None)
    naive = [plain.str.to_datetime(form, time_unit="us", strict=False) for form in PLAIN_FORMS]
    return pl.coalesce(_local(pl.coalesce(*naive), zone), *absolute)


def _formed_time(text: pl.Expr, form: str, source: Source, where: str) -> pl.Expr:
    """The format says whether there is a zone: by ``%z``, or by a Z at its end."""
    if re.search(r"%[:#]*z", form):
        offset = text.str.replace(r"Z$", "+00:00")
        return offset.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    zone = "UTC" if form.endswith("Z") else _zone(source, where)
    return _local(text.str.to_datetime(form, time_unit="us", strict=False), zone)


def _local(naive: pl.Expr, zone: str) -> pl.Expr:
    placed = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC")


def _zone(source: Source, where: str) -> str:
    if source.timezone is None:
        raise ConfigurationError(
            f"{where}: the times have no zone. Add `timezone:` (an IANA name) to the source."
        )
    return source.timezone


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"sources.yaml: unknown time zone. Got {zone!r}. Expected an IANA name, for example "
            f"Europe/London."
        ) from error


def _date(
    column: pl.Expr, origin: Origin, dtype: pl.DataType, source: Source, business_zone: str
) -> pl.Expr:
    if isinstance(dtype, pl.Date):
        return column
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return column.dt.date()
        return column.dt.convert_time_zone(business_zone).dt.date()
    day = column.cast(pl.String).str.strip_chars().str.slice(0, None if origin.format else 10)
    return day.str.to_date(origin.format or "%Y-%m-%d", strict=False)


def _reason(source: Source, present: list[str]) -> pl.Expr:
    """The first rule that a row breaks, in the order of this list."""
    who = "customer_id" if "customer_id" in present else "identifier"
    checks: list[tuple[str, pl.Expr]] = [("missing_id", pl.col(who).is_null())]
    if source.lines_of_order:
        checks.append(("missing_event_id", pl.col("event_id").is_null()))
    for time in ("occurred_at", "sent_at"):
        if time in present:
            outside = (pl.col(time) < OLDEST) | (pl.col(time) > NEWEST)
            checks += [("bad_time", pl.col(time).is_null()), ("time_out_of_range", outside)]
    checks += [("bad_date", pl.col(d).is_null()) for d in REQUIRED_DATES if d in present]
    codes = zip(MAY_BE_EMPTY, ("bad_value", "bad_time", "bad_date"), strict=True)
    for target, code in codes:
        if target in present:
            checks.append((code, pl.col(target).is_null() & pl.col(f"{target}_given")))
    if "event_type" in present:
        checks.append(("missing_event_type", pl.col("event_type").is_null()))
    reason = pl.lit(None, pl.String)
    for code, broken in reversed(checks):
        reason = pl.when(broken.fill_null(False)).then(pl.lit(code)).otherwise(reason)
    return reason


def content_ids(name: str, rows: pl.DataFrame) -> pl.Series:
    """A stable id for each row from its content: SHA-256 of the source's name and all columns."""
    text = rows.select(
        pl.concat_str(pl.all().cast(pl.String).fill_null("\x00"), separator="\x1f").alias("body")
    )["body"]
    prefix = name.encode() + b"\x1e"
    ids = [hashlib.sha256(prefix + body.encode()).hexdigest()[:24] for body in text]
    return pl.Series("event_id", ids, dtype=pl.String)
