"""From a plan that breaks limits to one that keeps them all and leaves nothing on the table."""

from typing import NamedTuple

import numpy as np

from actions.dual import NONE
from actions.limits import Limits

SWITCHING_ROUNDS = 40


class Candidates(NamedTuple):
    """Changes that could be made: the customer, the new option, and what the change is worth."""

    customer: np.ndarray
    option: np.ndarray
    gain: np.ndarray


def relieve(
    worth: np.ndarray, limits: Limits, prices: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Move customers off exceeded limits, those first who lose least for what they free.

    A limit that was seen to is never used more again, so each is seen to once.
    """
    chosen, charge = chosen.copy(), prices @ limits.use
    settled = np.zeros(len(limits.most), dtype=bool)
    while True:
        over = limits.used(chosen) - limits.most
        if (over <= 0).all():
            return chosen
        limit = int(np.argmax(over / np.maximum(limits.most, 1)))
        moves, freed = _moves_off(worth, limits, charge, chosen, limit, settled)
        order = np.argsort(-moves.gain / freed, kind="stable")
        enough = int(np.searchsorted(np.cumsum(freed[order]), over[limit])) + 1
        chosen[moves.customer[order[:enough]]] = moves.option[order[:enough]]
        settled[limit] = True


def _moves_off(
    worth: np.ndarray,
    limits: Limits,
    charge: np.ndarray,
    chosen: np.ndarray,
    limit: int,
    settled: np.ndarray,
) -> tuple[Candidates, np.ndarray]:
    """Each user's best way to use less of the limit, and what that frees."""
    found, freed = [], []
    for option in np.flatnonzero(limits.use[limit] > 0):
        users = np.flatnonzero(chosen == option)
        spared = limits.use[:, [option]] - limits.use
        usable = (spared[limit] > 0) & (spared[settled] >= 0).all(axis=0)
        best, other = best_among(worth, charge, users, np.flatnonzero(usable))
        found.append(Candidates(users, other, best - (worth[option, users] - charge[option])))
        left = np.where(other == NONE, 0, limits.use[limit][other])
        freed.append(limits.use[limit, option] - left)
    joined = Candidates(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    order = np.argsort(joined.customer)
    return Candidates(*(part[order] for part in joined)), np.concatenate(freed)[order]


def best_among(
    worth: np.ndarray, charge: np.ndarray, customers: np.ndarray, usable: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each customer's best usable option after its charge, or none at 0."""
    best, option = np.zeros(len(customers)), np.full(len(customers), NONE, dtype=np.int64)
    for k in usable:
        own = worth[k, customers]
        gain = own - charge[k]
        better = (own > 0) & (gain > best)
        np.copyto(best, gain, where=better)
        np.copyto(option, k, where=better)
    return best, option


def fill(worth: np.ndarray, limits: Limits, prices: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Use up what is left: better options first, then options for those who have none.

    Nobody is left without an option who could still have one.
    """
    chosen, charge = chosen.copy(), prices @ limits.use
    for _ in range(SWITCHING_ROUNDS):
        if not _add(worth, limits, charge, chosen, switching=True):
            break
    while _add(worth, limits, charge, chosen, switching=False):
        pass
    return chosen


def _add(
    worth: np.ndarray, limits: Limits, charge: np.ndarray, chosen: np.ndarray, *, switching: bool
) -> int:
    """Make, best first, as many changes as fit; returns how many."""
    room = limits.most - limits.used(chosen)
    found = _additions(worth, limits, charge, chosen, room, switching=switching)
    order = np.lexsort((found.customer, -found.gain))
    customer, option = found.customer[order], found.option[order]
    held = chosen[customer]
    before = np.where(held == NONE, 0, limits.use[:, held])
    needed = np.cumsum(limits.use[:, option] - before, axis=1)
    fits = (needed <= room[:, None]).all(axis=0)
    made = len(customer) if fits.all() else int(np.argmin(fits))
    chosen[customer[:made]] = option[:made]
    return made


def _additions(
    worth: np.ndarray,
    limits: Limits,
    charge: np.ndarray,
    chosen: np.ndarray,
    room: np.ndarray,
    *,
    switching: bool,
) -> Candidates:
    """The best change of each customer among those that raise the worth and fit by themselves."""
    n_options = len(worth)
    found = []
    for held in [NONE, *range(n_options)] if switching else [NONE]:
        customers = np.flatnonzero(chosen == held)
        before = limits.use[:, held] if held != NONE else np.zeros(len(room), dtype=np.int64)
        usable = (limits.use - before[:, None] <= room[:, None]).all(axis=0)
        own = worth[held, customers] if held != NONE else np.zeros(len(customers), dtype=np.int64)
        start = own - charge[held] if held != NONE else own.astype(float)
        found.append(_better(worth, charge, customers, np.flatnonzero(usable), own, start))
    return Candidates(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _better(
    worth: np.ndarray,
    charge: np.ndarray,
    customers: np.ndarray,
    usable: np.ndarray,
    own: np.ndarray,
    start: np.ndarray,
) -> Candidates:
    best, option = np.full(len(customers), -np.inf), np.full(len(customers), NONE, dtype=np.int64)
    for k in usable:
        there = worth[k, customers]
        gain = there - charge[k] - start
        better = (there > own) & (gain > best)
        np.copyto(best, gain, where=better)
        np.copyto(option, k, where=better)
    some = option != NONE
    return Candidates(customers[some], option[some], best[some])
