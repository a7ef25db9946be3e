"""When customers buy, when they drop out, and when they fall silent.

A buyer's first purchase comes after an exponential wait; later ones are a Poisson process at the
buyer's own rate; after each purchase the buyer drops out with the own probability. Mixed over
customers this is the BG/NBD model with a wait before the first purchase (Fader, Hardie and Lee,
2005; see `simulation.traits`). It runs in activity time, so purchases follow the season.

Half of those who drop out just stop. The other half are *soured* by the purchase: trouble with it
and with the next ones (`simulation.service`) and falling visits (`simulation.browsing`) show before
they stop, 20 to 60 days later; until then they go on buying.

These are purchase *occasions*: an action can add a purchase or make a customer skip some, and can
undo a drop-out (`simulation.tactics`), but it moves no occasion. Occasions are drawn whatever was
done to the customer, so two companies that differ only in what they did have the same ones: what
they did is all that makes their sales differ.

Before an occasion come on average 0.8 research visits, in the ten days ahead. Occasions are
therefore drawn ten days ahead of time.
"""

from typing import NamedTuple

import numpy as np

from simulation.happenings import Moments
from simulation.season import DAY, NEVER, scatter, span
from simulation.state import Occasions, State, World

AHEAD_DAYS = 10
_SIGMA = 0.4
_SOURED_SHARE = 0.5
_LEAVING_DAYS = (20.0, 60.0)
_FADE_DAYS = 8.0  # mean interest left after dropping out
_RESEARCH_VISITS = 0.8


class Settled(NamedTuple):
    """What became of the occasions of a period.

    Attributes
    ----------
    state : State
        With drop-outs, but still at the period's start.
    placed : Occasions
        Those that became orders, sorted by customer and moment.
    visits : Moments
        Research visits of the period.
    """

    state: State
    placed: Occasions
    visits: Moments


def order_factor(rng: np.random.Generator, size: int) -> np.ndarray:
    """Order value over the customer's mean: log-normal, mean 1, sigma 0.4."""
    return rng.lognormal(-(_SIGMA**2) / 2, _SIGMA, size)


def settle(rng: np.random.Generator, world: World, until_at: int) -> Settled:
    """Draw the occasions of the next period and decide what becomes of them.

    Parameters
    ----------
    rng : numpy Generator
    world : World
    until_at : int
        End of the period [s since start].

    Returns
    -------
    Settled
    """
    state = world.state
    drawn = _draw(rng, world, until_at)
    research = _research(rng, drawn, state.research)
    occasions = Occasions(*(np.concatenate(pair) for pair in zip(state.ahead, drawn, strict=True)))
    due = occasions.at < until_at
    state = state._replace(ahead=occasions.where(~due))
    fade = rng.standard_exponential(state.orders.size) * _FADE_DAYS * DAY
    placed, state = _place(occasions.where(due), state, world.traits, fade.astype(np.int64))
    soon = research.at < until_at
    state = state._replace(research=research.where(~soon))
    visits = research.where(soon)
    alive = state.buying[visits.who] & (visits.at < state.dropped_at[visits.who])
    return Settled(state, placed, visits.where(alive))


def _draw(rng, world, until_at):
    """Occasions between the last frontier, ten days ahead of now, and the next one."""
    traits, season, size = world.traits, world.season, world.traits.kind.size
    begin = world.state.at + AHEAD_DAYS * DAY if world.state.at else 0
    end = until_at + AHEAD_DAYS * DAY
    first = np.flatnonzero((traits.first_at >= begin) & (traits.first_at < end))
    after_first = span(season, np.maximum(traits.first_at, begin), np.full(size, end))
    who, at = scatter(rng, season, after_first, rate=traits.rate_per_day)
    who, at = np.append(first, who), np.append(traits.first_at[first], at)
    return Occasions(
        who, at, rng.random(who.size), order_factor(rng, who.size), np.zeros(who.size, dtype=bool)
    )


def _research(rng, drawn, before):
    occasion = np.repeat(np.arange(drawn.who.size), rng.poisson(_RESEARCH_VISITS, drawn.who.size))
    ahead = rng.integers(4000, AHEAD_DAYS * DAY, occasion.size)
    return Moments(
        np.append(before.who, drawn.who[occasion]), np.append(before.at, drawn.at[occasion] - ahead)
    )


def _place(due, state, traits, fade):
    """Orders among the occasions that are due, and the drop-outs that follow them."""
    due = due.where(np.lexsort((due.at, due.who)))
    own = ~due.prompted & state.buying[due.who] & (due.at >= state.hushed_until[due.who])
    own &= due.at < state.dropped_at[due.who]
    turning = own & (due.fate < traits.drop_probability[due.who])
    turning &= state.soured_at[due.who] == NEVER
    rows = np.flatnonzero(turning)
    who, first = np.unique(due.who[rows], return_index=True)
    turn = due.where(rows[first])
    share = turn.fate / traits.drop_probability[who]
    soured = share < _SOURED_SHARE
    delay_days = np.interp(share, (0, _SOURED_SHARE), _LEAVING_DAYS) * soured
    dropped_at, soured_at, quiet_at = (
        times.copy() for times in (state.dropped_at, state.soured_at, state.quiet_at)
    )
    dropped_at[who] = turn.at + (delay_days * DAY).astype(np.int64)
    soured_at[who[soured]] = turn.at[soured]
    quiet_at[who] = dropped_at[who] + fade[who]
    placed = due.where(due.prompted | (own & (due.at <= dropped_at[due.who])))
    state = state._replace(dropped_at=dropped_at, soured_at=soured_at, quiet_at=quiet_at)
    return placed, state


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
