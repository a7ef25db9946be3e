import numpy as np
import pandas as pd
import pytest

from models.standing import fit_standing, probabilities, with_current

CLASSES = ("a", "b", "c")


@pytest.fixture(scope="module")
def rows():
    """Customers of 'a' and 'c'; nobody is 'b' next, and large values move to 'c'."""
    draw = np.random.default_rng(0)
    current = draw.choice(["a", "c"], 400)
    x = with_current(pd.DataFrame({"value": draw.random(400)}), current, CLASSES)
    return x, np.where(x["value"] > 0.5, "c", current)


def test_current_class_is_a_feature_by_its_number(rows):
    x = with_current(pd.DataFrame({"value": [1.0, 2.0]}), np.array(["c", "a"]), CLASSES)
    assert x["current_code"].to_list() == [2.0, 0.0]


def test_probabilities_are_in_the_order_of_the_classes_and_add_up(rows, quick_training):
    x, following = rows
    p = probabilities(fit_standing(x, following, quick_training, 0), x, CLASSES)
    assert p.sum(axis=1) == pytest.approx(np.ones(len(x)))
    assert (np.array(CLASSES)[p.argmax(axis=1)] == following).mean() > 0.95


def test_class_that_was_never_next_has_no_probability(rows, quick_training):
    x, following = rows
    p = probabilities(fit_standing(x, following, quick_training, 0), x, CLASSES)
    assert (p[:, 1] == 0).all()


def test_columns_may_come_in_any_order_and_with_others(rows, quick_training):
    x, following = rows
    model = fit_standing(x, following, quick_training, 0)
    more = x[["current_code", "value"]].assign(other=1.0)
    assert np.array_equal(probabilities(model, more, CLASSES), probabilities(model, x, CLASSES))


def test_same_seed_gives_the_same_bytes(rows, quick_training):
    x, following = rows
    one, again = (
        probabilities(fit_standing(x, following, quick_training, 3), x, CLASSES) for _ in "ab"
    )
    assert one.tobytes() == again.tobytes()
