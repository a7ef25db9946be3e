import numpy as np
import pytest

from actions.offpolicy import Past, evaluate_difference, evaluate_policy, weights


def past(n=20_000, seed=0):
    """Nothing or an action by even chance; the action brings x, known beforehand."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 1))
    action = draw.integers(0, 2, n)
    outcome = 1 + action * x[:, 0] + draw.normal(size=n)
    return Past(x, action, np.full(n, 0.5), outcome, np.arange(n))


def test_decision_stands_for_as_many_as_its_chance_says():
    three = Past(np.zeros((3, 1)), np.array([0, 1, 1]), np.array([0.5, 0.25, 0.75]), np.ones(3),
                 np.arange(3))  # fmt: skip
    assert weights(three, np.array([0, 1, 0])).tolist() == [2, 4, 0]
    assert evaluate_policy(three, np.array([0, 1, 0])).effective == pytest.approx(36 / 20)


def test_policy_that_was_never_run_is_valued_by_all_three_estimators():
    """Acting on x > 0 alone brings 1 + E[x; x > 0] = 1 + 0.399."""
    logged = past()
    found = evaluate_policy(logged, (logged.features[:, 0] > 0).astype(int))
    for estimate in (found.ips, found.snips, found.dr):
        assert estimate.low < 1 + 1 / np.sqrt(2 * np.pi) < estimate.high
    assert found.dr.high - found.dr.low < found.ips.high - found.ips.low


def test_difference_of_two_policies_is_sharper_than_their_intervals():
    logged = past()
    nothing, wise = np.zeros(len(logged.action), int), (logged.features[:, 0] > 0).astype(int)
    gap = evaluate_difference(logged, wise, nothing)
    assert gap.low < 0.399 < gap.high
    assert gap.low > 0.3


def test_policy_without_any_support_has_no_evidence():
    logged = past(n=100)
    found = evaluate_policy(logged, np.full(100, 7))
    assert found.effective == 0
    assert np.isnan(found.snips.value)
