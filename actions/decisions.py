"""Funnel, arms, worth and plan put together: one decision for everybody scored."""

import hashlib
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.allocation import shortages
from actions.arms import HOLDOUT, POLICY, RANDOM, USUAL, arms, shares
from actions.catalogue import ActionCatalogue
from actions.curve import Offer
from actions.dual import NONE
from actions.effects import BASES, NOTHING_LEARNED, Worth, worth
from actions.exploration import Chances, chances, drawn_options, within
from actions.funnel import ContactRecord, Option, exits, masks, options
from actions.learning import LearnedEffects
from actions.limits import Limits
from actions.params import RecommendParams
from actions.plan import Plan, make_plan, run_limits
from features.schemas import DECISIONS

SUPPRESSED = (
    "no_consent", "suppression", "quiet_period", "contact_cap", "cool_down", "had_enough",
)  # fmt: skip
NOT_DRAWN = "not_drawn"
CONTEXT = ("stage", "level", "activity", "p_value", "order_value_cents", "expected_value_cents")


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
    offer = policy_offer(seen, allowed, drawn)
    plan = make_plan(
        np.where(allowed, seen.value.net_cents, 0), seen.arm == POLICY, shares(params)[POLICY],
        offer.limits, seen.every,
    )  # fmt: skip
    given = np.where(seen.arm == RANDOM, drawn, plan.given.chosen)
    reason = _reasons(seen, allowed, left_at, given, plan)
    table = (
        seen.customers.select("customer_id", *CONTEXT)
        .with_columns(exit_reason=pl.Series(reason.tolist(), dtype=pl.String).replace("", None))
        .with_columns(*_chosen(given, seen, as_of))
        .with_columns(*_planned(plan, seen.every), eligible_options=_eligible(allowed, seen.every))
        .with_columns(*_probabilities(seen.arm, given, plan, allowed, chance, params))
        .with_columns(
            _outcome(),
            _decision_id(as_of, provenance.catalogue_hash),
            pl.lit(as_of).alias("as_of"),
            pl.lit(horizon_days).cast(pl.Int64).alias("horizon_days"),
            *(pl.lit(text).alias(name) for name, text in provenance._asdict().items()),
        )
        .select(DECISIONS.names)
    )
    return Decided(table, seen, plan, offer, drawn)


def policy_offer(seen: Situation, allowed: np.ndarray, drawn: np.ndarray) -> Offer:
    """What the policy arm can choose from, within what the random arm leaves of the limits.

    Parameters
    ----------
    seen : Situation
    allowed : bool, shape (n_customers, n_options)
    drawn : int, shape (n_customers,)
        What the random arm uses; -1 everywhere else.
    """
    left = seen.limits._replace(most=seen.limits.most - seen.limits.used(drawn))
    own = allowed & (seen.arm == POLICY)[:, None]
    return Offer(np.where(own, seen.value.net_cents, 0), left, seen.every)


def _explored(
    seen: Situation, allowed: np.ndarray, params: RecommendParams, as_of: date
) -> tuple[Chances, np.ndarray]:
    """How the random arm draws, and what it draws; -1 for everybody else."""
    part = params.random_share / (params.random_share + shares(params)[POLICY])
    limits, in_arm = seen.limits.scaled(part), seen.arm == RANDOM
    by = chances(allowed, in_arm, limits)
    drawn = drawn_options(
        seen.customers["customer_id"], allowed, by, salt=params.holdout_salt, as_of=as_of
    )
    return by, within(np.where(in_arm, drawn, NONE), limits)


def _reasons(
    seen: Situation, allowed: np.ndarray, left_at: np.ndarray, given: np.ndarray, plan: Plan
) -> np.ndarray:
    """Why each customer has no action; '' where there is one."""
    net = np.where(allowed, seen.value.net_cents, 0)
    shut = [option.action.id in plan.closed for option in seen.every]
    net[:, shut] = 0
    short = shortages(net, seen.limits, given)
    codes = np.array([name.partition(":")[0] for name in short], dtype=object)
    reason = np.where(left_at == "", codes, left_at)
    reason[(seen.arm == RANDOM) & (given == NONE) & (left_at == "")] = NOT_DRAWN
    for arm in (HOLDOUT, USUAL):
        reason[seen.arm == arm] = arm
    return reason


