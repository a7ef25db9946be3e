"""One option a customer at most, so that the whole is worth most within every limit."""

from typing import NamedTuple

import numpy as np

from actions.dual import NONE, relax, shadow_prices
from actions.limits import Limits, checked
from actions.repair import best_among, fill, relieve

NO_GAIN = "no_gain"


class Allocation(NamedTuple):
    """A plan within the limits, and how far it can be from the best one.

    Attributes
    ----------
    chosen : int, shape (n_customers,)
        The option, or -1.
    prices : float, shape (n_limits,)
        What one more cent or place of each limit would bring [cents]: its shadow price.
    worth_cents : int
        Of the plan.
    bound_cents : float
        No plan within the limits is worth more.
    """

    chosen: np.ndarray
    prices: np.ndarray
    worth_cents: int
    bound_cents: float

    @property
    def gap(self) -> float:
        """Share of the bound by which the plan falls short of it [0-1]."""
        return 1 - self.worth_cents / self.bound_cents if self.bound_cents > 0 else 0.0


def allocate(worth: np.ndarray, limits: Limits) -> Allocation:
    """Choose for everybody.

    Parameters
    ----------
    worth : int, shape (n_customers, n_options)
        Expected net worth in cents; 0 or less where an option is not allowed or does not pay.
        Not copied where its options are contiguous.
    limits : Limits

    Returns
    -------
    Allocation
        Every limit holds exactly, and nobody is without an option who could still have one.

    Raises
    ------
    ConfigurationError
        If no plan can respect a limit; names it.

    Notes
    -----
    Lagrangian relaxation with repair: the bound is the relaxed plan's worth, so that the gap is
    known without an exact solver. Ties go to the customer and then to the option that come first:
    sort customers by id.
    """
    by_option = possible(worth, checked(limits))
    prices = shadow_prices(by_option, limits)
    relaxed = relax(by_option, limits, prices)
    return kept_within(by_option, limits, prices, relaxed.chosen)


def possible(worth: np.ndarray, limits: Limits) -> np.ndarray:
    """Worth by option, shape (n_options, n_customers), 0 where a single use breaks a limit."""
    by_option = np.ascontiguousarray(worth.T)
    fits = np.asarray(limits.use <= limits.most[:, None]).all(axis=0, keepdims=True)
    return by_option if fits.all() else np.where(fits.T, by_option, 0)


def kept_within(
    by_option: np.ndarray, limits: Limits, prices: np.ndarray, chosen: np.ndarray
) -> Allocation:
    """The nearest plan to `chosen` that keeps the limits, with the bound at these prices."""
    plan = fill(by_option, limits, prices, relieve(by_option, limits, prices, chosen))
    bound = relax(by_option, limits, prices).bound
    return Allocation(plan, prices, worth_of(by_option, plan), bound)


def worth_of(by_option: np.ndarray, chosen: np.ndarray) -> int:
    """What a plan is worth [cents]."""
    some = np.flatnonzero(chosen != NONE)
    return int(by_option[chosen[some], some].sum())


def shortages(
    worth: np.ndarray, usable: np.ndarray, limits: Limits, chosen: np.ndarray
) -> np.ndarray:
    """Why each customer has no option, shape (n_customers,): '' where there is one.

    ``no_gain`` where nothing is worth more than 0, else the name of the first limit that has no
    room for the option that is worth most.

    Parameters
    ----------
    worth : int, shape (n_customers, n_options)
    usable : int, shape (n_usable,)
        Options that could be chosen at all.
    limits : Limits
    chosen : int, shape (n_customers,)
    """
    reason = np.full(len(chosen), "", dtype=object)
    left = np.flatnonzero(chosen == NONE)
    _, best = best_among(worth.T, np.zeros(worth.shape[1]), left, usable)
    room = limits.most - limits.used(chosen)
    lacking = (limits.use > room[:, None]).argmax(axis=0)
    names = np.array([*(limits.names[limit] for limit in lacking), NO_GAIN], dtype=object)
    reason[left] = names[best]
    return reason
