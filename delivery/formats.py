"""Numbers, money and dates as a reader prints them, in the locale that the run chose.

The words of the files are English whatever the locale: it decides separators, the place of the
currency's symbol and its decimals, from the Unicode CLDR as Babel ships it.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
GLUE = "\N{NO-BREAK SPACE}"
PLAIN = "en"

_chosen: ContextVar[str] = ContextVar("locale", default=PLAIN)


@contextmanager
def written_in(code: str) -> Iterator[None]:
    """Print numbers as the locale does, such as ``de-DE``, until the block ends."""
    token = _chosen.set(code)
    try:
        yield
    finally:
        _chosen.reset(token)


def chosen() -> str:
    """Code of the locale in use, as browsers spell it too."""
    return _chosen.get()


@cache
def locale(code: str) -> Locale:
    """Locale of a code such as ``en`` or ``de-DE``.

    Raises
    ------
    ValueError
        If the Unicode CLDR does not know it.
    """
    try:
        return Locale.parse(code, sep="-")
    except UnknownLocaleError as problem:
        raise ValueError(str(problem)) from problem


def decimal_text(cents: int) -> str:
    """Cents as exact decimal text without a symbol: ``-5`` gives ``-0.05``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def count(number: int) -> str:
    """Whole number with thousands separators."""
    return _digits(Decimal(number), 0)


def money(cents: int, currency: str, *, whole: bool = False) -> str:
    """Money with the currency's symbol and decimals, rounded half up.

    Parameters
    ----------
    cents : int
        Hundredths, also of a currency that has no coins so small.
    currency : str
        ISO 4217 code; one without a known symbol is printed itself.
    whole : bool
        Leave the decimals out.
    """
    decimals = 0 if whole else get_currency_precision(currency)
    amount = _rounded(Decimal(cents) / 100, decimals)
    pattern = locale(chosen()).currency_formats["standard"].pattern.partition(";")[0]
    placed = re.sub(r"[#0.,]+", _digits(abs(amount), decimals), _unmarked(pattern))
    text = placed.replace("\N{CURRENCY SIGN}", symbol(currency))
    spaced = re.sub(r"(?<=[^\W\d_])(?=\d)", GLUE, text)
    return f"{MINUS if amount < 0 else ''}{spaced.strip()}"


def symbol(currency: str) -> str:
    """What the locale writes for a currency: ``$``, ``CHF``."""
    return get_currency_symbol(currency, locale(chosen()))


def excel_money(currency: str) -> str:
    """Number format of money for Excel, which puts the reader's own separators in."""
    sign = symbol(currency).replace('"', "")
    decimals = get_currency_precision(currency)
    digits = f"#,##0.{'0' * decimals}" if decimals else "#,##0"
    pattern = _unmarked(locale(chosen()).currency_formats["standard"].pattern).partition(";")[0]
    if pattern.startswith("\N{CURRENCY SIGN}"):
        shown = f'"{sign}{GLUE if sign[-1:].isalpha() else ""}"{digits}'
    else:
        shown = f'{digits}"{GLUE}{sign}"'
    return f"{shown};[Red]-{shown}"


def percent(rate: float | None, digits: int = 1) -> str:
    """Rate (0-1) as a percentage; a dash where there is none."""
    if rate is None:
        return DASH
    smallest = Decimal(1).scaleb(-digits)
    if 0 < 100 * rate < smallest / 2:
        return f"<{_percent(smallest, digits)}"
    return _percent(Decimal(repr(float(rate))) * 100, digits)


def number(value: float | None, digits: int) -> str:
    """Value with `digits` decimals; a dash where there is none."""
    return DASH if value is None else _digits(Decimal(repr(float(value))), digits)


def day(value: date | str) -> str:
    """Date in words, such as ``2 December 2017``."""
    known = date.fromisoformat(str(value)[:10])
    return f"{known.day} {known:%B %Y}"


def plural(amount: int, one: str, many: str | None = None) -> str:
    """Count with its noun: ``1 customer``, ``1,200 customers``."""
    return f"{count(amount)} {one if amount == 1 else many or f'{one}s'}"


def listing(parts: Sequence[str]) -> str:
    """Join as ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def axis_locale() -> dict[str, object]:
    """Separators for the axes of pictures, in the shape that d3-format reads."""
    group, decimal = (_symbols()[name] for name in ("group", "decimal"))
    sign = _percent(Decimal(0), 0).removeprefix("0")
    return {
        "decimal": decimal, "thousands": group, "grouping": [3], "currency": ["", ""],
        "percent": sign,
    }  # fmt: skip


def _symbols() -> dict[str, str]:
    return locale(chosen()).number_symbols["latn"]


def _percent(hundredths: Decimal, digits: int) -> str:
    pattern = _unmarked(locale(chosen()).percent_formats[None].pattern)
    return re.sub(r"[#0.,]+", _digits(hundredths, digits), pattern)


def _digits(amount: Decimal, decimals: int) -> str:
    """Digits in the groups of the locale; a negative number with a minus sign, zero without."""
    pattern = locale(chosen()).decimal_formats[None].pattern.partition(".")[0]
    shape = f"{pattern}.{'0' * decimals}" if decimals else pattern
    shown = _rounded(amount, decimals)
    text = format_decimal(abs(shown), format=shape, locale=locale(chosen()))
    return f"{MINUS if shown < 0 else ''}{text}"


def _rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _unmarked(pattern: str) -> str:
    """Pattern without marks of direction: the page isolates its numbers itself."""
    return re.sub("[\u200e\u200f\u061c]", "", pattern)
