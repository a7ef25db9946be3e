"""The holdout over a quarter: the same customers, left alone, and like everybody else."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from actions.arms import HOLDOUT, held_out
from actions.catalogue import ActionCatalogue
from actions.decisions import Provenance, decide
from actions.funnel import ContactRecord
from actions.params import RecommendParams
from actions.sensitivity import ENGAGEMENT_SCORES
from features.schemas import EFFECTS
from features.time import day_number
from pipelines.tables import polars_schema

N, WEEKS, RETRAINED = 20_000, 12, 6
BEGIN = date(2018, 1, 1)
SHARE, FEATURES = 0.1, [f"feature_{k}" for k in range(10)]
OFFER = {
    "name": "Offer", "tactic": "targeted_email", "goal": "retain", "stages": ["retention"],
    "levels": ["loyalty"], "activities": ["active"], "channels": {"email": 1}, "cooldown_days": 14,
    "expires_days": 7, "effect": {"points": 5, "sd": 1, "source": "assumption"},
    "brief": "Say one friendly sentence.",
}  # fmt: skip
CATALOGUE = ActionCatalogue.model_validate(
    {
        "channels": {"email": {"consent": True}},
        "all_channels": {"count": 4, "days": 30},
        "actions": [OFFER | {"id": "offer"}, OFFER | {"id": "other", "incentive_cents": 100}],
    }
)
PARAMS = RecommendParams(
    budget_cents=1_000_000, margin_rate=0.5, kept_value_days=90, holdout_share=SHARE,
    random_share=0.05, usual_share=0.05, holdout_salt="keepwell",
)  # fmt: skip
NOTHING = pl.DataFrame(schema=polars_schema(EFFECTS))
QUIET = pl.DataFrame(schema={"customer_id": pl.String, "day": pl.Int64})


def people(week: int) -> pl.DataFrame:
    """Scores of a week, by another model from the retraining on; features are of the first week."""
    known, model = np.random.default_rng(0), np.random.default_rng((week >= RETRAINED, week))
    skewed = known.lognormal(size=(N, len(FEATURES) // 2))
    even = known.normal(size=(N, len(FEATURES) // 2))
    return pl.DataFrame(np.hstack([skewed, even]), schema=FEATURES).with_columns(
        customer_id=pl.Series([f"c{k}" for k in range(N)]),
        stage=pl.lit("retention"), level=pl.lit("loyalty"), activity=pl.lit("active"),
        p_value=pl.Series(model.uniform(size=N)),
        p_alive=pl.lit(1.0),
        **{name: pl.Series(known.uniform(0, 100, N)) for name in ENGAGEMENT_SCORES},
        order_value_cents=pl.Series(model.integers(500, 5000, N)),
        expected_value_cents=pl.Series(model.integers(0, 5000, N)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs() -> list[pl.DataFrame]:
    """Decisions of twelve weekly runs, each after the contacts of those before."""
    contacts = pl.DataFrame(
        schema={"customer_id": pl.String, "channel": pl.String, "action_id": pl.String,
                "day": pl.Int64}
    )  # fmt: skip
    permitted = pl.DataFrame({"customer_id": [f"c{k}" for k in range(N)], "channel": "email"})
    tables = []
    for week in range(WEEKS):
        as_of = BEGIN + timedelta(weeks=week)
        record = ContactRecord(permitted, permitted.clear(), contacts, QUIET)
        table = decide(
            people(week), record, CATALOGUE, NOTHING, PARAMS, as_of=as_of, horizon_days=30,
            provenance=Provenance("run", "data", f"model of {week >= RETRAINED}", "catalogue"),
        ).table  # fmt: skip
        sent = table.filter(pl.col("outcome") == "exported").with_columns(
            day=pl.lit(day_number(as_of))
        )
        contacts = pl.concat([contacts, sent.select(contacts.columns).cast(contacts.schema)])
        tables.append(table)
    return tables


def held(table: pl.DataFrame) -> set[str]:
    return set(table.filter(pl.col("arm") == HOLDOUT)["customer_id"])


def test_same_customers_are_held_out_over_twelve_weekly_runs_and_a_retrain(runs):
    first = held(runs[0])
    assert first
    assert all(held(table) == first for table in runs)


def test_nobody_who_is_held_out_is_sent_anything_in_any_run(runs):
    exported = [set(t.filter(pl.col("outcome") == "exported")["customer_id"]) for t in runs]
    assert all(exported)
    assert not any(sent & held(table) for sent, table in zip(exported, runs, strict=True))


@pytest.mark.parametrize("salt", ["keepwell", "a", "b", "c", "d"])
def test_holdout_has_its_share_and_is_like_everybody_else(salt):
    """Within four standard errors; standardised differences below 0.1 on ten features."""
    everybody = people(0)
    inside = held_out(everybody["customer_id"], SHARE, salt)
    assert inside.mean() == pytest.approx(SHARE, abs=4 * np.sqrt(SHARE * (1 - SHARE) / N))
    known = everybody.select(FEATURES).to_numpy()
    one, other = known[inside], known[~inside]
    pooled = np.sqrt((one.var(axis=0) + other.var(axis=0)) / 2)
    assert np.abs((one.mean(axis=0) - other.mean(axis=0)) / pooled).max() < 0.1
