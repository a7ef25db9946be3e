"""How busy each hour is, and random moments that follow it.

Time is kept as whole seconds since the first simulated midnight (UTC). The relative intensity of
an hour is yearly x weekday x hour of the day, 1 on average over a whole year:

* yearly: a cosine of amplitude 0.25 that peaks on 5 December;
* weekday and hour: the tables below, a shop whose customers live in North America, seen in UTC.

The running sum of that intensity is *activity time*, in average days. A Poisson process that is
uniform in activity time is a seasonal one on the clock (the time-change theorem: Daley and
Vere-Jones, 2003, An Introduction to the Theory of Point Processes, section 7.4). All figures here
are assumptions of the simulated world, not measurements.
"""

import zlib
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

DAY = 86_400
NEVER = 1 << 40  # [s] far past any end, yet safe to add to

_AMPLITUDE = 0.25
_PEAK_DAY_OF_YEAR = 339
_WEEKDAYS = np.array([0.95, 0.93, 0.95, 1.00, 1.10, 1.12, 0.95])
_HOURS = np.array(
    [
        *(1.3, 1.2, 1.0, 0.8, 0.5, 0.3, 0.2, 0.1, 0.1, 0.2, 0.4, 0.6),
        *(0.9, 1.1, 1.2, 1.3, 1.4, 1.4, 1.3, 1.3, 1.3, 1.4, 1.5, 1.5),
    ]
)
_FUTURE_DAYS = 3653  # the clock runs ten years past the history, so that a company can be played on


class Season(NamedTuple):
    """The days of the history and how activity time runs through them and past them.

    Attributes
    ----------
    start : date
        The first simulated day.
    days : int
        Number of days of the history.
    activity : array, shape (24 * days + 24 * 3653 + 1,)
        Activity time at each full hour [average days]; strictly increasing from 0.
    """

    start: date
    days: int
    activity: np.ndarray

    @property
    def end_at(self) -> int:
        """Midnight that ends the last day of the history [s since start]."""
        return self.days * DAY


def season_before(until: date, days: int) -> Season:
    """Build the season of the `days` days before `until`.

    Parameters
    ----------
    until : date
        The first day that is not history.
    days : int

    Returns
    -------
    Season
    """
    start = until - timedelta(days=days)
    dates = np.datetime64(start) + np.arange(days + _FUTURE_DAYS)
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(int)
    yearly = 1 + _AMPLITUDE * np.cos(2 * np.pi * (day_of_year - _PEAK_DAY_OF_YEAR) / 365.25)
    weekday = (dates.astype(int) + 3) % 7  # day 0 of the Unix era was a Thursday; 0 is Monday
    daily = yearly * _WEEKDAYS[weekday] / _WEEKDAYS.mean()
    hourly = np.outer(daily, _HOURS / _HOURS.mean()).ravel()
    return Season(start, days, np.append(0.0, np.cumsum(hourly) / 24))


def activity_at(season: Season, at: np.ndarray) -> np.ndarray:
    """Activity time of moments, held at the ends of the clock.

    Parameters
    ----------
    season : Season
    at : array of s since start

    Returns
    -------
    array of average days, same shape
    """
    within = np.clip(at, 0, (season.activity.size - 1) * 3600)
    # Hours are even, so that each is found by division, many times faster than by searching.
    hour = np.minimum(within // 3600, season.activity.size - 2).astype(np.int32)
    before = season.activity[hour]
    return before + (season.activity[hour + 1] - before) * (within / 3600 - hour)


def moment_at(season: Season, activity: np.ndarray) -> np.ndarray:
    """Moments at which an activity time is reached; the inverse of `activity_at`.

    Parameters
    ----------
    season : Season
    activity : array of average days

    Returns
    -------
    array of int64, s since start, same shape
    """
    hours = np.interp(activity, season.activity, np.arange(season.activity.size))
    return (hours * 3600).astype(np.int64)


class Span(NamedTuple):
    """A time of each customer's own, in activity time [average days].

    Attributes
    ----------
    who : array of int, shape (n_spans,)
        Position of the customer, ascending; those whose time is empty are left out.
    begin, length : arrays, shape (n_spans,)
    """

    who: np.ndarray
    begin: np.ndarray
    length: np.ndarray


def span(season: Season, start: np.ndarray, end: np.ndarray) -> Span:
    """Half-open intervals of all customers [s since start]; empty where `end` <= `start`.

    Parameters
    ----------
    season : Season
    start, end : arrays, shape (n_customers,)

    Returns
    -------
    Span
    """
    who = np.flatnonzero(start < end)
    begin = activity_at(season, start[who])
    return Span(who, begin, activity_at(season, end[who]) - begin)


def scatter(
    rng: np.random.Generator, season: Season, within: Span, *, rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a seasonal Poisson process for every customer.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    within : Span
    rate : array, shape (n_customers,)
        Events a day, on an average day.

    Returns
    -------
    who : array, shape (n_drawn,)
        Position of the customer, ascending.
    at : array, shape (n_drawn,)
        Moments [s since start], unordered within a customer.
    """
    drawn = rng.poisson(rate[within.who] * within.length)
    row = np.repeat(np.arange(within.who.size), drawn)
    at = within.begin[row] + rng.random(row.size) * within.length[row]
    return within.who[row], moment_at(season, at)


def stream(seed: int, name: str) -> np.random.Generator:
    """Random stream of one part of the world, independent of every other part's.

    The key is the part's name, not its turn, so that a new part shifts none of the others.

    Parameters
    ----------
    seed : int
    name : str

    Returns
    -------
    numpy Generator
    """
    key = zlib.crc32(name.encode())
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(key,)))
