import numpy as np
import pytest
from sklearn import metrics as library

from models.metrics import (
    auc,
    binary_log_losses,
    calibration_table,
    class_log_losses,
    ece,
    ece_by_chance,
    macro_f1,
    paired_interval,
)

CLASSES = ("a", "b", "c")


def drawn(n=500, seed=0):
    """Outcomes that follow their probabilities."""
    draw = np.random.default_rng(seed)
    p = draw.random(n)
    return (draw.random(n) < p).astype(int), p


def test_auc_is_the_share_of_pairs_in_the_right_order():
    y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.4])
    assert auc(y, p) == pytest.approx(2.5 / 4)  # pairs: right, wrong, right, tie


def test_auc_is_unknown_where_all_end_alike():
    assert np.isnan(auc(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3])))


def test_log_loss_agrees_with_scikit_learn():
    y, p = drawn()
    assert binary_log_losses(y, p).mean() == pytest.approx(library.log_loss(y, p))


def test_certain_and_wrong_costs_much_but_not_infinity():
    assert binary_log_losses(np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-6))


def test_log_loss_of_classes_agrees_with_scikit_learn():
    draw = np.random.default_rng(1)
    p = draw.dirichlet([1, 1, 1], 200)
    following = draw.choice(CLASSES, 200)
    expected = library.log_loss(following, p, labels=CLASSES)
    assert class_log_losses(following, p, CLASSES).mean() == pytest.approx(expected)


def test_macro_f1_is_the_mean_over_classes_that_occur():
    following = np.array(["a", "a", "b", "b"])
    p = np.eye(3)[[0, 0, 0, 2]]  # predicted a, a, a, c
    assert macro_f1(following, p, CLASSES) == pytest.approx((0.8 + 0) / 2)  # F1: a 4/5, b 0


def test_macro_f1_agrees_with_scikit_learn():
    draw = np.random.default_rng(2)
    p, following = draw.dirichlet([1, 1, 1], 300), draw.choice(CLASSES, 300)
    predicted = np.array(CLASSES)[p.argmax(axis=1)]
    expected = library.f1_score(following, predicted, average="macro")
    assert macro_f1(following, p, CLASSES) == pytest.approx(expected)


def test_calibration_error_is_the_mean_distance_in_equal_bins():
    p = np.repeat([0.1, 0.6], 10)
    y = np.array([0] * 10 + [1] * 9 + [0])
    # Five bins at 0.1 with nobody churned; five at 0.6 with 2, 2, 2, 2 and 1 of 2 churned.
    assert ece(y, p) == pytest.approx((5 * 0.1 + 4 * 0.4 + 1 * 0.1) / 10)


def test_calibration_error_by_chance_of_equal_risks():
    """Ten bins of 100 at 0.5: sqrt(2 / pi) x sqrt(0.25 / 100) each."""
    assert ece_by_chance(np.full(1000, 0.5)) == pytest.approx(0.0399, abs=1e-4)


def test_calibration_error_by_chance_is_what_true_probabilities_show():
    errors = [ece(*drawn(1000, seed)) for seed in range(100)]
    assert ece_by_chance(drawn(1000)[1]) == pytest.approx(np.mean(errors), rel=0.1)


def test_bins_are_of_equal_size_from_low_to_high_risk_and_lose_nobody():
    y, p = drawn(95)
    table = calibration_table(y, p)
    assert [row["n"] for row in table] == [10] * 5 + [9] * 5
    assert [row["predicted"] for row in table] == sorted(row["predicted"] for row in table)
    assert sum(row["observed"] * row["n"] for row in table) == pytest.approx(y.sum())


def test_fewer_customers_than_bins_make_fewer_bins():
    assert [row["n"] for row in calibration_table(np.array([0, 1]), np.array([0.2, 0.7]))] == [1, 1]


def test_interval_of_a_mean_agrees_with_its_standard_error():
    x = np.random.default_rng(3).normal(0.5, 1, 2000)
    interval = paired_interval(lambda i: float(x[i].mean()), len(x), 1000, seed=0)
    error = 1.96 * x.std() / np.sqrt(len(x))
    assert interval.mean == pytest.approx(x.mean())
    assert interval.low == pytest.approx(x.mean() - error, abs=0.1 * error)
    assert interval.high == pytest.approx(x.mean() + error, abs=0.1 * error)


def test_interval_contains_the_truth_about_as_often_as_it_says():
    draw = np.random.default_rng(4)
    found = 0
    for seed in range(100):
        x = draw.normal(0.3, 1, 200)
        interval = paired_interval(lambda i, x=x: float(x[i].mean()), 200, 200, seed)
        found += interval.low <= 0.3 <= interval.high
    assert 88 <= found <= 100  # 95, give or take three standard errors


def test_same_seed_gives_the_same_interval_and_another_seed_another():
    x = np.random.default_rng(5).normal(size=50)
    one, again, other = (paired_interval(lambda i: x[i].mean(), 50, 100, s) for s in (7, 7, 8))
    assert one == again
    assert one != other


def test_models_are_drawn_together():
    """A model against itself gains nothing, in every sample."""
    y, p = drawn(100)
    interval = paired_interval(lambda i: auc(y[i], p[i]) - auc(y[i], p[i]), 100, 100, 0)
    assert interval == (0, 0, 0)


def test_interval_of_what_cannot_be_measured_is_unknown():
    assert np.isnan(paired_interval(lambda i: float("nan"), 10, 100, 0)).all()
