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
from actions.funnel import Option, exits, masks, options
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
    permitted: pl.DataFrame,
    contacts: pl.DataFrame,
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
    permitted, contacts : see actions.funnel.masks
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
    chosen_options = options(catalogue)
    allowed, reason = exits(masks(customers, permitted, contacts, catalogue, as_of))
    holdout = held_out(customers["customer_id"], params.holdout_share, params.holdout_salt)
    reason[holdout] = HOLDOUT
    allowed &= ~holdout[:, None]
    value = worth(customers, chosen_options, params, horizon_days)
    chosen, why_not = _allocated(allowed, value, chosen_options, params.budget_cents)
    undecided = reason == ""
    reason[undecided] = why_not[undecided]
    table = _table(customers, chosen, reason, chosen_options, value, as_of)
    arms = _arm_columns(holdout, params.holdout_share)
    return table.with_columns(
        *arms,
        _outcome(),
        _decision_id(as_of, provenance.catalogue_hash),
        pl.lit(as_of).alias("as_of"),
        *(pl.lit(text).alias(name) for name, text in provenance._asdict().items()),
    ).select(DECISIONS.names)


def _allocated(
    allowed: np.ndarray, value: Worth, chosen: list[Option], budget_cents: int
) -> tuple[np.ndarray, np.ndarray]:
    actions = list(dict.fromkeys(option.action.id for option in chosen))
    limits = {o.action.id: o.action.capacity for o in chosen}
    capacity = [NO_LIMIT if limits[a] is None else limits[a] for a in actions]
    return allocate(
        allowed,
        value.net_cents,
        value.cost_cents,
        action_of=np.array([actions.index(option.action.id) for option in chosen]),
        capacity=np.array(capacity, dtype=np.int64),
        budget_cents=budget_cents,
    )


def _table(
    customers: pl.DataFrame,
    chosen: np.ndarray,
    reason: np.ndarray,
    all_options: list[Option],
    value: Worth,
    as_of: date,
) -> pl.DataFrame:
    row = np.arange(len(chosen))
    some = chosen != NONE
    column = np.where(some, chosen, 0)

    def text(values: list[str]) -> pl.Series:
        named = [values[k] if yes else None for k, yes in zip(column, some, strict=True)]
        return pl.Series(named, dtype=pl.String)

    expiry = [as_of + timedelta(days=o.action.expires_days) for o in all_options]
    dates = [expiry[k] if yes else None for k, yes in zip(column, some, strict=True)]
    uplift = pl.Series(np.where(some, value.uplift[row, column], np.nan)).fill_nan(None)
    return customers.select("customer_id").with_columns(
        exit_reason=pl.Series([None if yes else r for yes, r in zip(some, reason, strict=True)],
                              dtype=pl.String),
        action_id=text([o.action.id for o in all_options]),
        channel=text([o.channel for o in all_options]),
        basis=text([ASSUMED] * len(all_options)),
        uplift=uplift.round(6),
        expected_net_value_cents=pl.Series(np.where(some, value.net_cents[row, column], 0)),
        cost_cents=pl.Series(np.where(some, value.cost_cents[column], 0)),
        expires_on=pl.Series(dates, dtype=pl.Date),
    )  # fmt: skip


def _arm_columns(holdout: np.ndarray, share: float) -> list[pl.Series]:
    arm = np.where(holdout, HOLDOUT, POLICY)
    propensity = np.where(holdout, share, 1 - share)
    return [pl.Series("arm", arm, dtype=pl.String), pl.Series("propensity", propensity)]


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
