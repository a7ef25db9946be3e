"""Amounts as files write them -> integer cents of the business's currency.

Rounded to the cent line by line, half away from zero.
"""

import polars as pl

from features.errors import DataError
from pipelines.intake.sources import Business, Origin, Source

LARGEST_CENTS = 10**13
GROUPED = {".": r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$", ",": r"^[-+]?\d{1,3}(\.\d{3})+(,\d+)?$"}
# The sign that may stand beside an amount of each currency; another sign is another currency.
SIGNS = {
    **dict.fromkeys(("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN"), "$"),
    **dict.fromkeys(("JPY", "CNY"), "¥"),
    "EUR": "€",
    "GBP": "£",
}


def cents(
    rows: pl.DataFrame, origin: Origin, source: Source, currency: str, rate: pl.Series | None
) -> pl.Series:
    """Whole cents, null where the amount is no finite number.

    Parameters
    ----------
    rows : raw rows
    origin : Origin
        Of the target ``value`` or ``discount``.
    source : Source
        Says the decimal sign.
    currency : str
        The business's; without a rate, its sign alone may stand beside an amount.
    rate : Series or None
        Units of the business's currency for one unit of each row's own; None: the same currency.
    """
    sign = SIGNS.get(currency, "") if rate is None else "€$£¥"
    if origin.product:
        first, second = (_numbers(rows[column], source.decimal, sign) for column in origin.product)
        amount = first * second
    elif origin.column:
        amount = _numbers(rows[origin.column], source.decimal, sign)
    else:
        constant = pl.Series([origin.constant], dtype=pl.String)
        amount = _numbers(constant, source.decimal, sign).new_from_index(0, rows.height)
    frame = (amount if rate is None else amount * rate).to_frame("amount")
    amount = pl.col("amount")
    magnitude = (amount.abs() * 100 + 1e-6).round(0, mode="half_away_from_zero") * amount.sign()
    finite = magnitude.is_finite() & (magnitude.abs() < LARGEST_CENTS)
    return frame.select(pl.when(finite).then(magnitude).cast(pl.Int64)).to_series()


def rates(
    rows: pl.DataFrame, origin: Origin, business: Business, where: str
) -> tuple[pl.Series, pl.Series]:
    """Each row's rate into the business's currency, and whether it names a currency at all.

    Raises
    ------
    DataError
        If a currency is neither the business's nor in its table of rates: amounts of different
        currencies are never added up.
    """
    code = _codes(rows, origin)
    known = {business.currency: 1.0, **{c: float(r) for c, r in business.rates.items()}}
    foreign = code.drop_nulls().unique().sort()
    unknown = [c for c in foreign if c not in known]
    if unknown:
        count = int(code.is_in(unknown).sum())
        raise DataError(
            f"{where}: amounts in other currencies. Got {', '.join(map(repr, unknown[:5]))} in "
            f"{count:,} rows. Expected {business.currency}, or a rate for each. Add "
            f'`business.rates`, for example {{{unknown[0]}: "1.09"}}.'
        )
    rate = code.replace_strict(
        list(known), list(known.values()), default=None, return_dtype=pl.Float64
    )
    return rate, code.is_not_null()


def _codes(rows: pl.DataFrame, origin: Origin) -> pl.Series:
    if origin.column is None:
        return pl.Series([origin.constant], dtype=pl.String).new_from_index(0, rows.height)
    text = rows[origin.column].cast(pl.String).str.strip_chars().str.to_uppercase()
    return text.replace("", None)


def _numbers(column: pl.Series, decimal: str, sign: str) -> pl.Series:
    """Numbers; grouping signs and a currency sign go only where a plain reading fails."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64)
    text = column.cast(pl.String).str.strip_chars()
    if decimal == ".":
        plain = text.cast(pl.Float64, strict=False)
        left = (plain.is_null() & text.is_not_null() & (text != "")).arg_true()
        return (
            plain.scatter(left, _written(text.gather(left), decimal, sign)) if left.len() else plain
        )
    return _written(text, decimal, sign)


def _written(text: pl.Series, decimal: str, sign: str) -> pl.Series:
    other = "," if decimal == "." else "."
    bare = text.str.replace(rf"^([-+]?)[{sign}]\s*|\s*[{sign}]$", "$1") if sign else text
    ungrouped = bare.str.replace_all(other, "", literal=True)
    even = bare.zip_with(~bare.str.contains(GROUPED[decimal]), ungrouped)
    if decimal == ",":
        wrong = even.str.contains(".", literal=True)
        even = even.zip_with(
            ~wrong, pl.Series([None], dtype=pl.String).new_from_index(0, len(even))
        )
    return even.str.replace(decimal, ".", literal=True).cast(pl.Float64, strict=False)
