"""Whether events still arrive as they used to: their number, and what their columns hold.

The week before the as-of date is held against the weeks before it. A figure is unusual if it is
both far from the usual one (the limits of ``params.yaml``) and further than chance and the
series' own unrest explain: four robust standard deviations of its logarithm.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median
from typing import NamedTuple

import narwhals as nw

from features.finding import Finding
from features.params import MonitorParams
from features.time import day_number

WEEK_DAYS = 7
SURE = 4.0  # robust standard deviations
MAD_TO_SD = 1.4826
SHARE_CHANGE = 0.2  # of the rows: by how much the share of empty cells may change in a week


class Week(NamedTuple):
    """One week's events of a type, or of all."""

    events: int
    customers: int
    cents: int
    channels: int
    hours: int


NONE = Week(0, 0, 0, 0, 0)
Weeks = Mapping[str, Sequence[Week]]
EVERY = "all events"


def weekly(events: nw.LazyFrame, as_of: date, weeks: int) -> nw.LazyFrame:
    """Events by type and week before `as_of`.

    Parameters
    ----------
    events : table of schemas.EVENTS
    as_of : date
        The first day that is not seen.
    weeks : int
        How many weeks before the latest one.

    Returns
    -------
    table, shape (n_types_and_weeks, 7)
        ``event_type``, ``week`` (0: the latest), and the fields of `Week`; ``channels`` and
        ``hours`` count rows that have one.
    """
    ago = nw.lit(day_number(as_of) - 1) - nw.col("day")
    seen = events.filter(nw.col("visible_day") < day_number(as_of))
    recent = seen.with_columns(week=ago // WEEK_DAYS)
    recent = recent.filter((nw.col("week") >= 0) & (nw.col("week") <= weeks))
    return recent.group_by("event_type", "week").agg(
        nw.len().alias("events"),
        nw.col("customer_id").n_unique().alias("customers"),
        nw.col("value_cents").sum().alias("cents"),
        nw.col("channel").count().alias("channels"),
        nw.col("hour").count().alias("hours"),
    )


def by_type(rows: Sequence[Sequence], weeks: int) -> dict[str, list[Week]]:
    """The rows of `weekly` by type, latest week first, weeks without events included."""
    found: dict[str, dict[int, Week]] = {}
    for event_type, week, *figures in rows:
        found.setdefault(event_type, {})[week] = Week(*figures)
    series = {name: [s.get(k, NONE) for k in range(weeks + 1)] for name, s in found.items()}
    sums = [Week(*map(sum, zip(*week, strict=True))) for week in zip(*series.values(), strict=True)]
    return {EVERY: sums, **dict(sorted(series.items()))}


def flow_findings(series: Weeks, params: MonitorParams) -> list[Finding]:
    """What is unusual about the latest week.

    Parameters
    ----------
    series : mapping
        Result of `by_type`.
    params : MonitorParams
        Types with fewer events a usual week than ``min_events`` are not judged.
    """
    judged = {n: s for n, s in series.items() if _usual(s, "events") >= params.min_events}
    found = [f for name, weeks in judged.items() for f in _of_type(name, weeks, params)]
    return found or [Finding("flow", "ok", _quiet(len(judged)))]


def _quiet(judged: int) -> str:
    if not judged:
        return "too few events a week to say what is usual"
    return f"the week's events are as usual, in number and content ({judged - 1} types)"


def _of_type(name: str, weeks: Sequence[Week], params: MonitorParams) -> list[Finding]:
    now = weeks[0]
    if not now.events:
        usual = _usual(weeks, "events")
        return [Finding("stopped", "error", f"{name}: none in the last week, usually {usual:,.0f}")]
    return [
        *_ratio("volume", f"{name}: events", [w.events for w in weeks], params),
        *_ratio("content", f"{name}: money an event", [_per_event(w) for w in weeks], params),
        *_ratio("content", f"{name}: events a customer", [_per_head(w) for w in weeks], params),
        *_filled(f"{name}: rows with a channel", weeks, "channels"),
        *_filled(f"{name}: rows with an hour", weeks, "hours"),
    ]


def _usual(weeks: Sequence[Week], field: str) -> float:
    return median(getattr(week, field) for week in weeks[1:])


def _per_event(week: Week) -> float:
    return abs(week.cents) / week.events if week.events else 0.0


def _per_head(week: Week) -> float:
    return week.events / week.customers if week.customers else 0.0


def _ratio(check: str, what: str, values: Sequence[float], params: MonitorParams) -> list[Finding]:
    now, past = values[0], [value for value in values[1:] if value > 0]
    if len(past) < len(values) // 2:
        return []
    usual = median(past)
    ratio = now / usual
    inside = params.min_volume_ratio <= ratio <= params.max_volume_ratio
    if inside or (now > 0 and abs(math.log(ratio)) <= SURE * _unrest(past)):
        return []
    words = f"{what}: {now:,.4g} in the last week, {ratio:.2f} times the usual {usual:,.4g}"
    return [Finding(check, "error", words)]


def _unrest(past: Sequence[float]) -> float:
    """Robust standard deviation of the logarithms."""
    logs = [math.log(value) for value in past]
    middle = median(logs)
    return MAD_TO_SD * median(abs(value - middle) for value in logs)


def _filled(what: str, weeks: Sequence[Week], field: str) -> list[Finding]:
    shares = [getattr(week, field) / week.events for week in weeks if week.events]
    now, usual = shares[0], median(shares[1:])
    if abs(now - usual) <= SHARE_CHANGE:
        return []
    return [Finding("content", "error", f"{what}: {now:.0%} in the last week, usually {usual:.0%}")]
