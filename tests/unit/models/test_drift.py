"""Effect size and chance, against values computed by hand or by a library."""

import math

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from models.drift import Drift, Histogram, drift_finding, drifts, histogram, holm, psi


def test_index_of_two_bins_is_counted_by_hand():
    # 50/50 became 40/60: (-.1) ln(.4/.5) + (.1) ln(.6/.5)
    by_hand = -0.1 * math.log(0.8) + 0.1 * math.log(1.2)
    assert psi([50, 50], [400, 600]) == pytest.approx(by_hand)


def test_bins_hold_equal_numbers_and_empty_cells_are_apart():
    made = histogram(np.array([*range(100), np.nan, np.nan], dtype=float))
    assert made.counts == [9, 10, 10, 10, 10, 10, 10, 10, 10, 11, 2]
    assert made.edges[0] == 8.5


def test_point_mass_that_moves_a_little_crosses_no_edge():
    before = np.array([0.0] * 50 + [10.0] * 50)
    counts = histogram(before + 0.1, histogram(before).edges).counts
    assert counts == histogram(before).counts == [50, 50, 0]


def test_constant_and_empty_columns_have_one_bin():
    assert histogram(np.ones(3)) == Histogram([], [3, 0])
    assert histogram(np.full(3, np.nan)) == Histogram([], [0, 3])


def test_correction_is_holms():
    # sorted .01 .02 .04, times 3, 2, 1
    assert holm([0.02, 0.01, 0.04]) == pytest.approx([0.04, 0.03, 0.04])
    p = np.random.default_rng(0).uniform(size=50)
    assert np.all(np.asarray(holm(list(p))) >= false_discovery_control(p) - 1e-12)


def test_shift_of_a_quarter_is_found_among_columns_that_stay(monitor_params):
    draw = np.random.default_rng(1)
    before = {f"c{k}": draw.normal(size=2000) for k in range(100)}
    now = {name: draw.normal(size=2000) for name in before} | {"c7": draw.normal(0.5, 1, 2000)}
    found = drifts({name: histogram(v) for name, v in before.items()}, now)
    assert found[0].column == "c7"
    finding = drift_finding("feature_drift", found, (2000, 2000), monitor_params)
    assert finding.severity in {"warning", "error"}
    assert finding.words.startswith("1 of 100 columns moved since the last run (index c7 0.2")


def test_large_index_by_chance_is_not_said(monitor_params):
    weak = [Drift("c", psi=0.5, p=0.2)]
    assert drift_finding("feature_drift", weak, (300, 300), monitor_params).severity == "ok"


def test_few_customers_are_not_judged(monitor_params):
    sure = [Drift("c", psi=0.5, p=0.0)]
    finding = drift_finding("feature_drift", sure, (199, 5000), monitor_params)
    assert finding.words == "too few customers to judge: 199"