def _chosen(given: np.ndarray, seen: Situation, as_of: date) -> list[pl.Series]:
    """What the option says of itself, and what it is worth; empty where there is none."""
    rows = np.flatnonzero(given != NONE)
    own = rows, given[rows]
    worths = pl.DataFrame(
        {
            "row": rows,
            "basis": pl.Series([BASES[k] for k in seen.value.basis[own]], dtype=pl.String),
            "uplift": seen.value.uplift[own],
            "expected_net_value_cents": seen.value.net_cents[own],
        }
    )
    chosen = (
        pl.DataFrame({"row": np.arange(len(given)), "option": given})
        .join(_option_columns(seen, as_of), "option", "left", maintain_order="left")
        .join(worths, "row", "left", maintain_order="left")
        .with_columns(pl.col("uplift").round(6))
        .with_columns(pl.col("cost_cents", "expected_net_value_cents").fill_null(0))
    )
    return chosen.drop("row", "option").get_columns()


def _option_columns(seen: Situation, as_of: date) -> pl.DataFrame:
    expiry = [as_of + timedelta(days=option.action.expires_days) for option in seen.every]
    return pl.DataFrame(
        {
            "option": np.arange(len(seen.every)),
            "action_id": [option.action.id for option in seen.every],
            "channel": [option.channel for option in seen.every],
            "cost_cents": seen.value.cost_cents,
            "expires_on": expiry,
        }
    )


def _planned(plan: Plan, every: list[Option]) -> list[pl.Series]:
    names = np.array([*(option.action.id for option in every), None], dtype=object)
    channels = np.array([*(option.channel for option in every), None], dtype=object)
    return [
        pl.Series("planned_action_id", names[plan.planned].tolist(), dtype=pl.String),
        pl.Series("planned_channel", channels[plan.planned].tolist(), dtype=pl.String),
    ]


def _eligible(allowed: np.ndarray, every: list[Option]) -> pl.Series:
    """What each customer could be given, as text; few texts differ, so each is made once."""
    names = [f"{option.action.id}:{option.channel}" for option in every]
    packed = np.packbits(allowed, axis=1)
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    texts = [" ".join(names[k] for k in np.flatnonzero(allowed[row])) for row in first]
    return pl.Series(texts, dtype=pl.String).gather(which.ravel())


def _probabilities(
    arm: np.ndarray,
    given: np.ndarray,
    plan: Plan,
    allowed: np.ndarray,
    chance: Chances,
    params: RecommendParams,
) -> list[pl.Series]:
    """Arm, its probability, and that of the action over all arms but business as usual."""
    by_arm = shares(params)
    policy = np.where(arm == POLICY, given, plan.planned)
    total = (
        by_arm[POLICY] * (policy == given)
        + by_arm[RANDOM] * chance.of(given, allowed)
        + by_arm[HOLDOUT] * (given == NONE)
    ) / (1 - by_arm[USUAL])
    return [
        pl.Series("arm", arm.tolist(), dtype=pl.String),
        pl.Series("propensity", [by_arm[name] for name in arm], dtype=pl.Float64),
        pl.Series("action_propensity", np.where(arm == USUAL, np.nan, total)).fill_nan(None),
    ]


def _outcome() -> pl.Expr:
    reason = pl.col("exit_reason")
    return (
        pl.when(reason.is_null())
        .then(pl.lit("exported"))
        .when(reason.is_in([HOLDOUT, USUAL]))
        .then(pl.lit("held_out"))
        .when(reason.is_in(SUPPRESSED))
        .then(pl.lit("suppressed"))
        .otherwise(pl.lit("no_action"))
        .alias("outcome")
    )


def _decision_id(as_of: date, catalogue_hash: str) -> pl.Expr:
    def digest(customer_id: str) -> str:
        text = f"{as_of}\x1f{catalogue_hash}\x1f{customer_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    return pl.col("customer_id").map_elements(digest, return_dtype=pl.String).alias("decision_id")
