"""Which column of a file is what: by its name, checked against what is in it."""

from typing import Literal, NamedTuple

import narwhals as nw
import polars as pl

from features.errors import DataError, InputMissingError
from features.totals import REASON, growth, is_total
from pipelines.onboarding import vocabulary
from pipelines.onboarding.formats import NumberForm, TimeForm, number_form, time_form
from pipelines.onboarding.samples import Sample
from pipelines.onboarding.vocabulary import rank, says, words

Sureness = Literal["sure", "likely", "check"]
MOST_TYPES = 500
GROWN = 1.5


class Pick(NamedTuple):
    """A column for a target, why, how sure, and what fits just as well."""

    column: str
    why: str
    sure: Sureness
    rivals: tuple[str, ...] = ()


class Profile(NamedTuple):
    """What is in a column: how much is filled and differs, which times or numbers it writes."""

    filled: float
    distinct: int
    values: int
    time: TimeForm | None
    number: NumberForm | None

    @property
    def repeats(self) -> bool:
        """Whether most values occur more than once."""
        return self.distinct < 0.9 * self.values


class Profiled(NamedTuple):
    """A sample with the profile of each column, and the columns that are refused."""

    sample: Sample
    profiles: dict[str, Profile]
    refused: dict[str, str]

    def named(self, target: str, taken: set[str] | None = None) -> list[tuple[int, str]]:
        """Columns whose names say that they are the target, most telling first."""
        ranks = [(rank(name, target), name) for name in self.profiles]
        free = [(r, n) for r, n in ranks if r is not None and n not in (taken or set())]
        return sorted((r, n) for r, n in free if n not in self.refused)

    def columns_of_money(self) -> list[str]:
        """Columns whose names say that they hold amounts or prices."""
        found = [n for target in ("value", "price") for _, n in self.named(target)]
        return list(dict.fromkeys(found))


def profile(sample: Sample, *, day_first: bool | None) -> Profiled:
    """Look into every column of a sample."""
    profiles = {name: _profile(sample.spread[name], day_first) for name in sample.columns}
    refused = {name: REASON for name in sample.columns if is_total(words(name))}
    shown = Profiled(sample, profiles, refused)
    return shown._replace(refused={n: why + _growth(shown, n) for n, why in refused.items()})


def _profile(column: pl.Series, day_first: bool | None) -> Profile:
    filled = column.drop_nulls()
    if column.dtype == pl.String:
        filled = filled.filter(filled.str.strip_chars() != "")
    nested = column.dtype.is_nested()
    return Profile(
        filled=filled.len() / max(column.len(), 1),
        distinct=0 if nested else filled.n_unique(),
        values=filled.len(),
        time=time_form(column, day_first=day_first),
        number=number_form(column),
    )


def _growth(shown: Profiled, name: str) -> str:
    """What the data say of a total, where rows have a moment: older rows have more."""
    moments = [n for _, n in shown.named("occurred_at") if shown.profiles[n].time]
    rows = shown.sample.spread
    if not moments or not rows[name].dtype.is_numeric():
        return ""
    times = growth(nw.from_native(rows, eager_only=True), name, moments[0])
    return (
        f" (the oldest rows have {times:.1f} times the newest)" if times and times > GROWN else ""
    )


def the_time(shown: Profiled, option: str) -> Pick:
    """The column of the moment.

    Raises
    ------
    InputMissingError
        If no column holds times.
    """
    fit = [
        (r, n)
        for r, n in shown.named("occurred_at")
        if shown.profiles[n].time and not says(n, vocabulary.NOT_A_MOMENT)
    ]
    if fit:
        return _best(fit, "occurred_at", _time_why(shown, fit[0][1]))
    written = [n for n, p in shown.profiles.items() if p.time and not _like_epoch(p)]
    if len(written) == 1:
        why = f"the only column with times; {_time_why(shown, written[0])}"
        return Pick(written[0], why, "likely")
    if written:
        return Pick(written[0], "the first column with times", "check", tuple(written))
    raise InputMissingError(
        f"{option} {shown.sample.path.name}: no column with times. Got {_listed(shown)}. "
        f"Expected a date or time in one of them. Name it: --column occurred_at=NAME."
    )


def _like_epoch(profile: Profile) -> bool:
    return bool(profile.time and (profile.time.format or "").startswith("epoch"))


def _time_why(shown: Profiled, name: str) -> str:
    form = shown.profiles[name].time
    return form.why if form else ""


