"""What an action is worth for a customer: effect x value of success - costs, in cents."""

from decimal import Decimal
from math import ceil
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.catalogue import Goal
from actions.funnel import Option
from actions.params import RecommendParams

ASSUMED = "assumed"


class Worth(NamedTuple):
    """Arrays of shape (n_customers, n_options); costs have shape (n_options,).

    Attributes
    ----------
    uplift : change of P(success) [-1 to 1]
    net_cents : expected net value, rounded to integer cents
    cost_cents : contact cost plus expected incentive, integer cents
    """

    uplift: np.ndarray
    net_cents: np.ndarray
    cost_cents: np.ndarray


def worth(
    customers: pl.DataFrame, chosen: list[Option], params: RecommendParams, horizon_days: int
) -> Worth:
    """Expected worth of every option for every customer, from the catalogue's priors.

    The prior is a change of the success probability where success is a toss-up. It shrinks with
    ``4 p (1 - p)``, the slope of the logistic curve relative to its steepest point, so that nearly
    certain and nearly hopeless customers gain little.

    Parameters
    ----------
    customers : table, shape (n_customers, .)
        ``p_value``, ``order_value_cents`` and ``expected_value_cents`` of the scores.
    chosen : list of Option
    params : RecommendParams
        ``margin_rate``, and the days for which a kept customer counts.
    horizon_days : int
        Days that ``expected_value_cents`` covers.
    """
    p = customers["p_value"].to_numpy()
    responsive = (4 * p * (1 - p))[:, None]
    points = np.array([option.action.effect.points for option in chosen]) / 100
    uplift = responsive * points[None, :]
    costs = np.array([option_cost_cents(option) for option in chosen], dtype=np.int64)
    horizons = params.kept_value_days / horizon_days
    value = np.column_stack([_success_cents(customers, o.action.goal, horizons) for o in chosen])
    net = uplift * value * params.margin_rate - costs[None, :]
    return Worth(uplift, np.rint(net).astype(np.int64), costs)


def option_cost_cents(option: Option) -> int:
    """Contact cost plus what the incentive is expected to cost [cents, rounded up]."""
    action = option.action
    share = Decimal(str(action.take_up))  # in binary, 0.07 x 100 is above 7 and would round to 8
    return option.contact_cents + ceil(share * action.incentive_cents)


def _success_cents(customers: pl.DataFrame, goal: Goal, horizons: float) -> np.ndarray:
    """Money that comes with success: an order, or what a customer who is kept goes on to spend."""
    if goal != "retain":
        return customers["order_value_cents"].to_numpy().astype(float)
    kept = pl.col("expected_value_cents") / pl.col("p_value").clip(0.01) * horizons
    return customers.select(pl.max_horizontal(kept, "order_value_cents")).to_series().to_numpy()
