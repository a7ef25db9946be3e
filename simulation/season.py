"""How busy each hour is, and random moments that follow it.

Time is kept as whole seconds since the first simulated midnight (UTC). The relative intensity of
an hour is yearly x weekday x hour of the day, scaled to a mean of 1:

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


class Season(NamedTuple):
    """The simulated days and how activity time runs through them.

    Attributes
    ----------
    start : date
        The first simulated day.
    days : int
        Number of simulated days.
    activity : array, shape (24 * days + 1,)
        Activity time at each full hour [average days]; strictly increasing from 0.
    """

    start: date
    days: int
    activity: np.ndarray

    @property
    def end_at(self) -> int:
        """Midnight that ends the last simulated day [s since start]."""
        return self.days * DAY


def season_before(until: date, days: int) -> Season:
    """Build the season of the `days` days before `until`.

    Parameters
    ----------
    until : date
        The first day that is not simulated.
    days : int

    Returns
    -------
    Season
    """
    start = until - timedelta(days=days)
    dates = np.arange(np.datetime64(start), np.datetime64(until))
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(int)
    yearly = 1 + _AMPLITUDE * np.cos(2 * np.pi * (day_of_year - _PEAK_DAY_OF_YEAR) / 365.25)
    weekday = (dates.astype(int) + 3) % 7  # day 0 of the Unix era was a Thursday; 0 is Monday
    hourly = np.outer(yearly * _WEEKDAYS[weekday], _HOURS).ravel()
    return Season(start, days, np.append(0.0, np.cumsum(hourly / hourly.mean()) / 24))


def activity_at(season: Season, at: np.ndarray) -> np.ndarray:
    """Activity time of moments, held at the ends outside the season.

    Parameters
    ----------
    season : Season
    at : array of s since start

    Returns
    -------
    array of average days, same shape
    """
    return np.interp(at / 3600, np.arange(season.activity.size), season.activity)


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


def scatter(
    rng: np.random.Generator,
    season: Season,
    *,
    rate: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a seasonal Poisson process for every customer.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    rate : array, shape (n_customers,)
        Events a day, on an average day.
    start, end : arrays, shape (n_customers,)
        Half-open interval of each customer [s since start]; empty where `end` <= `start`.

    Returns
    -------
    who : array, shape (n_drawn,)
        Position of the customer, ascending.
    at : array, shape (n_drawn,)
        Moments [s since start], unordered within a customer.
    """
    begin = activity_at(season, start)
    length = np.maximum(activity_at(season, end) - begin, 0)
    who = np.repeat(np.arange(rate.size), rng.poisson(rate * length))
    return who, moment_at(season, begin[who] + rng.random(who.size) * length[who])


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
