"""What an action is worth for a customer: effect x value of success - costs, in cents."""

from decimal import Decimal
from math import ceil
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.catalogue import Action, Goal
from actions.funnel import Option
from actions.learning import LearnedEffects, uplift_of
from actions.params import RecommendParams
from actions.priors import believed
from actions.sensitivity import affinity, kind_of, score_of, sensitivity, shown

ASSUMED, MEASURED, RANDOMISED = "assumed", "measured", "randomised"
NOTHING_LEARNED: LearnedEffects = {}
BASES = (ASSUMED, MEASURED, RANDOMISED)
Rows = slice | np.ndarray
EVERYBODY = slice(None)


class Belief(NamedTuple):
    """What each option is believed to bring.

    Held by stage, not as a matrix: millions of customers share the effect of their stage.

    Attributes
    ----------
    actions : list of Action, length n_options
    p : float, shape (n_customers,)
        P(success) without action.
    fond : mapping
        Engagement type -> affinity of each customer.
    stage : int, shape (n_customers,)
        Row of the tables below.
    points : float, shape (n_stages, n_options)
        Effect at a toss-up.
    basis : int, shape (n_stages, n_options)
        Where the effect comes from, a position in BASES.
    own : mapping
        Option -> change of P(success) of each customer, where it was learned by customer.
    """

    actions: list[Action]
    p: np.ndarray
    fond: dict[str, np.ndarray]
    stage: np.ndarray
    points: np.ndarray
    basis: np.ndarray
    own: dict[int, np.ndarray]

    def successes(self, option: int, who: Rows = EVERYBODY) -> np.ndarray:
        """Further ones of each customer by one option, at most 1."""
        if option in self.own:
            return self.own[option][who]
        points = self.points[self.stage[who], option]
        return np.clip(self.moved(option, who) * points, -1, 1)

    def uplift(self, option: int, who: Rows = EVERYBODY) -> np.ndarray:
        """Change of P(success) of each customer by one option [-1 to 1]."""
        further = self.successes(option, who)
        if option in self.own:
            return further
        return shown(self.actions[option].goal, self.p[who], further)

    def moved(self, option: int, who: Rows = EVERYBODY) -> np.ndarray:
        """Sensitivity of each customer to one option."""
        kind = kind_of(self.actions[option])
        return sensitivity(self.p[who], None if kind is None else self.fond[kind][who])

    def of(self, customers: np.ndarray, chosen: np.ndarray) -> pl.DataFrame:
        """Of some customers by the option chosen for each: ``uplift, basis, sensitivity``."""
        uplift, moved = np.empty(len(customers)), np.empty(len(customers))
        basis = self.basis[self.stage[customers], chosen]
        for option in np.unique(chosen).tolist():
            own = np.flatnonzero(chosen == option)
            uplift[own] = self.uplift(option, customers[own])
            moved[own] = self.moved(option, customers[own])
            if option in self.own:
                basis[own] = BASES.index(RANDOMISED)
        named = pl.Series(BASES, dtype=pl.String).gather(basis)
        return pl.DataFrame({"uplift": uplift, "basis": named, "sensitivity": moved})


class Worth(NamedTuple):
    """What is believed, and what it comes to in money.

    Attributes
    ----------
    belief : Belief
    net_cents : int, shape (n_customers, n_options), options contiguous
        Expected net value, rounded to integer cents.
    cost_cents : int, shape (n_options,)
        Contact cost plus expected incentive.
    """

    belief: Belief
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

    An effect is a change of the success probability where success is a toss-up, for a customer of
    average affinity; actions.sensitivity says what it comes to for others.

    Parameters
    ----------
    customers : table, shape (n_customers, .)
        ``stage``, the engagement scores, and of the scores ``p_value``, ``order_value_cents``,
        ``expected_value_cents``.
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
    belief = _belief(customers, chosen, effects, learned)
    costs = np.array([option_cost_cents(option) for option in chosen], dtype=np.int64)
    value = success_cents(customers, chosen, params, horizon_days)
    net = np.empty((customers.height, len(chosen)), dtype=np.int64, order="F")
    for k, option in enumerate(chosen):
        net[:, k] = np.rint(belief.successes(k) * value[option.action.goal] - costs[k])
    return Worth(belief, net, costs)


def _belief(
    customers: pl.DataFrame, chosen: list[Option], effects: pl.DataFrame, learned: LearnedEffects
) -> Belief:
    """By customer where that was learned, else by stage where it was measured, else the prior."""
    rows = zip(effects["action_id"], effects["stage"], effects["points"], effects["basis"],
               strict=True)  # fmt: skip
    known = {(action_id, stage): (points, BASES.index(basis))
             for action_id, stage, points, basis in rows}  # fmt: skip
    prior = believed(list({o.action.id: o.action for o in chosen}.values()))
    names = customers["stage"].unique().sort()
    table = [
        [known.get((o.action.id, stage), (prior[o.action.id].points, 0)) for o in chosen]
        for stage in names
    ]
    own = {o.action.id: uplift_of(learned[o.action.id], customers)
           for o in chosen if o.action.id in learned}  # fmt: skip
    kinds = {kind for option in chosen if (kind := kind_of(option.action))}
    return Belief(
        [option.action for option in chosen],
        customers["p_value"].to_numpy(),
        {kind: affinity(customers[score_of(kind)]) for kind in sorted(kinds)},
        names.search_sorted(customers["stage"]).to_numpy(),
        np.array([[points for points, _ in row] for row in table]) / 100,
        np.array([[basis for _, basis in row] for row in table], dtype=np.int8),
        {k: own[o.action.id] for k, o in enumerate(chosen) if o.action.id in own},
    )


def success_cents(
    customers: pl.DataFrame, chosen: list[Option], params: RecommendParams, horizon_days: int
) -> dict[Goal, np.ndarray]:
    """Margin that comes with success, by the goal of an option, shape (n_customers,) [cents]."""
    horizons = pl.lit(params.kept_value_days / horizon_days)
    goals: set[Goal] = {option.action.goal for option in chosen}
    money = customers.select(money_of_success(goal, horizons).alias(goal) for goal in goals)
    return {goal: money[goal].to_numpy() * params.margin_rate for goal in goals}


def option_cost_cents(option: Option) -> int:
    """Contact cost plus what the incentive is expected to cost [cents, rounded up]."""
    action = option.action
    share = Decimal(str(action.take_up))  # in binary, 0.07 x 100 is above 7 and would round to 8
    return option.contact_cents + ceil(share * action.incentive_cents)


def money_of_success(goal: Goal, horizons: pl.Expr) -> pl.Expr:
    """Money that comes with success: an order, or what a customer who stays goes on to spend.

    Whoever orders once more would mostly have stayed anyway, so that they bring that order alone.
    `horizons` is for how many of them a customer who stays counts.
    """
    if goal != "retain":
        return pl.col("order_value_cents").cast(pl.Float64)
    kept = pl.col("expected_value_cents") / pl.col("p_value").clip(0.01) * horizons
    return pl.max_horizontal(kept, pl.col("order_value_cents").cast(pl.Float64))
