"""A gain is against the better baseline, metric by metric."""

import numpy as np
import pytest

from benchmarks.stages import gains

ORDER = ("a", "b")
FOLLOWING = np.array(["a", "b"] * 50)
RIGHT = np.where(FOLLOWING[:, None] == np.array(ORDER), 0.9, 0.1)
CAUTIOUS = np.where(FOLLOWING[:, None] == np.array(ORDER), 0.51, 0.49)
UNDECIDED = np.tile([0.5001, 0.4999], (100, 1))
BOLD = np.where((np.arange(100) % 10 == 0)[:, None], 1 - RIGHT, RIGHT)


def test_model_that_equals_the_better_baseline_gains_nothing():
    found = gains(FOLLOWING, {"keepwell": BOLD, "stays": UNDECIDED, "table": BOLD}, ORDER, 100, 0)
    assert all(tuple(gain) == (0, 0, 0) for gain in found.values())


def test_each_metric_has_the_baseline_that_is_better_at_it():
    rivals = {"stays": CAUTIOUS, "transition_table": BOLD}
    found = gains(FOLLOWING, {"keepwell": CAUTIOUS, **rivals}, ORDER, 100, 0)
    bold_loss = -0.9 * np.log(0.9) - 0.1 * np.log(0.1)
    assert found["log_loss"].mean == pytest.approx(bold_loss + np.log(0.51))
    assert found["macro_f1"].mean == 0


def test_surely_better_model_has_an_interval_above_nothing():
    found = gains(FOLLOWING, {"keepwell": RIGHT, "stays": UNDECIDED, "table": BOLD}, ORDER, 100, 0)
    assert all(0 < gain.low <= gain.mean <= gain.high for gain in found.values())
