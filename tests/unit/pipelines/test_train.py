"""Where there is too little to learn from, no model is trained, and the reason has its counts."""

import numpy as np
import pytest

from pipelines.train import too_few


@pytest.mark.parametrize(("yes", "no"), [(200, 0), (0, 200), (1, 0), (200, 99)])
def test_history_of_one_outcome_trains_no_churn_model_and_says_so(yes, no):
    why = too_few(np.repeat([1, 0], [yes, no]), 100)
    assert why is not None
    assert f"{yes} churned and {no} kept customers, at least 100 of each" in why


def test_history_of_enough_of_both_is_learned_from():
    assert too_few(np.repeat([1, 0], [100, 100]), 100) is None
