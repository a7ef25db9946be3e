import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from models.blend import Blend, offset, stacked


@pytest.fixture(scope="module")
def customers():
    """Two cutoffs of unlike level; one member is right, one is noise, one inverse."""
    draw = np.random.default_rng(0)
    truth = draw.normal(size=8000)
    group = np.repeat([0, 1], 4000)
    y = (draw.random(8000) < expit(truth + np.array([1.0, -0.5])[group])).astype(int)
    return np.column_stack([truth, draw.normal(size=8000), -truth]), y, group


def test_weights_go_to_the_member_that_is_right_and_none_is_negative(customers):
    logits, y, group = customers
    weights, levels = stacked(logits[:, :2], y, group)
    assert weights == pytest.approx([1.0, 0.0], abs=0.07)
    assert levels == pytest.approx([1.0, -0.5], abs=0.1)
    assert (stacked(logits, y, group)[0] >= 0).all()


def test_of_one_member_the_fit_is_that_of_a_logistic_regression(customers):
    logits, y, group = customers
    first = group == 0
    member = logits[first, :1]
    expected = LogisticRegression(C=np.inf).fit(member, y[first])
    weights, levels = stacked(member, y[first], group[first])
    assert weights == pytest.approx(expected.coef_[0], rel=0.01)
    assert levels == pytest.approx(expected.intercept_, abs=0.01)


def test_offset_makes_the_mean_risk_what_happened():
    log_odds = np.array([0.0, 0.0, 0.0, 0.0])
    assert offset(log_odds, np.array([1, 0, 0, 0])) == pytest.approx(logit(0.25))


def test_blend_adds_weighted_log_odds():
    blend = Blend({"one": 0.5, "other": 2.0}, 0.25)
    assert blend.of(np.array([[1.0, 3.0]])) == pytest.approx([6.75])
