import numpy as np
import polars as pl
import pytest

from actions.effects import BASES, worth
from actions.funnel import options
from actions.learning import learned_effects, uplift_of
from actions.params import MeasureParams

PARAMS = MeasureParams(min_per_arm=100, stage_sd_share=0.5)


def log(effect, n=30_000):
    """Half get the offer; it adds `effect(p)` to the chance p of buying."""
    draw = np.random.default_rng(0)
    p = draw.uniform(0.1, 0.9, n)
    treated = draw.random(n) < 0.5
    bought = draw.random(n) < np.clip(p + treated * effect(p), 0, 1)
    return pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "arm": np.where(treated, "policy", "holdout"),
            "action_id": pl.Series(treated).replace_strict({True: "offer", False: None}),
            "action_propensity": np.full(n, 0.5),
            "eligible_options": ["offer:email"] * n,
            "p_value": p,
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
    uplift, basis = value.belief.of(np.arange(5), np.zeros(5, dtype=int))
    assert [BASES[k] for k in basis] == ["randomised"] * 5
    assert uplift == pytest.approx(value.belief.uplift(0))


def test_effect_that_is_alike_for_all_is_not_learned_by_customer():
    assert learned_effects(log(lambda p: 0.1 + 0 * p), PARAMS) == {}


def test_customers_who_could_not_have_it_teach_nothing():
    rows = log(lambda p: 0.4 * (0.5 - p)).with_columns(eligible_options=pl.lit("other:email"))
    assert learned_effects(rows, PARAMS) == {}
