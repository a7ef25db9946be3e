"""What an action is worth for a customer: effect x value of success - costs, in cents."""

from decimal import Decimal
from math import ceil
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.catalogue import Goal
from actions.funnel import Option
from actions.learning import LearnedEffects, responsiveness, uplift_of
from actions.params import RecommendParams
from actions.priors import believed

ASSUMED, MEASURED, RANDOMISED = "assumed", "measured", "randomised"
NOTHING_LEARNED: LearnedEffects = {}
BASES = (ASSUMED, MEASURED, RANDOMISED)


class Worth(NamedTuple):
    """Arrays of shape (n_customers, n_options); costs have shape (n_options,).

    Attributes
    ----------
    uplift : change of P(success) [-1 to 1]
    basis : where the uplift comes from, a position in BASES
    net_cents : expected net value, rounded to integer cents
    cost_cents : contact cost plus expected incentive, integer cents
    """

    uplift: np.ndarray
    basis: np.ndarray
    net_cents: np.ndarray
    cost_cents: np.ndarray


def worth(
    customers: pl.DataFrame,
    chosen: list[Option],
    effects: pl.DataFrame,
    params: RecommendParams,
    horizon_days: int,
    learned: LearnedEffects = NOTHING_LEARNED,
) -> Worth:
    """Expected worth of every option for every customer.

    An effect is a change of the success probability where success is a toss-up. It shrinks with
    ``2 sqrt(p (1 - p))``, so that nearly certain and nearly hopeless customers gain little.

    Parameters
    ----------
    customers : table, shape (n_customers, .)
        ``stage``, and of the scores ``p_value``, ``order_value_cents``, ``expected_value_cents``.
    chosen : list of Option
    effects : table of schemas.EFFECTS
        What was measured so far; where it says nothing, the catalogue's prior holds.
    params : RecommendParams
        ``margin_rate``, and the days for which a kept customer counts.
    horizon_days : int
        Days that ``expected_value_cents`` covers.
    learned : mapping
        Effects that differ between customers, where that is proven to pay
        (actions.learning.learned_effects); they stand before what was measured.
    """
    responsive = responsiveness(customers["p_value"].to_numpy())
    points, basis = _believed(customers["stage"], chosen, effects)
    uplift = responsive[:, None] * points
    for k, option in enumerate(chosen):
        if option.action.id in learned:
            uplift[:, k] = uplift_of(learned[option.action.id], customers)
            basis[:, k] = BASES.index(RANDOMISED)
    costs = np.array([option_cost_cents(option) for option in chosen], dtype=np.int64)
    value = success_cents(customers, chosen, params, horizon_days)
    net = uplift * value - costs[None, :]
    return Worth(uplift, basis, np.rint(net).astype(np.int64), costs)


def _believed(
    stages: pl.Series, chosen: list[Option], effects: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Effect at a toss-up [0-1] and its basis, by customer and option."""
    rows = zip(effects["action_id"], effects["stage"], effects["points"], effects["basis"],
               strict=True)  # fmt: skip
    known = {(action_id, stage): (points, BASES.index(basis))
             for action_id, stage, points, basis in rows}  # fmt: skip
    prior = believed(list({o.action.id: o.action for o in chosen}.values()))
    names = stages.unique().sort()
    table = [
        [known.get((o.action.id, stage), (prior[o.action.id].points, 0)) for o in chosen]
        for stage in names
    ]
    own = names.search_sorted(stages).to_numpy()
    points = np.array([[points for points, _ in row] for row in table])
    basis = np.array([[basis for _, basis in row] for row in table], dtype=np.int8)
    return points[own] / 100, basis[own]


def success_cents(
    customers: pl.DataFrame, chosen: list[Option], params: RecommendParams, horizon_days: int
) -> np.ndarray:
    """Margin that comes with success, shape (n_customers, n_options) [cents]."""
    horizons = params.kept_value_days / horizon_days
    goals: set[Goal] = {option.action.goal for option in chosen}
    money = customers.select(money_of_success(goal, pl.lit(horizons)).alias(goal) for goal in goals)
    return np.column_stack([money[o.action.goal] for o in chosen]) * params.margin_rate


def option_cost_cents(option: Option) -> int:
    """Contact cost plus what the incentive is expected to cost [cents, rounded up]."""
    action = option.action
    share = Decimal(str(action.take_up))  # in binary, 0.07 x 100 is above 7 and would round to 8
    return option.contact_cents + ceil(share * action.incentive_cents)


def money_of_success(goal: Goal, horizons: pl.Expr) -> pl.Expr:
    """Money that comes with success: a first order, or what a customer who stays goes on to spend.

    Whoever has ordered and orders again has not left, whatever the action was meant for. `horizons`
    is for how many of them a customer who stays counts.
    """
    if goal == "first_value":
        return pl.col("order_value_cents").cast(pl.Float64)
    kept = pl.col("expected_value_cents") / pl.col("p_value").clip(0.01) * horizons
    return pl.max_horizontal(kept, pl.col("order_value_cents").cast(pl.Float64))
