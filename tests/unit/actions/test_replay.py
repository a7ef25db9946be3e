"""Past runs planned again: what was allowed then, within another budget, by what came of it."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from actions.replay import NOTHING, policy_values, replay

AS_OF = date(2018, 1, 1)
BOTH = "cheap:email dear:web"


@pytest.fixture
def two(catalogue):
    """A cheap action that brings 100 cents at a toss-up, and a dear one that brings twice that."""
    return catalogue(
        {"id": "cheap", "channels": {"email": 1}, "effect": effect(20)},
        {"id": "dear", "channels": {"web": 50}, "effect": effect(40)},
    )


def effect(points):
    return {"points": points, "sd": 0.1, "source": "assumption"}


def log(n=4000, *, could=BOTH):
    """Everybody drew cheap, dear or nothing alike; .2, .4 or .1 of them bought."""
    draw = np.random.default_rng(0)
    done = draw.integers(0, 3, n)
    bought = draw.random(n) < np.array([0.1, 0.2, 0.4])[done]
    names = [None, "cheap", "dear"]
    return pl.DataFrame(
        {
            "customer_id": [f"c{k:04d}" for k in range(n)],
            "as_of": [AS_OF] * n,
            "horizon_days": [30] * n,
            "arm": ["random"] * n,
            "action_id": pl.Series([names[k] for k in done], dtype=pl.String),
            "channel": pl.Series([(None, "email", "web")[k] for k in done], dtype=pl.String),
            "planned_action_id": ["cheap"] * n,
            "planned_channel": ["email"] * n,
            "action_propensity": [1 / 3] * n,
            "eligible_options": [could] * n,
            "stage": ["engagement"] * n,
            "activity": ["active"] * n,
            "p_value": [0.5] * n,
            "transactional_score": [50.0] * n,
            "order_value_cents": [1000] * n,
            "expected_value_cents": [500] * n,
            "success": bought.astype(float),
            "value_cents": 1000.0 * bought,
        }
    )


def test_everybody_gets_what_is_worth_most_while_money_lasts(two, effects, params):
    rows = log(10)
    played = replay(rows, two, effects(), params(budget_cents=10 * 50), explored=True)
    assert list(played.new) == ["dear:web"] * 10
    # 3 dear ones more than everybody's cheap one: 10 + 3 x 49 of the 160 cents
    played = replay(rows, two, effects(), params(budget_cents=160), explored=True)
    assert sorted(played.new) == ["cheap:email"] * 7 + ["dear:web"] * 3


def test_what_was_not_allowed_then_is_not_planned_now(two, effects, params):
    played = replay(log(10, could="cheap:email"), two, effects(), params(), explored=True)
    assert list(played.new) == ["cheap:email"] * 10
    played = replay(log(10, could=""), two, effects(), params(), explored=True)
    assert list(played.new) == [NOTHING] * 10


def test_another_action_had_a_chance_only_where_there_was_a_random_arm(two, effects, params):
    for explored in (True, False):
        played = replay(log(10), two, effects(), params(), explored=explored)
        assert played.supported.tolist() == [explored] * 10


def test_values_are_those_of_the_customers_who_got_it_by_chance(two, effects, params):
    values = policy_values(replay(log(), two, effects(), params(), explored=True))
    found = {(r["outcome"], r["policy"], r["estimator"]): r for r in values.iter_rows(named=True)}
    for estimator in ("ips", "snips", "dr"):
        assert found["success", "new", estimator]["value"] == pytest.approx(0.4, abs=0.04)
        assert found["success", "current", estimator]["value"] == pytest.approx(0.2, abs=0.04)
    gap = found["value", "difference", "dr"]
    assert gap["low"] < 200 < gap["high"]
    assert gap["low"] > 0


def test_plan_of_then_differs_from_itself_by_nothing(two, effects, params):
    rows = log(could="cheap:email")
    values = policy_values(replay(rows, two, effects(), params(), explored=True))
    gap = values.filter(pl.col("policy") == "difference")
    assert gap.select("value", "low", "high").to_numpy() == pytest.approx(np.zeros((2, 3)))
