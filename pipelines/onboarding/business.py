"""Time zone and currency of a company, read off its files."""

import re
from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from features.errors import DataError, UsageError
from pipelines.onboarding.formats import symbols
from pipelines.onboarding.places import CURRENCIES, LANGUAGES, NAMES, SIGNS, country_code, zones
from pipelines.onboarding.recognition import Profiled, Sureness
from pipelines.onboarding.vocabulary import words

MONEY_WORDS = {
    "usd": "USD",
    "dollar": "USD",
    "dollars": "USD",
    "eur": "EUR",
    "euro": "EUR",
    "gbp": "GBP",
}
MOSTLY = 0.5


class Setting(NamedTuple):
    """A value, why, and how sure it is."""

    value: str
    why: str
    sure: Sureness


def zone_of(files: list[Profiled], said: str | None) -> Setting:
    """The IANA zone of the business and of its times without a zone.

    Raises
    ------
    UsageError
        If the zone that was said is unknown.
    """
    if said:
        return Setting(_known(said), "as you said", "sure")
    country = _country(files)
    times = [p.time for shown in files for p in shown.profiles.values() if p.time]
    written = (
        "times have a zone; days begin"
        if any(t.zoned for t in times)
        else "times have no zone; taken"
    )
    if not any(t.clock for t in times):
        written = "days only, no clock times; days begin"
    if country:
        code, why = country
        found = zones(code)
        if found:
            return Setting(
                found[0], f"{written} as in {why}", "likely" if len(found) == 1 else "check"
            )
    return Setting("UTC", f"{written} in UTC, as nothing says where", "check")


def currency_of(files: list[Profiled], said: str | None) -> Setting:
    """The ISO 4217 code of all amounts.

    Raises
    ------
    UsageError
        If what was said is no code.
    DataError
        If a column of currencies holds several: amounts would be added up that cannot be.
    """
    if said and not is_currency(said):
        raise UsageError(f"--currency: expected an ISO 4217 code, for example EUR. Got {said!r}.")
    if said:
        return Setting(said.upper(), "as you said", "sure")
    column = next((c for shown in files if (c := _column(shown))), None)
    if column:
        return column
    signs = {
        SIGNS[sign]
        for shown in files
        for name in shown.columns_of_money()
        for sign in symbols(shown.sample.spread[name])
    }
    if len(signs) == 1:
        return Setting(signs.pop(), "by the sign beside the amounts", "sure")
    named = [
        (MONEY_WORDS[word], name)
        for shown in files
        for name in shown.profiles
        for word in words(name).split()
        if word in MONEY_WORDS
    ]
    if named:
        return Setting(named[0][0], f"by the name {named[0][1]}", "likely")
    country = _country(files)
    if country and country[0] in CURRENCIES:
        return Setting(CURRENCIES[country[0]], f"as in {country[1]}", "likely")
    return Setting("USD", "nothing says which", "check")


def is_zone(name: str) -> bool:
    """Whether a name is an IANA time zone's."""
    try:
        return ZoneInfo(name).key == name
    except (KeyError, ValueError, OSError):
        return False


def is_currency(code: str) -> bool:
    """Whether a text has the form of an ISO 4217 code."""
    return re.fullmatch("[A-Za-z]{3}", code) is not None


def _known(zone: str) -> str:
    if not is_zone(zone):
        raise UsageError(
            f"--timezone: unknown. Got {zone!r}. Expected an IANA name, for example Europe/London."
        )
    return zone


def _column(shown: Profiled) -> Setting | None:
    for _, name in shown.named("currency"):
        codes = shown.sample.spread[name].cast(pl.String).str.strip_chars().str.to_uppercase()
        counts = codes.filter(codes.str.contains(r"^[A-Z]{3}$")).value_counts(sort=True)
        if counts.height > 1:
            said = ", ".join(f"{code} {n:,}" for code, n in counts.head(4).iter_rows())
            raise DataError(
                f"{shown.sample.path.name}, {name}: several currencies. Got {said} in the sample. "
                f"Expected one, as amounts are added up. Convert them, or leave out the others."
            )
        if counts.height:
            return Setting(counts[counts.columns[0]][0], f"{name} has no other", "sure")
    return None


def _country(files: Iterable[Profiled]) -> tuple[str, str] | None:
    """Code of the country that most rows name, or whose language the columns' names are in."""
    for shown in files:
        for _, name in shown.named("country"):
            values = shown.sample.spread[name].cast(pl.String).drop_nulls()
            most, count = _most(values)
            code = country_code(most)
            if code and count >= MOSTLY * values.len():
                return code, f"{most}, {count / values.len():.0%} of {name}"
    for shown in files:
        for name in shown.profiles:
            for pattern, code in LANGUAGES.items():
                if re.fullmatch(pattern, words(name)):
                    return code, f"{NAMES[code]}, by the language of {name}"
    return None


def _most(values: pl.Series) -> tuple[str, int]:
    counts = values.value_counts(sort=True)
    return counts.row(0) if counts.height else ("", 0)
