import numpy as np
import polars as pl
import pytest

from actions.effects import worth
from actions.funnel import options
from actions.learning import learned_effects, uplift_of
from actions.params import MeasureParams

PARAMS = MeasureParams(min_per_arm=100, stage_sd_share=0.5)


def log(effect, n=30_000, seed=0):
    """Half get the offer; it adds `effect(p)` to the chance p of buying."""
    draw = np.random.default_rng(seed)
    p = draw.uniform(0.1, 0.9, n)
    treated = draw.random(n) < 0.5
    bought = draw.random(n) < np.clip(p + treated * effect(p), 0, 1)
    return pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "arm": np.where(treated, "policy", "holdout"),
            "action_id": pl.Series(treated).replace_strict({True: "offer", False: None}),
            "action_propensity": np.full(n, 0.5),
            "planned_action_id": ["offer"] * n,
            "eligible_options": ["offer:email"] * n,
            "p_value": p,
            "transactional_score": np.full(n, 50.0),
            "order_value_cents": np.full(n, 1000),
            "expected_value_cents": np.full(n, 500),
            "stage": ["engagement"] * n,
            "activity": ["active"] * n,
            "success": bought.astype(float),
        }
    )


def test_effect_that_helps_some_and_harms_others_is_learned_by_customer(catalogue, params, effects):
    rows = log(lambda p: 0.4 * (0.5 - p))
    learned = learned_effects(rows, PARAMS)
    assert learned["offer"]["gain_low"] > 0
    assert uplift_of(learned["offer"], rows) == pytest.approx(
        0.4 * (0.5 - rows["p_value"].to_numpy()), abs=0.08
    )
    value = worth(rows[:5], options(catalogue()), effects(), params(), 30, learned)
    found = value.belief.of(np.arange(5), np.zeros(5, dtype=int))
    assert found["basis"].to_list() == ["randomised"] * 5
    assert found["uplift"].to_list() == pytest.approx(value.belief.uplift(0))


def test_effect_that_is_alike_for_all_is_not_learned_by_customer():
    assert learned_effects(log(lambda p: 0.1 + 0 * p), PARAMS) == {}


def test_customers_who_were_planned_for_something_else_teach_nothing():
    """They got it with next to no probability: one of them would weigh as much as a thousand."""
    rows = log(lambda p: 0.4 * (0.5 - p)).with_columns(planned_action_id=pl.lit("other"))
    assert learned_effects(rows, PARAMS) == {}


def of(action: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The same log, of another action."""
    named = pl.when(pl.col("action_id").is_not_null()).then(pl.lit(action))
    return rows.with_columns(planned_action_id=pl.lit(action), action_id=named)


def test_gain_is_proven_only_beyond_what_luck_brings_to_one_of_many_actions():
    """P-value .007: proof for the only action there is, but not for one of ten."""
    some = log(lambda p: 0.25 * (0.5 - p), n=3000)
    none = [of(f"a{k}", log(lambda p: 0 * p, n=3000, seed=k)) for k in range(1, 10)]
    assert set(learned_effects(some, PARAMS)) == {"offer"}
    assert learned_effects(pl.concat([some, *none]), PARAMS) == {}
