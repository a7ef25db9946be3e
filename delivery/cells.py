"""What a cell of a platform's file may hold: one rule a kind, each with a name."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from delivery.identifiers import is_email, is_phone
from delivery.platforms import Cell, PlatformColumn

SHA256 = re.compile(r"[0-9a-f]{64}")
ANY_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
LEADING_ZERO = re.compile(r"-?0\d")
COUNTRY = re.compile(r"[A-Z]{2}")
LANGUAGE = re.compile(r"[a-z]{2}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
FORMULA = re.compile(r"[\t\r=+\-@\uff1d\uff0b\uff0d\uff20]|\s+[=+\-@]")


def form_fault(text: str, column: PlatformColumn, today: date) -> str | None:
    """Name of the rule that a filled cell breaks; None where it breaks none.

    Parameters
    ----------
    text : str
        Not empty.
    column : PlatformColumn
    today : date
        Times after it lie in the future.
    """
    if column.values and text not in column.values:
        return "value_unknown"
    check = CHECKS.get(column.holds)
    fault = check(text, today) if check else None
    return fault or _formula(text, column.holds)


def _formula(text: str, holds: Cell) -> str | None:
    """Rule of text that a spreadsheet would run; a plain number or telephone number is none."""
    if not FORMULA.match(text):
        return None
    number = NUMBER.fullmatch(text) or (holds in ("phone", "phone_or_sha256") and is_phone(text))
    return None if number else "formula_lead"


def _email(text: str, _: date) -> str | None:
    return None if is_email(text) else "email_form"


def _phone(text: str, _: date) -> str | None:
    return None if is_phone(text) else "phone_form"


def _sha256(text: str, _: date) -> str | None:
    if SHA256.fullmatch(text):
        return None
    if ANY_SHA256.fullmatch(text):
        return "hash_case"
    return "not_hashed" if "@" in text or is_phone(text) else "hash_form"


def _email_or_sha256(text: str, today: date) -> str | None:
    return None if is_email(text) else "email_form" if "@" in text else _sha256(text, today)


def _phone_or_sha256(text: str, today: date) -> str | None:
    return None if is_phone(text) else "phone_form" if len(text) < 20 else _sha256(text, today)


def _country(text: str, today: date) -> str | None:
    return _plain(text, today) or (None if COUNTRY.fullmatch(text) else "country_form")


def _plain(text: str, _: date) -> str | None:
    return "must_not_be_hashed" if ANY_SHA256.fullmatch(text) else None


def _language(text: str, _: date) -> str | None:
    return None if LANGUAGE.fullmatch(text) else "language_form"


def _date(text: str, _: date) -> str | None:
    return None if DAY.fullmatch(text) and _instant(text) else "date_form"


def _time(text: str, _: date) -> str | None:
    return None if _instant(text) else "time_form"


def _past_time(text: str, today: date) -> str | None:
    found = _instant(text)
    if found is None:
        return "time_form"
    return "future_time" if found.date() > today else None


def _instant(text: str) -> datetime | None:
    if not DAY.match(text):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found


def _number(text: str, _: date) -> str | None:
    if LEADING_ZERO.match(text):
        return "leading_zero"
    return None if NUMBER.fullmatch(text) else "number_form"


def _boolean(text: str, _: date) -> str | None:
    return None if text in ("true", "false") else "boolean_form"


CHECKS: dict[Cell, Callable[[str, date], str | None]] = {
    "email": _email,
    "phone": _phone,
    "sha256": _sha256,
    "email_or_sha256": _email_or_sha256,
    "phone_or_sha256": _phone_or_sha256,
    "country": _country,
    "plain": _plain,
    "language": _language,
    "date": _date,
    "time": _time,
    "past_time": _past_time,
    "number": _number,
    "boolean": _boolean,
}