def the_customer(shown: Profiled, taken: set[str], option: str) -> Pick:
    """The column of the customer.

    Raises
    ------
    InputMissingError
        If no column could be.
    """
    fit = [(r, n) for r, n in shown.named("customer_id", taken) if _may_be_id(shown.profiles[n])]
    filled = [(r, n) for r, n in fit if shown.profiles[n].filled >= 0.5] or fit
    if filled:
        best = _best(filled, "customer_id", _id_why(shown, filled[0][1]))
        return best._replace(sure="likely") if filled[0][0] > 2 else best
    guessed = [
        n for n, p in shown.profiles.items()
        if n not in taken and n not in shown.refused and p.repeats and _looks_like_id(p, n)
    ]  # fmt: skip
    if len(guessed) == 1:
        return Pick(guessed[0], "by its content: ids that repeat", "check")
    if guessed:
        return Pick(guessed[0], "by its content: ids that repeat", "check", tuple(guessed))
    raise InputMissingError(
        f"{option} {shown.sample.path.name}: no column with a customer. Got {_listed(shown)}. "
        f"Name it: --column customer_id=NAME."
    )


def _may_be_id(profile: Profile) -> bool:
    return profile.filled > 0 and (profile.time is None or _like_epoch(profile))


def _looks_like_id(profile: Profile, name: str) -> bool:
    """Many different values, not a time, not an amount."""
    money = rank(name, "value") is not None or rank(name, "quantity") is not None
    many = profile.distinct > max(MOST_TYPES // 10, 0.01 * profile.values)
    return _may_be_id(profile) and many and not money


def _id_why(shown: Profiled, name: str) -> str:
    empty = 1 - shown.profiles[name].filled
    many = f"{shown.profiles[name].distinct:,} in the sample"
    return f"by its name; {many}" + (f", {empty:.0%} of rows have none" if empty >= 0.01 else "")


def the_event_id(shown: Profiled, taken: set[str]) -> Pick | None:
    """The column of the order's or event's id: of those named so, one that is always there."""
    fit = [
        (r, n) for r, n in shown.named("event_id", taken)
        if shown.profiles[n].filled > 0.99 and _may_be_id(shown.profiles[n])
        and (r < 3 or not shown.profiles[n].repeats)
    ]  # fmt: skip
    return _best(fit, "event_id", "by its name") if fit else None


def the_type(shown: Profiled, taken: set[str]) -> Pick | None:
    """The column of the event's type: few different words."""
    fit = [
        (r, n)
        for r, n in shown.named("event_type", taken)
        if 0 < shown.profiles[n].distinct <= MOST_TYPES and shown.profiles[n].filled > 0.5
        and shown.profiles[n].number is None and shown.profiles[n].time is None
    ]  # fmt: skip
    return _best(fit, "event_type", "") if fit else None


def the_number(shown: Profiled, target: str, taken: set[str]) -> Pick | None:
    """A column of numbers for value, quantity or price."""
    fit = [
        (r, n)
        for r, n in shown.named(target, taken)
        if shown.profiles[n].number and not says(n, vocabulary.NOT_THE_VALUE)
    ]
    return _best(fit, target, "by its name") if fit else None


def the_text(shown: Profiled, target: str, taken: set[str]) -> Pick | None:
    """A column for a target of plain text, by its name."""
    fit = [(r, n) for r, n in shown.named(target, taken) if shown.profiles[n].filled > 0]
    return _best(fit, target, "by its name") if fit else None


def _best(fit: list[tuple[int, str]], target: str, why: str) -> Pick:
    """The first by rank; other names of the same rank are rivals."""
    last = len(vocabulary.COLUMNS[target]) - 1
    place, column = min(fit, key=lambda found: found[0])
    rivals = tuple(n for r, n in fit if r == place)
    if len(rivals) > 1:
        return Pick(column, why, "check", rivals)
    return Pick(column, why, "likely" if 0 < place == last else "sure")


def told(shown: Profiled, column: str, target: str) -> Pick:
    """A column that the user named.

    Raises
    ------
    InputMissingError
        If there is no such column.
    """
    if column not in shown.profiles:
        raise InputMissingError(
            f"--column {target}: no such column. Got {column!r}. {shown.sample.path.name} has: "
            f"{_listed(shown)}."
        )
    if column in shown.refused:
        raise DataError(f"--column {target}: {column} is refused, {shown.refused[column]}.")
    return Pick(column, "as you said", "sure")


def _listed(shown: Profiled) -> str:
    return ", ".join(shown.sample.columns)
