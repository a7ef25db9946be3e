import numpy as np
import pytest

from actions.qini import qini, qini_curve
from actions.uplift import FOLDS, Trial, best_arms, learn, policy


def trial(effect, n=20_000, seed=0):
    """Two arms by chance 1 to 3; the outcome rises by `effect(x)` with the action."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 2))
    arm = (draw.random(n) < 0.25).astype(int)
    outcome = x[:, 1] + arm * effect(x) + draw.normal(size=n)
    return Trial(x, arm, np.where(arm == 1, 0.25, 0.75), outcome, draw.integers(0, FOLDS, n))


def test_effect_that_differs_between_customers_is_found_and_proven():
    found = learn(trial(lambda x: 0.2 + 0.5 * x[:, 0])).effects[0]
    assert found.mean == pytest.approx(0.2, abs=4 * found.error)
    assert found.line.slopes == pytest.approx([0.5, 0.0], abs=0.1)
    assert found.proven


def test_effect_that_is_alike_for_everybody_is_a_constant():
    found = learn(trial(lambda x: 0.3 + 0 * x[:, 0])).effects[0]
    assert not found.proven
    assert found.line.slopes.tolist() == [0.0, 0.0]
    assert found.line.intercept == pytest.approx(found.mean)


def test_choice_by_customer_is_used_where_it_is_proven_to_pay():
    test = trial(lambda x: x[:, 0])
    chosen, gain = policy(test, learn(test), test.features, np.zeros(1))
    assert gain.low > 0
    assert (chosen == (test.features[:, 0] > 0)).mean() > 0.9


def test_best_single_arm_is_used_where_nothing_is_proven():
    test = trial(lambda x: 0.3 + 0 * x[:, 0])
    chosen, gain = policy(test, learn(test), test.features, np.zeros(1))
    assert gain.low <= 0
    assert set(chosen) == {1}


def test_no_action_is_the_best_arm_where_none_pays():
    test = trial(lambda x: 0.3 + 0 * x[:, 0])
    chosen, _ = policy(test, learn(test), test.features, np.array([1.0]))
    assert set(chosen) == {0}
    assert best_arms(np.array([[0.5, 0.6]]), np.array([0.1, 0.3])).tolist() == [1]


# ----- Qini: treated buyers less control buyers, scaled to the treated, among the best ranked

SCORE = np.array([4, 3, 2, 1])
TREATED = np.array([True, False, True, False])


def test_qini_curve_is_computed_by_hand():
    ranked, gained = qini_curve(SCORE, TREATED, np.array([1, 0, 0, 1]))
    assert ranked.tolist() == [0, 1, 2, 3, 4]
    assert gained.tolist() == [0, 1, 1, 1, 0]


def test_equal_scores_come_together():
    ranked, gained = qini_curve(np.array([1, 1, 0, 0]), TREATED, np.array([1, 0, 0, 1]))
    assert (ranked.tolist(), gained.tolist()) == ([0, 2, 4], [0, 1, 0])


def test_perfect_ranking_has_qini_1_and_the_reverse_is_worse_than_chance():
    outcome = np.array([1.0, 0.0, 0.0, 1.0])
    assert qini(np.where(TREATED, outcome, -outcome), TREATED, outcome) == 1
    assert qini(np.where(TREATED, -outcome, outcome), TREATED, outcome) < 0


def test_ranking_by_chance_has_qini_near_0():
    draw = np.random.default_rng(0)
    w, y = draw.random(40_000) < 0.5, (draw.random(40_000) < 0.3).astype(float)
    assert qini(draw.random(40_000), w, y) == pytest.approx(0, abs=0.02)
