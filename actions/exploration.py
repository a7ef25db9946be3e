"""The random arm: any option that the funnel allows, by chance that is known and within limits.

Each customer draws one of their allowed options, all alike, and keeps it with a probability that
is the lower the dearer the option is, so that the arm as a whole stays within its share of every
limit. The probability of what was drawn is exact; it is what makes these decisions evidence.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.arms import WHOLE, draws
from actions.dual import NONE
from actions.limits import Limits, counts
from actions.repair import relieve

SAFETY = 4.0  # standard errors by which the expected use stays below the arm's share


class Chances(NamedTuple):
    """How the random arm draws.

    Attributes
    ----------
    n_allowed : options allowed, shape (n_customers,)
    kept : probability that an option that was drawn is kept, shape (n_options,)
    """

    n_allowed: np.ndarray
    kept: np.ndarray

    def of(self, option: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """Probability that the random arm gives each customer this option, or none (-1)."""
        each = 1 / np.maximum(self.n_allowed, 1)
        rows = np.arange(len(option))
        given = np.where(allowed[rows, option], self.kept[option], 0.0) * each
        some = np.zeros(len(option))
        for k, kept in enumerate(self.kept):
            some += allowed[:, k] * kept
        nothing = 1 - some * each
        return np.where(option == NONE, nothing, given)


def chances(allowed: np.ndarray, in_arm: np.ndarray, limits: Limits) -> Chances:
    """Chances that keep the arm's expected use within `limits`, with a margin.

    Parameters
    ----------
    allowed : bool, shape (n_customers, n_options)
        What the funnel lets through.
    in_arm : bool, shape (n_customers,)
    limits : Limits
        The arm's share.
    """
    n_allowed = allowed.sum(axis=1)
    weights = 1 / np.maximum(n_allowed[in_arm], 1)
    demand = weights @ allowed[in_arm]
    kept = np.ones(allowed.shape[1])
    for use, most in zip(limits.use, limits.most, strict=True):
        kept = np.minimum(kept, _kept_within(demand, use, float(most)))
    return Chances(n_allowed, kept)


def _kept_within(demand: np.ndarray, use: np.ndarray, most: float) -> np.ndarray:
    """Thin every option to the same highest expected use a customer, the dear ones most."""
    levels = np.append(0.0, np.unique(use[use > 0]))
    low, high = 0.0, float(levels[-1])
    if _needed(demand, use, high) <= most:
        return np.ones(len(use))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _needed(demand, use, middle) <= most else (low, middle)
    return _kept(use, low)


def _kept(use: np.ndarray, level: float) -> np.ndarray:
    return np.where(use > level, level / np.maximum(use, 1), 1.0)


def _needed(demand: np.ndarray, use: np.ndarray, level: float) -> float:
    """Expected use and a margin, where no option may use more than `level` a customer."""
    drawn = demand * _kept(use, level)
    return float(drawn @ use + SAFETY * np.sqrt(drawn @ (use.astype(float) ** 2)))


def drawn_options(
    customer_ids: pl.Series, allowed: np.ndarray, kept: np.ndarray, *, salt: str, as_of: date
) -> np.ndarray:
    """The option that each customer draws on a date, or -1, shape (n_customers,).

    Parameters
    ----------
    customer_ids : series of str, shape (n_customers,)
        Those in the arm.
    allowed : bool, shape (n_customers, n_options)
    kept : float, shape (n_options,)
        Probability that an option that was drawn is kept.
    salt : str
    as_of : date
    """
    n_allowed = allowed.sum(axis=1)
    chance = draws(customer_ids, f"{salt}\x1f{as_of}") / WHOLE * n_allowed
    which = np.minimum(np.floor(chance).astype(np.int64), n_allowed - 1)
    rank = np.cumsum(allowed, axis=1) - 1
    option = np.argmax(allowed & (rank == which[:, None]), axis=1)
    keeps = (n_allowed > 0) & (chance - which < kept[option])
    return np.where(keeps, option, NONE)


def within(drawn: np.ndarray, limits: Limits) -> np.ndarray:
    """What was drawn, less what would break a limit: rarer than one run in ten thousand."""
    if (limits.use @ counts(drawn, limits.use.shape[1]) <= limits.most).all():
        return drawn
    own = np.zeros((limits.use.shape[1], len(drawn)), dtype=np.int64)
    some = np.flatnonzero(drawn != NONE)
    own[drawn[some], some] = 1
    return relieve(own, limits, np.zeros(len(limits.most)), drawn)
