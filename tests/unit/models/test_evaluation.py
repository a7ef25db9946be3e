import numpy as np
import pytest

from models.evaluation import Leaks, judge_churn, judge_standing
from models.leaks import Suspect
from models.params import GateParams

PARAMS = GateParams(
    bootstrap_samples=100, max_ece=0.05, max_feature_auc=0.99, max_auc_gain=0.5,
    min_value_bias=0.7, max_value_bias=1.4, min_value_coverage=0.7,
)  # fmt: skip


@pytest.fixture
def churn():
    """Outcomes, their true probabilities, and a coarse and a useless prediction."""
    draw = np.random.default_rng(0)
    p = draw.random(2000)
    y = (draw.random(2000) < p).astype(int)
    return y, p, np.where(p > 0.8, 0.9, 0.4), draw.random(2000)


def test_true_probabilities_beat_a_coarse_rule(churn):
    y, p, coarse, useless = churn
    predictions = {"recency": useless, "rfm_logistic": coarse, "keepwell": p}
    judged = judge_churn(y, predictions, None, PARAMS, 0)
    assert judged.verdict.promote
    assert judged.gain["against"] == "rfm_logistic"  # the best of the baselines, not the first
    assert 0 < judged.gain["low"] < judged.gain["mean"] < judged.gain["high"]
    assert [row["model"] for row in judged.rows] == ["recency", "rfm_logistic", "keepwell"]


def test_useless_model_is_refused(churn):
    y, _, coarse, useless = churn
    verdict = judge_churn(y, {"recency": coarse, "keepwell": useless}, None, PARAMS, 0).verdict
    assert not verdict.promote
    assert verdict.why.startswith("not surely better than recency")


def test_right_order_with_wrong_probabilities_is_refused(churn):
    y, p, coarse, _ = churn
    verdict = judge_churn(y, {"recency": coarse, "keepwell": p**3}, None, PARAMS, 0).verdict
    assert not verdict.promote
    assert verdict.why.startswith("calibration error 0.2")
    assert verdict.why.endswith("is more than gate.max_ece 0.05 above chance")


def test_challenger_is_compared_with_the_champion_on_the_same_customers(churn):
    y, p, coarse, useless = churn
    blurred = np.clip(0.5 + (p - 0.5) + 0.25 * (useless - 0.5), 0, 1)
    verdict = judge_churn(y, {"recency": coarse, "keepwell": blurred}, p, PARAMS, 0).verdict
    assert not verdict.promote
    assert verdict.why.startswith("worse log-loss than the champion: log-loss -0.0")


def test_test_period_in_which_all_end_alike_promotes_nobody():
    y, p = np.zeros(50, dtype=int), np.full(50, 0.01)
    verdict = judge_churn(y, {"recency": p, "keepwell": p}, None, PARAMS, 0).verdict
    assert not verdict.promote


def test_standing_gains_by_smaller_log_loss():
    draw = np.random.default_rng(1)
    p = draw.dirichlet([1, 1], 1000)
    following = np.where(draw.random(1000) < p[:, 0], "a", "b")
    predictions = {"stays": np.full((1000, 2), 0.5), "keepwell": p}
    judged = judge_standing(following, predictions, None, ("a", "b"), PARAMS, 0)
    losses = {row["model"]: row["log_loss"] for row in judged.rows}
    assert losses["stays"] == pytest.approx(np.log(2))
    assert judged.verdict.promote
    assert judged.gain["mean"] == pytest.approx(losses["stays"] - losses["keepwell"])


def test_error_that_chance_alone_explains_is_no_reason_to_refuse():
    """Sixty customers: even true probabilities miss the observed rates of small bins by far."""
    draw = np.random.default_rng(2)
    p = draw.beta(0.4, 0.4, 60)
    y = (draw.random(60) < p).astype(int)
    judged = judge_churn(y, {"recency": draw.random(60), "keepwell": p}, None, PARAMS, 0)
    assert judged.rows[1]["ece"] > PARAMS.max_ece
    assert judged.verdict.promote


def test_leaks_refuse_promotion_and_are_named(churn):
    y, p, coarse, _ = churn
    predictions = {"recency": coarse, "keepwell": p}
    for leaks, named in (
        (Leaks(["visits_next_week"], []), "change when later events are added (visits_next_week)"),
        (
            Leaks([], [Suspect("refund_90d", 0.995)]),
            "refund_90d alone tells who churns with AUC 0.995",
        ),
    ):
        verdict = judge_churn(y, predictions, None, PARAMS, 0, leaks).verdict
        assert not verdict.promote
        assert named in verdict.why


def test_implausible_jump_over_the_baselines_is_refused(churn):
    y, p, _, useless = churn
    strict = PARAMS.model_copy(update={"max_auc_gain": 0.15})
    predictions = {"recency": 0.4 + 0.2 * p + 0.2 * useless, "keepwell": np.where(y, 0.95, 0.05)}
    verdict = judge_churn(y, predictions, None, strict, 0).verdict
    assert not verdict.promote
    assert verdict.why.startswith("leak suspected: AUC +0.")
