"""Where a company stands at a moment: all that the future depends on, and nothing else."""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.consent import Consent
from simulation.happenings import Moments
from simulation.season import DAY, NEVER, Season
from simulation.tactics import PRESSURE_HALF_LIFE_DAYS, Reached
from simulation.traits import BUYER, CONTACT, Traits

_CONTACT_INTEREST_DAYS, _REGISTRANT_INTEREST_DAYS = 60.0, 120.0
_MEMBER_SHARE, _MEMBER_AFTER_ORDERS = 0.5, 4


class Occasions(NamedTuple):
    """Moments at which customers would buy; arrays of the same length.

    Attributes
    ----------
    who, at : position of the customer, and the moment [s since start]
    fate : uniform number in [0, 1) that decides whether they drop out after it
    factor : order value over the customer's mean
    prompted : bool, happens because of an action
    """

    who: np.ndarray
    at: np.ndarray
    fate: np.ndarray
    factor: np.ndarray
    prompted: np.ndarray

    def where(self, chosen: np.ndarray) -> "Occasions":
        """Keep the chosen rows."""
        return Occasions(*(values[chosen] for values in self))


class State(NamedTuple):
    """What changes in time: one array entry a customer, and what is already on its way.

    Attributes
    ----------
    at : int
        Now [s since start]: what happened before is settled.
    buying : bool, buys of their own accord (unless dropped out)
    orders : number of orders so far
    dropped_at, soured_at, quiet_at : s since start; NEVER where it is not settled to happen
        The drop-out, the trouble that leads to it, and the end of all interest. A drop-out because
        of trouble is settled before it happens.
    hushed_until : s since start
        Skips all purchases before.
    joining : number of orders after which they join the loyalty programme
    emails : number of e-mails so far
    unsubscribed_at : s since start; NEVER where they did not
    pressure, pressed_at : recent contacts, and when they were counted [s since start]
    ahead : Occasions later than `at`: all of the next ten days, and prompted ones
    research : Moments later than `at`: visits that lead to occasions ahead
    pending : frame as from `simulation.happenings.happening`, later than `at`
    events : int
        Number of events so far.
    """

    at: int
    buying: np.ndarray
    orders: np.ndarray
    dropped_at: np.ndarray
    soured_at: np.ndarray
    quiet_at: np.ndarray
    hushed_until: np.ndarray
    joining: np.ndarray
    emails: np.ndarray
    unsubscribed_at: np.ndarray
    pressure: np.ndarray
    pressed_at: np.ndarray
    ahead: Occasions
    research: Moments
    pending: pl.DataFrame
    events: int


class World(NamedTuple):
    """A company: what it is like, and where it stands.

    Attributes
    ----------
    seed : int
    season : Season
    traits : Traits
    consent : Consent
        Before any unsubscription.
    state : State
    """

    seed: int
    season: Season
    traits: Traits
    consent: Consent
    state: State


def first_state(rng: np.random.Generator, traits: Traits) -> State:
    """Nothing has happened yet.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits

    Returns
    -------
    State
    """
    size = traits.kind.size
    none = np.zeros(0, dtype=np.int64)
    joining = np.where(
        rng.random(size) < _MEMBER_SHARE,
        rng.integers(2, _MEMBER_AFTER_ORDERS + 1, size),
        np.iinfo(np.int32).max,
    )
    return State(
        at=0,
        buying=traits.kind == BUYER,
        orders=np.zeros(size, dtype=np.int64),
        dropped_at=np.full(size, NEVER),
        soured_at=np.full(size, NEVER),
        quiet_at=_interest(rng, traits),
        hushed_until=np.zeros(size, dtype=np.int64),
        joining=joining,
        emails=np.zeros(size, dtype=np.int64),
        unsubscribed_at=np.full(size, NEVER),
        pressure=np.zeros(size),
        pressed_at=np.zeros(size, dtype=np.int64),
        ahead=Occasions(none, none, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool)),
        research=Moments(none, none),
        pending=pl.DataFrame(),
        events=0,
    )


def reached(
    world: World, who: np.ndarray, *, tactic: np.ndarray | int, channel: np.ndarray | int
) -> Reached:
    """How customers stand now whom an action reaches.

    Parameters
    ----------
    world : World
    who : array of int
        Positions of the customers.
    tactic, channel : arrays of int, or int
        Positions in `simulation.tactics.NAMES` and `REACHES`.

    Returns
    -------
    Reached
    """
    state = world.state
    gone_days = np.maximum(state.at - state.dropped_at[who], 0) / DAY
    leaving = (state.dropped_at[who] > state.at) & (state.soured_at[who] < NEVER)
    return Reached(
        who=who,
        tactic=np.broadcast_to(tactic, who.shape),
        channel=np.broadcast_to(channel, who.shape),
        orders=state.orders[who],
        buying=state.buying[who],
        interested=state.quiet_at[who] > state.at,
        dropped_days=gone_days,
        leaving_at=np.where(leaving, state.dropped_at[who], NEVER),
        pressure=pressure(state)[who],
    )


def pressure(state: State) -> np.ndarray:
    """Recent contacts of each customer, now."""
    return state.pressure * 0.5 ** ((state.at - state.pressed_at) / DAY / PRESSURE_HALF_LIFE_DAYS)


def _interest(rng, traits):
    mean_days = np.where(traits.kind == CONTACT, _CONTACT_INTEREST_DAYS, _REGISTRANT_INTEREST_DAYS)
    ends = traits.known_at + rng.standard_exponential(traits.kind.size) * DAY * mean_days
    return np.where(traits.kind == BUYER, NEVER, ends).astype(np.int64)
