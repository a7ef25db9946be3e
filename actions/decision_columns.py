"""The columns of a decision: what is given and planned, by which chance, and what becomes of it."""

import hashlib
from datetime import date, timedelta

import numpy as np
import polars as pl

from actions.arms import HOLDOUT, POLICY, RANDOM, USUAL, shares
from actions.dual import NONE
from actions.effects import Worth
from actions.exploration import Chances
from actions.funnel import Option
from actions.params import RecommendParams
from actions.plan import Plan

SUPPRESSED = (
    "no_consent", "suppression", "quiet_period", "contact_cap", "cool_down", "had_enough",
)  # fmt: skip


def given_columns(
    given: np.ndarray, every: list[Option], value: Worth, as_of: date
) -> list[pl.Series]:
    """What the option says of itself, and what it is worth; empty where there is none."""
    rows = np.flatnonzero(given != NONE)
    worths = value.belief.of(rows, given[rows]).with_columns(
        row=rows, expected_net_value_cents=value.net_cents[rows, given[rows]]
    )
    chosen = (
        pl.DataFrame({"row": np.arange(len(given)), "option": given})
        .join(
            _option_columns(every, value.cost_cents, as_of), "option", "left", maintain_order="left"
        )
        .join(worths, "row", "left", maintain_order="left")
        .with_columns(pl.col("uplift", "sensitivity").round(6))
        .with_columns(pl.col("cost_cents", "expected_net_value_cents").fill_null(0))
    )
    return chosen.drop("row", "option").get_columns()


def _option_columns(every: list[Option], cost_cents: np.ndarray, as_of: date) -> pl.DataFrame:
    expiry = [as_of + timedelta(days=option.action.expires_days) for option in every]
    return pl.DataFrame(
        {
            "option": np.arange(len(every)),
            "action_id": [option.action.id for option in every],
            "channel": [option.channel for option in every],
            "cost_cents": cost_cents,
            "expires_on": expiry,
        }
    )


def planned_columns(plan: Plan, every: list[Option]) -> list[pl.Series]:
    """What the policy would give, whatever the arm."""
    named = {
        "planned_action_id": [*(option.action.id for option in every), None],
        "planned_channel": [*(option.channel for option in every), None],
    }
    return [
        pl.Series(name, texts, dtype=pl.String).gather(plan.planned % len(texts))
        for name, texts in named.items()
    ]


def eligible_column(allowed: np.ndarray, every: list[Option]) -> pl.Series:
    """What each customer could be given, as text; few texts differ, so each is made once."""
    names = [f"{option.action.id}:{option.channel}" for option in every]
    packed = np.packbits(allowed, axis=1)
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    texts = [" ".join(names[k] for k in np.flatnonzero(allowed[row])) for row in first]
    return pl.Series("eligible_options", texts, dtype=pl.String).gather(which.ravel())


def probability_columns(
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


def outcome() -> pl.Expr:
    """Exported, held_out, suppressed or no_action, by the reason."""
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


def decision_id(as_of: date, catalogue_hash: str) -> pl.Expr:
    """Stable hash of customer, date and catalogue."""

    def digest(customer_id: str) -> str:
        text = f"{as_of}\x1f{catalogue_hash}\x1f{customer_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    return pl.col("customer_id").map_elements(digest, return_dtype=pl.String).alias("decision_id")
