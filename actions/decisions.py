"""Funnel, arms, worth and plan put together: one decision for everybody scored."""

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.allocation import shortages
from actions.arms import HOLDOUT, POLICY, RANDOM, USUAL, arms, shares
from actions.catalogue import ActionCatalogue
from actions.curve import Offer
from actions.decision_columns import (
    decision_id,
    eligible_column,
    given_columns,
    outcome,
    planned_columns,
    probability_columns,
)
from actions.dual import NONE
from actions.effects import NOTHING_LEARNED, Worth, worth
from actions.exploration import Chances, chances, drawn_options, within
from actions.funnel import ContactRecord, Option, exits, masks, options
from actions.learning import LearnedEffects
from actions.limits import Limits
from actions.params import RecommendParams
from actions.plan import Plan, make_plan, run_limits
from actions.sensitivity import ENGAGEMENT_SCORES
from features.schemas import DECISIONS

NOT_DRAWN = "not_drawn"
CONTEXT = (
    "stage", "level", "activity", "p_value", "p_alive", "order_value_cents", "expected_value_cents",
    *ENGAGEMENT_SCORES,
)  # fmt: skip


class Provenance(NamedTuple):
    """What a decision came from."""

    run_id: str
    data_hash: str
    model_version: str
    catalogue_hash: str


class Situation(NamedTuple):
    """All that decisions and what-ifs are made from, customers in order of their ids.

    Attributes
    ----------
    customers : features joined to scores, shape (n_customers, .)
    every : the options
    passed : what each step of the funnel lets through
    value : worth of every option
    limits : of the run
    arm : shape (n_customers,)
    """

    customers: pl.DataFrame
    every: list[Option]
    passed: dict[str, np.ndarray]
    value: Worth
    limits: Limits
    arm: np.ndarray


class Decided(NamedTuple):
    """The decisions of a run, and what they were made from.

    Attributes
    ----------
    table : table of schemas.DECISIONS, shape (n_customers, .)
    situation : Situation
    plan : Plan
    offer : what the policy arm could choose from
    drawn : option of each customer of the random arm, -1 for everybody else
    """

    table: pl.DataFrame
    situation: Situation
    plan: Plan
    offer: Offer
    drawn: np.ndarray


def situation(
    customers: pl.DataFrame,
    record: ContactRecord,
    catalogue: ActionCatalogue,
    effects: pl.DataFrame,
    params: RecommendParams,
    *,
    as_of: date,
    horizon_days: int,
    learned: LearnedEffects,
) -> Situation:
    """Look at everybody once; parameters as in `decide`."""
    customers = customers.sort("customer_id")
    every = options(catalogue)
    value = worth(customers, every, effects, params, horizon_days, learned)
    return Situation(
        customers,
        every,
        masks(customers, record, catalogue, as_of),
        value,
        run_limits(every, catalogue, value.cost_cents, params.budget_cents),
        arms(customers["customer_id"], params),
    )


def decide(
    customers: pl.DataFrame,
    record: ContactRecord,
    catalogue: ActionCatalogue,
    effects: pl.DataFrame,
    params: RecommendParams,
    *,
    as_of: date,
    horizon_days: int,
    provenance: Provenance,
    learned: LearnedEffects = NOTHING_LEARNED,
) -> Decided:
    """Decide for everybody scored.

    Parameters
    ----------
    customers : features joined to scores, shape (n_customers, .)
        Any order; sorted by id here, so that the order changes nothing.
    record : ContactRecord
    catalogue : ActionCatalogue
    effects : table of schemas.EFFECTS
        What was measured so far; may be empty.
    params : RecommendParams
    as_of : date
    horizon_days : int
        Days that the scores' probabilities and values cover.
    provenance : Provenance
    learned : mapping
        Effects that differ between customers (actions.learning.learned_effects).

    Returns
    -------
    Decided
        ``outcome`` is exported, held_out, suppressed or no_action, each with its reason; customers
        who get nothing use no capacity and no budget.
    """
    seen = situation(
        customers, record, catalogue, effects, params,
        as_of=as_of, horizon_days=horizon_days, learned=learned,
    )  # fmt: skip
    allowed, left_at = exits(seen.passed)
    chance, drawn = _explored(seen, allowed, params, as_of)
    net = np.where(allowed, seen.value.net_cents, 0)
    left = seen.limits._replace(most=seen.limits.most - seen.limits.used(drawn))
    plan = make_plan(net, seen.arm == POLICY, shares(params)[POLICY], left, seen.every)
    given = np.where(seen.arm == RANDOM, drawn, plan.given.chosen)
    reason = _reasons(seen, net, left_at, given, plan)
    columns = [
        *given_columns(given, seen.every, seen.value, as_of),
        *planned_columns(plan, seen.every),
        eligible_column(allowed, seen.every),
        *probability_columns(seen.arm, given, plan, allowed, chance, params),
    ]
    table = (
        seen.customers.select("customer_id", *CONTEXT)
        .with_columns(exit_reason=pl.Series(reason.tolist(), dtype=pl.String).replace("", None))
        .with_columns(columns)
        .with_columns(
            outcome(),
            decision_id(as_of, provenance.catalogue_hash),
            pl.lit(as_of).alias("as_of"),
            pl.lit(horizon_days).cast(pl.Int64).alias("horizon_days"),
            *(pl.lit(text).alias(name) for name, text in provenance._asdict().items()),
        )
        .select(DECISIONS.names)
    )
    net[seen.arm != POLICY] = 0
    return Decided(table, seen, plan, Offer(net, left, seen.every), drawn)


def _explored(
    seen: Situation, allowed: np.ndarray, params: RecommendParams, as_of: date
) -> tuple[Chances, np.ndarray]:
    """How the random arm draws, and what it draws; -1 for everybody else."""
    part = params.random_share / (params.random_share + shares(params)[POLICY])
    limits, in_arm = seen.limits.scaled(part), seen.arm == RANDOM
    by = chances(allowed, in_arm, limits)
    drawn = np.full(len(in_arm), NONE)
    drawn[in_arm] = drawn_options(
        seen.customers["customer_id"].filter(pl.Series(in_arm)), allowed[in_arm], by.kept,
        salt=params.holdout_salt, as_of=as_of,
    )  # fmt: skip
    return by, within(drawn, limits)


def _reasons(
    seen: Situation, net: np.ndarray, left_at: np.ndarray, given: np.ndarray, plan: Plan
) -> np.ndarray:
    """Why each customer has no action; '' where there is one."""
    used = [k for k, option in enumerate(seen.every) if option.action.id not in plan.closed]
    short = shortages(net, np.array(used, dtype=np.int64), seen.limits, given)
    codes = np.array([name.partition(":")[0] for name in short], dtype=object)
    reason = np.where(left_at == "", codes, left_at)
    reason[(seen.arm == RANDOM) & (given == NONE) & (left_at == "")] = NOT_DRAWN
    for arm in (HOLDOUT, USUAL):
        reason[seen.arm == arm] = arm
    return reason
