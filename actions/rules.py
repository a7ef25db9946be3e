"""What each rule, cap, limit, consent gap and arm forgoes, left out one at a time.

For the funnel this is counted at today's shadow prices: what the customers concerned would gain,
were they let through. A limit's own price would fall to 0 without it, so there the plan is made
anew.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from actions.allocation import Allocation, allocate, worth_of
from actions.arms import HOLDOUT, POLICY, RANDOM, USUAL
from actions.curve import Offer
from actions.dual import NONE
from actions.funnel import Option

BY_CHANNEL = ("no_consent", "contact_cap")
BY_ACTION = ("not_eligible", "not_applicable", "cool_down", "had_enough")
KINDS = {
    "no_consent": "consent",
    "suppression": "consent",
    "not_eligible": "rule",
    "not_applicable": "fit",
    "quiet_period": "cap",
    "contact_cap": "cap",
    "cool_down": "cap",
    "had_enough": "cap",
}
FREE = 2**62
ROW = tuple[str, str, int, int]


def cost_of_rules(
    offer: Offer,
    given: Allocation,
    passed: dict[str, np.ndarray],
    net: np.ndarray,
    arm: np.ndarray,
    planned: np.ndarray,
    drawn: np.ndarray,
) -> pl.DataFrame:
    """Leave out each rule in turn.

    Parameters
    ----------
    offer : Offer
    given : Allocation
        The plan of the policy arm.
    passed : mapping
        What each step of the funnel lets through, for everybody.
    net : int, shape (n_customers, n_options)
        Net worth in cents, whether allowed or not.
    arm, planned, drawn : shape (n_customers,)
        Arm, option that the policy would give, option that the random arm drew.

    Returns
    -------
    table of schemas.COST_OF_RULES
        Dearest first; funnel rules that change nothing are absent.
    """
    rows = [
        *_funnel(offer, given, passed, net, arm == POLICY),
        *_limits(offer, given),
        *_arms(net, arm, planned, drawn),
    ]  # fmt: skip
    schema = {
        "rule": pl.String,
        "kind": pl.String,
        "customers": pl.Int64,
        "forgone_cents": pl.Int64,
    }
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.sort(["forgone_cents", "rule"], descending=[True, False])


def _funnel(
    offer: Offer,
    given: Allocation,
    passed: dict[str, np.ndarray],
    net: np.ndarray,
    in_policy: np.ndarray,
) -> Iterator[ROW]:
    charge = given.prices @ offer.limits.use
    has = _best_gain(range(len(charge)), offer.worth, offer.worth > 0, charge)
    closed = np.zeros_like(offer.worth, dtype=np.uint8)
    for mask in passed.values():
        closed += ~mask
    by_one = (closed == 1) & in_policy[:, None]
    for step, mask in passed.items():
        freed = by_one & ~mask
        for name, columns in _groups(step, offer.every):
            best = np.maximum(_best_gain(columns, net, freed, charge) - has, 0)
            if (best > 0).any():
                yield name, KINDS[step], int((best > 0).sum()), round(float(best.sum()))


def _best_gain(
    columns: Iterable[int], net: np.ndarray, open_to: np.ndarray, charge: np.ndarray
) -> np.ndarray:
    """What the best of some options that pay is worth after its charge, shape (n_customers,)."""
    best = np.zeros(len(net))
    for k in columns:
        pays = open_to[:, k] & (net[:, k] > 0)
        np.maximum(best, net[:, k] - charge[k], out=best, where=pays)
    return best


def _groups(step: str, every: list[Option]) -> list[tuple[str, list[int]]]:
    """Rules that a step consists of: by channel, by action, or one for all."""
    if step in BY_CHANNEL:
        keys = [option.channel for option in every]
    elif step in BY_ACTION:
        keys = [option.action.id for option in every]
    else:
        return [(step, list(range(len(every))))]
    names = dict.fromkeys(keys)
    return [(f"{step}:{n}", [k for k, key in enumerate(keys) if key == n]) for n in names]


def _limits(offer: Offer, given: Allocation) -> Iterator[ROW]:
    now = worth_of(offer.worth.T, given.chosen)
    for k, name in enumerate(offer.limits.names):
        if given.prices[k] <= 0:
            yield name, "limit", 0, 0
            continue
        most = offer.limits.most.copy()
        most[k] = FREE
        free = allocate(offer.worth, offer.limits._replace(most=most))
        changed = int((free.chosen != given.chosen).sum())
        yield name, "limit", changed, max(0, free.worth_cents - now)


def _arms(
    net: np.ndarray, arm: np.ndarray, planned: np.ndarray, drawn: np.ndarray
) -> Iterator[ROW]:
    wanted = _worth_by_customer(net, planned)
    for name in (HOLDOUT, USUAL, RANDOM):
        own = (arm == name) & ((planned != NONE) | (drawn != NONE))
        forgone = wanted[own] - (_worth_by_customer(net, drawn)[own] if name == RANDOM else 0)
        if own.any():
            yield name, "arm", int(own.sum()), int(forgone.sum())


def _worth_by_customer(net: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(chosen == NONE, 0, net[np.arange(len(chosen)), chosen])
