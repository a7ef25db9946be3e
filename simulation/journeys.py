"""When customers would buy, when they drop out, and when they fall silent.

A buyer's first purchase comes after an exponential wait; later ones are a Poisson process at the
buyer's own rate; after each purchase the buyer drops out for good with the own probability. Mixed
over customers this is the BG/NBD model with a wait before the first purchase (Fader, Hardie and
Lee, 2005; see `simulation.traits`). It runs in activity time, so purchases follow the season.

These are purchase *occasions*: a campaign can add a purchase or make a customer skip one
(`simulation.orders`), but it moves neither the later occasions nor the drop-out. That is what
makes the true effect of a campaign known exactly.

Half of those who drop out are *soured*: trouble with their last orders (`simulation.service`) and
falling visits (`simulation.browsing`) show before the silence. The others just stop.
"""

from typing import NamedTuple

import numpy as np

from simulation.season import DAY, NEVER, Season, activity_at, moment_at
from simulation.traits import BUYER, CONTACT, Traits

_SOURED_SHARE = 0.5
_FADE_DAYS = 8.0  # mean interest left after dropping out
_CONTACT_INTEREST_DAYS, _REGISTRANT_INTEREST_DAYS = 60.0, 120.0


class Journey(NamedTuple):
    """Purchase occasions, sorted by customer and moment, and three turns a customer.

    Attributes
    ----------
    who, at : arrays, shape (n_occasions,)
        Position of the customer, and the moment [s since start].
    first_at, dropped_at, quiet_at : arrays, shape (n_customers,)
        First occasion, the occasion after which they dropped out, and the end of all interest
        [s since start]; NEVER where it did not happen before the end.
    soured : array of bool, shape (n_customers,)
        They dropped out because of trouble.
    """

    who: np.ndarray
    at: np.ndarray
    first_at: np.ndarray
    dropped_at: np.ndarray
    quiet_at: np.ndarray
    soured: np.ndarray


def simulate_journeys(rng: np.random.Generator, season: Season, *, traits: Traits) -> Journey:
    """Draw every customer's purchase occasions and drop-out.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    traits : Traits

    Returns
    -------
    Journey
    """
    who, activity = _occasions(rng, season, traits=traits)
    rank = rank_within(who, traits.kind.size)
    last = rng.geometric(traits.drop_probability) - 1
    at = moment_at(season, activity)
    first_at, dropped_at = np.full((2, traits.kind.size), NEVER)
    first_at[who[rank == 0]] = at[rank == 0]
    leaving = rank == last[who]
    dropped_at[who[leaving]] = at[leaving]
    kept = rank <= last[who]
    soured = (dropped_at < NEVER) & (rng.random(traits.kind.size) < _SOURED_SHARE)
    quiet_at = _quiet(rng, traits, dropped_at=dropped_at)
    return Journey(who[kept], at[kept], first_at, dropped_at, quiet_at, soured)


def rank_within(who: np.ndarray, customers: int) -> np.ndarray:
    """Position of each row among the rows of its customer, from 0.

    Parameters
    ----------
    who : array, shape (n_rows,)
        Position of the customer, ascending.
    customers : int

    Returns
    -------
    array of int, shape (n_rows,)
    """
    counts = np.bincount(who, minlength=customers)
    return np.arange(who.size) - (np.cumsum(counts) - counts)[who]


def buying_rate(traits: Traits, journey: Journey, *, at: np.ndarray) -> np.ndarray:
    """Rate of purchase occasions at given moments, for those who have not dropped out.

    Parameters
    ----------
    traits : Traits
    journey : Journey
    at : array, shape (n_moments,)
        Moments [s since start].

    Returns
    -------
    array, shape (n_customers, n_moments)
        Occasions a day, on an average day; 0 once dropped out.
    """
    started = journey.first_at[:, None] <= at
    rate = np.where(started, traits.rate_per_day[:, None], traits.first_rate[:, None])
    return np.where(at < journey.dropped_at[:, None], rate, 0.0)


def _occasions(rng, season, *, traits):
    total = season.activity[-1]
    buyer = traits.kind == BUYER
    wait = rng.standard_exponential(buyer.size) / np.where(buyer, traits.first_rate, 1.0)
    first = np.where(buyer, activity_at(season, traits.known_at) + wait, np.inf)
    left = np.maximum(total - first, 0)
    repeats = np.repeat(np.arange(buyer.size), rng.poisson(traits.rate_per_day * left))
    later = first[repeats] + rng.random(repeats.size) * left[repeats]
    starters = np.flatnonzero(first < total)
    who = np.concatenate([starters, repeats])
    activity = np.concatenate([first[starters], later])
    order = np.lexsort((activity, who))
    return who[order], activity[order]


def _quiet(rng, traits, *, dropped_at):
    drawn = rng.standard_exponential(traits.kind.size) * DAY
    mean_days = np.where(traits.kind == CONTACT, _CONTACT_INTEREST_DAYS, _REGISTRANT_INTEREST_DAYS)
    browser = traits.known_at + drawn * mean_days
    buyer = np.where(dropped_at < NEVER, dropped_at + drawn * _FADE_DAYS, NEVER)
    return np.where(traits.kind == BUYER, buyer, browser).astype(np.int64)
