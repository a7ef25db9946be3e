import numpy as np
import polars as pl
import pytest

from models.metrics import auc, macro_f1
from models.subgroups import GROUPS, Outcomes, by_group, f1_of, of_churn, of_money, of_standing

CLASSES = ("low", "high", "never")


def customers(*stages):
    return pl.DataFrame({"stage": stages, "level": "loyalty", "activity": "active"})


def test_a_group_has_the_means_of_its_own_customers():
    """20 of the first stage, 5 of them churned; 20 of the second, 10 churned at losses of 1."""
    actual = np.array([1] * 5 + [0] * 15 + [1] * 10 + [0] * 10)
    outcomes = Outcomes(actual, np.repeat([0.2, 0.6], 20), np.repeat([0.5, 1.0], 20))
    rows = by_group(outcomes, customers(*["awareness"] * 20, *["retention"] * 20))
    first, second, level = rows[:3]
    assert first == {
        "by": "stage", "group": "awareness", "customers": 20, "actual": 0.25, "loss": 0.5,
        "expected": pytest.approx(0.2),
    }  # fmt: skip
    assert (second["group"], second["actual"], second["loss"]) == ("retention", 0.5, 1.0)
    assert (level["by"], level["customers"], level["actual"]) == ("level", 40, 0.375)


def test_a_group_of_fewer_than_twenty_customers_is_left_out():
    flat = np.zeros(39)
    rows = by_group(Outcomes(flat, flat, flat), customers(*["a"] * 20, *["b"] * 19))
    assert [row["group"] for row in rows if row["by"] == "stage"] == ["a"]
    assert {row["by"] for row in rows} == set(GROUPS)


def test_f1_is_scikit_learn_s():
    following = np.array(["low", "low", "high", "low", "high"])
    p = np.array([[9, 1, 0], [2, 8, 0], [3, 7, 0], [6, 4, 0], [0, 4, 6]]) / 10
    cells = np.array([0, 0, 1, 0, 1]) * 3 + p.argmax(axis=1)
    assert f1_of(cells, 3) == pytest.approx(macro_f1(following, p, CLASSES))


def test_the_interval_is_about_the_metric_of_the_whole_test():
    draw = np.random.default_rng(1)
    p = draw.random(500)
    y = (draw.random(500) < p).astype(int)
    told = of_churn(y, p, customers(*["a"] * 500), seed=0)
    low, high = told["intervals"]["auc"]
    assert low < auc(y, p) < high
    assert 0.02 < high - low < 0.12
    assert sum(row["n"] for row in told["by_expected"]) == 500


def test_a_standing_is_expected_to_change_where_its_class_is_not_expected_again():
    """Both are low now, at 0.9 and 0.2 to stay so; the second left."""
    p = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    now, following = np.array(["low", "low"]), np.array(["low", "high"])
    told = of_standing(following, p, now, CLASSES, customers("a", "a"), seed=0)
    assert [row["predicted"] for row in told["by_expected"]] == pytest.approx([0.1, 0.8])
    assert [row["observed"] for row in told["by_expected"]] == [0, 1]


def test_money_that_all_came_as_expected_has_no_error():
    cents = np.array([100.0, 300.0])
    told = of_money(cents, cents, customers("a", "a"), seed=0)
    assert told["intervals"] == {"mae": [0, 0], "bias": [1, 1]}
