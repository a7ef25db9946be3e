"""Funnel, holdout, worth and allocation put together: one decision for everybody scored."""

import hashlib
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.allocation import NONE, allocate
from actions.arms import HOLDOUT, POLICY, held_out
from actions.catalogue import ActionCatalogue
from actions.effects import ASSUMED, Worth, worth
from actions.funnel import ContactRecord, Option, exits, masks, options
from actions.params import RecommendParams
from features.schemas import DECISIONS

NO_LIMIT = 2**62
SUPPRESSED = ("no_consent", "contact_cap", "cool_down")


class Provenance(NamedTuple):
    """What a decision came from."""

    run_id: str
    data_hash: str
    model_version: str
    catalogue_hash: str


def decide(
    customers: pl.DataFrame,
    record: ContactRecord,
    catalogue: ActionCatalogue,
    params: RecommendParams,
    *,
    as_of: date,
    horizon_days: int,
    provenance: Provenance,
) -> pl.DataFrame:
    """Decide for everybody scored.

    Parameters
    ----------
    customers : features joined to scores, shape (n_customers, .)
        Any order; sorted by id here, so that the order changes nothing.
    record : ContactRecord
    catalogue : ActionCatalogue
    params : RecommendParams
    as_of : date
    horizon_days : int
        Days that the scores' probabilities and values cover.
    provenance : Provenance

    Returns
    -------
    table of schemas.DECISIONS, shape (n_customers, .)
        ``outcome`` is exported, held_out, suppressed (no consent, contact cap or cool-down) or
        no_action, each with its reason; held-out and suppressed customers use no capacity and no
        budget.
    """
    customers = customers.sort("customer_id")
    every = options(catalogue)
    allowed, left_at = exits(masks(customers, record, catalogue, as_of))
    holdout = held_out(customers["customer_id"], params.holdout_share, params.holdout_salt)
    value = worth(customers, every, params, horizon_days)
    chosen, why_not = _allocated(allowed & ~holdout[:, None], value, every, params.budget_cents)
    reason = np.where(holdout, HOLDOUT, np.where(left_at == "", why_not, left_at))
    return (
        customers.select("customer_id")
        .with_columns(exit_reason=pl.Series(reason, dtype=pl.String).replace("", None))
        .with_columns(*_arm(holdout, params.holdout_share))
        .with_columns(*_plan(chosen, every, value, as_of))
        .with_columns(
            _outcome(),
            _decision_id(as_of, provenance.catalogue_hash),
            pl.lit(as_of).alias("as_of"),
            *(pl.lit(text).alias(name) for name, text in provenance._asdict().items()),
        )
        .select(DECISIONS.names)
    )


def _allocated(
    allowed: np.ndarray, value: Worth, every: list[Option], budget_cents: int
) -> tuple[np.ndarray, np.ndarray]:
    capacities = {option.action.id: option.action.capacity for option in every}
    position = {action_id: k for k, action_id in enumerate(capacities)}
    limits = [NO_LIMIT if most is None else most for most in capacities.values()]
    return allocate(
        allowed,
        value.net_cents,
        value.cost_cents,
        action_of=np.array([position[option.action.id] for option in every]),
        capacity=np.array(limits, dtype=np.int64),
        budget_cents=budget_cents,
    )


def _arm(holdout: np.ndarray, share: float) -> list[pl.Series]:
    arm = np.where(holdout, HOLDOUT, POLICY)
    propensity = np.where(holdout, share, 1 - share)
    return [pl.Series("arm", arm, dtype=pl.String), pl.Series("propensity", propensity)]


def _plan(chosen: np.ndarray, every: list[Option], value: Worth, as_of: date) -> list[pl.Series]:
    """What the chosen option says of itself, and what it is worth; empty where there is none."""
    rows = np.flatnonzero(chosen != NONE)
    worths = pl.DataFrame(
        {
            "row": rows,
            "uplift": value.uplift[rows, chosen[rows]],
            "expected_net_value_cents": value.net_cents[rows, chosen[rows]],
        }
    )
    plan = (
        pl.DataFrame({"row": np.arange(len(chosen)), "option": chosen})
        .join(_option_columns(every, value, as_of), "option", "left", maintain_order="left")
        .join(worths, "row", "left", maintain_order="left")
        .with_columns(pl.col("uplift").round(6))
        .with_columns(pl.col("cost_cents", "expected_net_value_cents").fill_null(0))
    )
    return plan.drop("row", "option").get_columns()


def _option_columns(every: list[Option], value: Worth, as_of: date) -> pl.DataFrame:
    expiry = [as_of + timedelta(days=option.action.expires_days) for option in every]
    return pl.DataFrame(
        {
            "option": np.arange(len(every)),
            "action_id": [option.action.id for option in every],
            "channel": [option.channel for option in every],
            "basis": [ASSUMED] * len(every),
            "cost_cents": value.cost_cents,
            "expires_on": expiry,
        }
    )


def _outcome() -> pl.Expr:
    reason = pl.col("exit_reason")
    return (
        pl.when(reason.is_null())
        .then(pl.lit("exported"))
        .when(reason == HOLDOUT)
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
