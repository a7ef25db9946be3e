"""Numbers, money and dates as a reader prints them."""

from collections.abc import Sequence
from datetime import date

SYMBOLS = {
    "AUD": "A$",
    "CAD": "CA$",
    "CHF": "CHF ",
    "DKK": "DKK ",
    "EUR": "€",
    "GBP": "£",
    "INR": "₹",
    "JPY": "¥",
    "NOK": "NOK ",
    "NZD": "NZ$",
    "PLN": "PLN ",
    "SEK": "SEK ",
    "USD": "$",
}
MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def decimal_text(cents: int) -> str:
    """Cents as exact decimal text without a symbol: ``-5`` gives ``-0.05``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def count(number: int) -> str:
    """Whole number with thousands separators."""
    return f"{number:,}".replace("-", MINUS)


def money(cents: int, currency: str, *, whole: bool = False) -> str:
    """Money with the currency's symbol and thousands separators.

    Parameters
    ----------
    cents : int
    currency : str
        ISO 4217 code; one without a known symbol is printed in front.
    whole : bool
        Leave the cents out, rounded half up.
    """
    units, rest = divmod(abs(cents), 100)
    amount = f"{(abs(cents) + 50) // 100:,}" if whole else f"{units:,}.{rest:02d}"
    sign = MINUS if cents < 0 and amount.strip("0.,") else ""
    return f"{sign}{SYMBOLS.get(currency, f'{currency} ')}{amount}"


def percent(rate: float | None, digits: int = 1) -> str:
    """Rate (0-1) as a percentage; a dash where there is none."""
    if rate is None:
        return DASH
    smallest = 10**-digits
    if 0 < 100 * rate < smallest / 2:
        return f"<{smallest:g}%"
    return f"{100 * rate:.{digits}f}%".replace("-", MINUS)


def number(value: float | None, digits: int) -> str:
    """Value with `digits` decimals; a dash where there is none."""
    return DASH if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


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
