"""Raw rows -> canonical rows: normalised, each rejected row with one reason code.

Ids are text and are never inferred, in Unicode's composed form. Times: moments.py.
Amounts: money.py.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
import polars_hash as plh

from features.errors import DataError
from pipelines.intake.delimited import ROW
from pipelines.intake.moments import check_zone, dates, moments
from pipelines.intake.money import cents, rates
from pipelines.intake.sources import Business, Origin, Range, Source

OLDEST, NEWEST = pl.datetime(1970, 1, 2, time_zone="UTC"), pl.datetime(2200, 1, 1, time_zone="UTC")
MAY_BE_EMPTY = ("value", "discount", "loaded_at", "until")
MONEY = frozenset({"value", "discount"})
IDS = frozenset({"customer_id", "event_id"})
TIMES = frozenset({"occurred_at", "loaded_at", "sent_at"})
REQUIRED_DATES = ("known_since", "since", "listed_on", "valid_from")
DATES = frozenset({*REQUIRED_DATES, "until"})
NAMED = "currency_given"
CONTROL = r"[\x00-\x1f\x7f]"


def normalise(rows: pl.DataFrame, name: str, source: Source, business: Business) -> pl.DataFrame:
    """One typed column a target, with ``__row__`` and ``reason`` (null where accepted).

    Parameters
    ----------
    rows : raw rows with ``__row__``
    name : str
        The source's id, for messages.
    source : Source
    business : Business
        Its zone is that of business dates, its currency that of amounts.

    Raises
    ------
    ConfigurationError
        If times have no zone and the source declares none.
    DataError
        If an id column holds fractions, or amounts are in a currency without a rate.
    """
    check_zone(source.timezone or business.timezone)
    typed: dict[str, pl.Series] = {}
    plain = _plain(rows, source)
    rate = None
    if currency := source.columns.get("currency"):
        rate, typed[NAMED] = rates(rows, currency, business, f"sources.yaml, {name}, currency")
    for target, origin in source.columns.items():
        if target == "currency":
            continue
        if target in MONEY:
            typed[target] = cents(rows, origin, source, business.currency, rate)
        elif target in plain:
            typed[target] = plain[target]
        else:
            where = f"sources.yaml, {name}, {target}"
            typed[target] = _typed(rows, target, origin, source, business, where)
        if target in MAY_BE_EMPTY:
            typed[f"{target}_given"] = rows.select(_given(origin, rows.schema)).to_series()
    columns = [rows[ROW].cast(pl.Int64), *(s.alias(t) for t, s in typed.items())]
    mapped = pl.DataFrame(columns)
    return mapped.with_columns(reason=_reason(source, mapped, plain))


def _plain(rows: pl.DataFrame, source: Source) -> dict[str, pl.Series]:
    """Text by target, where it is one column of nothing but visible ASCII signs.

    Then there is nothing to strip, to compose or to refuse, and most files are so.
    """
    typed = MONEY | TIMES | DATES
    return {
        target: _empty_as_null(rows[origin.column])
        for target, origin in source.columns.items()
        if target not in typed and origin.column and not origin.when
        if _is_plain(rows[origin.column])
    }


def _typed(
    rows: pl.DataFrame, target: str, origin: Origin, source: Source, business: Business, where: str
) -> pl.Series:
    if target in TIMES:
        return moments(_read(rows, origin), origin.format, source.timezone, where, origin.column)
    if target in DATES:
        return dates(_read(rows, origin), origin.format, business.timezone)
    if target not in IDS:
        return _text(rows, origin)
    if origin.column and rows.schema[origin.column].is_float():
        raise DataError(
            f"{where}: an id must not be a number with fractions. Got column {origin.column!r} of "
            f"type {rows.schema[origin.column]}. Expected text or whole numbers. Export the ids as "
            f"text."
        )
    return _text(rows, origin).str.normalize("NFC")  # one name, written in two ways, is one


def _read(rows: pl.DataFrame, origin: Origin) -> pl.Series:
    if origin.column is None:
        return pl.Series([origin.constant], dtype=pl.String).new_from_index(0, rows.height)
    return rows[origin.column]


def _text(rows: pl.DataFrame, origin: Origin) -> pl.Series:
    text = pl.lit(origin.constant) if origin.column is None else pl.col(origin.column)
    text = text.cast(pl.String).str.strip_chars()
    for override in reversed(origin.when):
        starts = pl.col(override.column).cast(pl.String).str.starts_with(override.starts_with)
        text = pl.when(starts.fill_null(False)).then(pl.lit(override.then)).otherwise(text)
    return _empty_as_null(rows.select(ROW, text.alias("text"))["text"])


def _empty_as_null(text: pl.Series) -> pl.Series:
    return text.replace("", None) if (text == "").any() else text


def _is_plain(text: pl.Series) -> bool:
    """Whether it is text of nothing but visible ASCII signs: one look at all bytes together."""
    if text.dtype != pl.String:
        return False
    content = text.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[-1]
    if content is None:
        return True
    signs = np.frombuffer(content, np.uint8)
    return not signs.size or bool(signs.min() > ord(" ") and signs.max() <= ord("~"))


def _given(origin: Origin, schema: pl.Schema) -> pl.Expr:
    """Whether there is a value at all; an empty one is no value, not a wrong one."""
    names = origin.product or ([origin.column] if origin.column else [])
    if not names:
        return pl.lit(bool((origin.constant or "").strip()))
    return pl.any_horizontal(*(_filled(name, schema[name]) for name in names))


def _filled(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype != pl.String:
        return pl.col(name).is_not_null()
    return (pl.col(name).str.strip_chars().str.len_bytes() > 0).fill_null(False)


def _reason(source: Source, present: pl.DataFrame, plain: Mapping[str, pl.Series]) -> pl.Series:
    """The first rule that a row breaks, in the order of this list."""
    who = "customer_id" if "customer_id" in present.columns else "identifier"
    checks: list[tuple[str, pl.Expr]] = [("missing_id", pl.col(who).is_null())]
    odd = sorted(IDS.intersection(present.columns) - plain.keys())
    checks += [("bad_text", pl.col(name).str.contains(CONTROL)) for name in odd]
    if source.lines_of_order:
        checks.append(("missing_event_id", pl.col("event_id").is_null()))
    for time in ("occurred_at", "sent_at"):
        if time in present.columns:
            outside = (pl.col(time) < OLDEST) | (pl.col(time) > NEWEST)
            checks += [("bad_time", pl.col(time).is_null()), ("time_out_of_range", outside)]
    dated = [d for d in REQUIRED_DATES if d in present.columns]
    checks += [("bad_date", pl.col(d).is_null()) for d in dated]
    if NAMED in present.columns and "value" in present.columns:
        checks.append(("missing_currency", pl.col("value_given") & ~pl.col(NAMED)))
    codes = zip(MAY_BE_EMPTY, ("bad_value", "bad_discount", "bad_time", "bad_date"), strict=True)
    for target, code in codes:
        if target in present.columns:
            checks.append((code, pl.col(target).is_null() & pl.col(f"{target}_given")))
    if "event_type" in present.columns:
        checks.append(("missing_event_type", pl.col("event_type").is_null()))
    checks += [
        ("out_of_contract", _outside(target, limits))
        for target, limits in source.contract.ranges.items()
    ]
    flags = present.select(
        broken.fill_null(False).alias(str(k)) for k, (_, broken) in enumerate(checks)
    )
    hit = [k for k in range(len(checks)) if flags[str(k)].any()]
    reason = pl.lit(None, pl.String)
    for k in reversed(hit):
        reason = pl.when(pl.col(str(k))).then(pl.lit(checks[k][0])).otherwise(reason)
    return flags.select("0", reason.alias("reason"))["reason"]


def _outside(target: str, limits: Range) -> pl.Expr:
    """Outside the range that the contract declares; amounts are declared in units, not cents."""
    factor = 100 if target in MONEY else 1
    ends = [
        end if isinstance(end, str) or end is None else end * factor
        for end in (limits.min, limits.max)
    ]
    column = pl.col(target)
    low, high = (
        pl.lit(end).str.to_datetime(time_zone="UTC") if target in TIMES and isinstance(end, str)
        else pl.lit(end).str.to_date() if target in DATES and isinstance(end, str)
        else pl.lit(end)
        for end in ends
    )  # fmt: skip
    below = column < low if limits.min is not None else pl.lit(False)
    above = column > high if limits.max is not None else pl.lit(False)
    return below | above


def content_ids(name: str, rows: pl.DataFrame) -> pl.Series:
    """A stable id for each row from its content: BLAKE3 of the source's name and all columns.

    Neither the order of the columns nor one that is empty changes it.
    """
    filled = [
        pl.lit(f"{column}\x1e") + pl.col(column).cast(pl.String) for column in sorted(rows.columns)
    ]
    body = pl.concat_str(pl.lit(name), *filled, separator="\x1f", ignore_nulls=True)
    text = rows.select(body.alias("event_id"))
    return text.select(plh.col("event_id").chash.blake3().str.slice(0, 24))["event_id"]
