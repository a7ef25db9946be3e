import numpy as np
import pandas as pd
import pytest

from models.baselines import fit_logistic_on, look_up, stays_table, transition_table

CLASSES = ("a", "b", "c")
NOW = np.array(["a", "a", "a", "b"])
NEXT = np.array(["a", "a", "b", "c"])


def test_transition_table_counts_moves_with_one_added_to_each():
    expected = [[3 / 6, 2 / 6, 1 / 6], [1 / 4, 1 / 4, 2 / 4], [1 / 3, 1 / 3, 1 / 3]]
    assert transition_table(NOW, NEXT, CLASSES) == pytest.approx(np.array(expected))


def test_rows_of_the_transition_table_add_up_to_one():
    draw = np.random.default_rng(0)
    table = transition_table(draw.choice(CLASSES, 99), draw.choice(CLASSES, 99), CLASSES)
    assert table.sum(axis=1) == pytest.approx(np.ones(3))
    assert (table > 0).all()


def test_stays_says_how_many_stay_and_spreads_the_rest():
    table = stays_table(NOW, NEXT, 3)  # 2 of 4 stay, shrunk by one stayer and one mover
    assert table == pytest.approx(np.where(np.eye(3) > 0, 0.5, 0.25))


def test_look_up_gives_each_customer_the_row_of_their_class():
    table = np.arange(9).reshape(3, 3)
    assert look_up(table, np.array(["c", "a"]), CLASSES).tolist() == [[6, 7, 8], [0, 1, 2]]


def test_logistic_baseline_reads_its_own_columns_only():
    draw = np.random.default_rng(1)
    x = pd.DataFrame({"days": draw.integers(1, 90, 200).astype(float), "noise": draw.random(200)})
    y = (x["days"].to_numpy() > 45).astype(int)
    model = fit_logistic_on(["days"], x, y)
    risk = model.predict_proba(pd.DataFrame({"days": [1.0, 89.0]}))[:, 1]
    assert risk[0] < 0.05 < 0.95 < risk[1]
