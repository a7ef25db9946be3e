"""What more or less money would bring: expected net value against budget, with shadow prices."""

from typing import NamedTuple

import numpy as np
import polars as pl

from actions.allocation import Allocation, allocate, worth_of
from actions.dual import NONE
from actions.funnel import Option
from actions.limits import Limits
from actions.plan import BUDGET

STEPS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)  # times the budget of the run


class Offer(NamedTuple):
    """What a plan could choose from.

    Attributes
    ----------
    worth : int, shape (n_customers, n_options)
        Net worth in cents of the policy arm; 0 or less where not allowed.
    limits : Limits
    every : list of Option
    """

    worth: np.ndarray
    limits: Limits
    every: list[Option]


def budget_curve(offer: Offer, given: Allocation) -> pl.DataFrame:
    """Best plans at several budgets, other limits unchanged.

    Parameters
    ----------
    offer : Offer
    given : Allocation
        The run's own plan, which stands at its own budget.

    Returns
    -------
    table of schemas.BUDGET_CURVE
    """
    own = int(offer.limits.most[offer.limits.names.index(BUDGET)])
    budgets = sorted({round(own * step) for step in STEPS})
    rows = [
        _row(offer, given if budget == own else with_budget(offer, budget), budget, own)
        for budget in budgets
    ]
    schema = {
        "budget_cents": pl.Int64,
        "spent_cents": pl.Int64,
        "net_value_cents": pl.Int64,
        "actions": pl.Int64,
        "shadow_price": pl.Float64,
        "marginal_action_id": pl.String,
        "marginal_net_cents": pl.Int64,
        "is_current": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def with_budget(offer: Offer, budget_cents: int) -> Allocation:
    """The best plan with another budget."""
    most = offer.limits.most.copy()
    most[offer.limits.names.index(BUDGET)] = budget_cents
    return allocate(offer.worth, offer.limits._replace(most=most))


def _row(offer: Offer, plan: Allocation, budget: int, own: int) -> tuple[object, ...]:
    at = offer.limits.names.index(BUDGET)
    spent = int(offer.limits.used(plan.chosen)[at])
    some = np.flatnonzero(plan.chosen != NONE)
    worth = worth_of(offer.worth.T, plan.chosen)
    last = _marginal(offer, plan, some)
    action = offer.every[plan.chosen[last]].action.id if last is not None else None
    net = int(offer.worth[last, plan.chosen[last]]) if last is not None else None
    price = round(float(plan.prices[at]), 6)
    return budget, spent, worth, len(some), price, action, net, budget == own


def _marginal(offer: Offer, plan: Allocation, some: np.ndarray) -> int | None:
    """The customer with a paid action who brings least for a cent."""
    costs = offer.limits.use[offer.limits.names.index(BUDGET)][plan.chosen[some]]
    paid = some[costs > 0]
    if not len(paid):
        return None
    ratio = offer.worth[paid, plan.chosen[paid]] / costs[costs > 0]
    return int(paid[np.argmin(ratio)])
