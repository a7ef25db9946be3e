"""The plan of a run: what everybody would get, and what those in the policy arm do get."""

from typing import NamedTuple

import numpy as np

from actions.allocation import Allocation, allocate, kept_within, possible
from actions.catalogue import ActionCatalogue
from actions.dual import NONE
from actions.funnel import Option
from actions.limits import Limits

BUDGET, CAPACITY, CHANNEL_CAPACITY = "budget", "capacity", "channel_capacity"


class Plan(NamedTuple):
    """What the policy chose.

    Attributes
    ----------
    planned : int, shape (n_customers,)
        The option that the policy would give to each customer, whatever the arm, or -1. Arms are
        compared among customers with the same planned option.
    given : Allocation
        What the customers of the policy arm get; all others have -1.
    closed : frozenset of str
        Actions that are not used in this run because they would not earn their fixed cost.
    """

    planned: np.ndarray
    given: Allocation
    closed: frozenset[str]


def run_limits(every: list[Option], catalogue: ActionCatalogue, costs: np.ndarray,
               budget_cents: int) -> Limits:  # fmt: skip
    """Budget, capacity of each action and of each channel, as far as they have one.

    Names are a reason code, a colon and an id: ``capacity:win_back_call``.
    """
    names, use, most = [BUDGET], [costs], [budget_cents]
    for action in catalogue.actions:
        if action.capacity is not None:
            names.append(f"{CAPACITY}:{action.id}")
            use.append(np.array([option.action.id == action.id for option in every]))
            most.append(action.capacity)
    for name, channel in catalogue.channels.items():
        if channel.capacity is not None:
            names.append(f"{CHANNEL_CAPACITY}:{name}")
            use.append(np.array([option.channel == name for option in every]))
            most.append(channel.capacity)
    return Limits(names, np.array(use, dtype=np.int64), np.array(most, dtype=np.int64))


def make_plan(
    worth: np.ndarray, in_policy: np.ndarray, share: float, limits: Limits, every: list[Option]
) -> Plan:
    """Plan for everybody as if all were in the policy arm, then keep the limits for that arm.

    Parameters
    ----------
    worth : int, shape (n_customers, n_options)
        Net worth in cents; 0 or less where not allowed or not worth it.
    in_policy : bool, shape (n_customers,)
    share : float
        Probability of the policy arm. The limits are its own; the plan for everybody has as much
        more as there are more customers.
    limits : Limits
    every : list of Option
    """
    fixed = np.array([option.action.fixed_cents for option in every], dtype=np.int64)
    if not fixed.any():
        return _plan(worth, in_policy, share, limits, frozenset())
    names = np.array([option.action.id for option in every])
    closed: frozenset[str] = frozenset()
    while True:
        shut = np.isin(names, list(closed))
        kept = _after_fixed(limits, names, np.where(shut, 0, fixed))
        if kept is None:
            closed |= {max(sorted(set(names) - closed), key=lambda n: fixed[names == n].max())}
            continue
        plan = _plan(np.where(shut, 0, worth), in_policy, share, kept, closed)
        losing = _least_earning(plan, worth, kept, names, fixed, closed)
        if losing is None:
            return plan
        closed |= {losing}


def _after_fixed(limits: Limits, names: np.ndarray, fixed: np.ndarray) -> Limits | None:
    """What the fixed costs leave of the budget; None where they exceed it."""
    spent = sum(int(fixed[names == name].max()) for name in set(names))
    most = limits.most.copy()
    most[0] -= spent
    return limits._replace(most=most) if most[0] >= 0 else None


def _plan(
    worth: np.ndarray, in_policy: np.ndarray, share: float, limits: Limits, closed: frozenset[str]
) -> Plan:
    whole = allocate(worth, limits.scaled(1 / share))
    chosen = np.where(in_policy, whole.chosen, NONE)
    own = possible(np.where(in_policy[:, None], worth, 0), limits)
    given = kept_within(own, limits, whole.prices, chosen)
    return Plan(whole.chosen, given, closed)


def _least_earning(
    plan: Plan,
    worth: np.ndarray,
    limits: Limits,
    names: np.ndarray,
    fixed: np.ndarray,
    closed: frozenset[str],
) -> str | None:
    """The action that loses most after its fixed cost and what its customers could have instead."""
    chosen, charge = plan.given.chosen, plan.given.prices @ limits.use
    losses = {}
    for name in sorted(set(names) - closed):
        own = names == name
        users = np.flatnonzero(np.isin(chosen, np.flatnonzero(own)))
        gains = worth[users] - charge
        instead = np.where(own | (worth[users] <= 0), 0, gains).max(axis=1, initial=0)
        earned = float((gains[np.arange(len(users)), chosen[users]] - instead).sum())
        if fixed[own].max() > earned:
            losses[name] = fixed[own].max() - earned
    return max(losses, key=lambda name: losses[name]) if losses else None
