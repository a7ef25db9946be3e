"""Whether scores tell customers apart and come true."""

import numpy as np

from models.health import flip_finding, matured_finding, spread_finding


def test_equal_risks_are_an_error():
    assert spread_finding(np.full(5, 0.3)).severity == "error"
    assert spread_finding(np.array([0.3, 0.4])).severity == "ok"


def test_many_flips_warn_but_not_among_few(monitor_params):
    assert flip_finding({"stage": 0.05, "level": 0.2}, 500, monitor_params).severity == "warning"
    assert flip_finding({"stage": 0.05, "level": 0.15}, 500, monitor_params).severity == "ok"
    assert flip_finding({"stage": 0.5, "level": 0.5}, 199, monitor_params).severity == "ok"
    assert "none is comparable" in flip_finding({}, 0, monitor_params).words


def test_predictions_that_did_not_come_true_warn(monitor_params):
    p, happened = np.repeat([0.2, 0.8], 150), np.repeat([0, 1], 150)
    true = np.tile([1, 0, 0, 0, 0], 60)
    true[150:] = np.tile([1, 1, 1, 1, 0], 30)
    assert matured_finding(p, true, 300, 0.5, monitor_params).severity == "ok"
    assert matured_finding(p, 1 - happened, 300, 0.5, monitor_params).severity == "warning"
    assert matured_finding(p, np.zeros(300, int), 300, 0.5, monitor_params).severity == "warning"


def test_gap_that_few_customers_leave_to_chance_does_not_warn_however_often_they_are_scored(
    monitor_params,
):
    p, happened = np.tile([0.4, 0.6], 2000), np.tile([0, 1, 0, 1, 0], 800)  # half, and 40 %
    assert matured_finding(p, happened, 4000, 0.5, monitor_params).severity == "warning"
    few = monitor_params.model_copy(update={"min_customers": 100, "min_auc": 0.5})
    assert matured_finding(p, happened, 100, 0.5, few).severity == "ok"


def test_pending_share_is_said(monitor_params):
    words = matured_finding(np.array([]), np.array([]), 0, 1.0, monitor_params).words
    assert words == "0 past predictions can be judged so far, 100% are pending"
