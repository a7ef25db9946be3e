"""Whether scores still tell customers apart, and come true."""

import math
from collections.abc import Mapping

import numpy as np

from features.finding import Finding
from features.params import MonitorParams
from models.metrics import auc

SURE = 2.58  # standard errors: 1 % by chance


def spread_finding(risk: np.ndarray) -> Finding:
    """An error where all churn risks are equal.

    Parameters
    ----------
    risk : array, shape (n,)
        Of the customers for whom churn is defined.
    """
    if risk.size > 1 and np.ptp(risk) == 0:
        words = f"all {risk.size:,} churn risks are equal: the model tells nobody apart"
        return Finding("equal_scores", "error", words)
    return Finding("equal_scores", "ok", f"{risk.size:,} churn risks tell customers apart")


def flip_finding(moved: Mapping[str, float], customers: int, params: MonitorParams) -> Finding:
    """Whether unusually many customers changed their stage or level since the last run.

    Parameters
    ----------
    moved : mapping
        ``stage`` and ``level`` -> share of customers who changed it [0-1].
    customers : int
        In both runs.
    params : MonitorParams
    """
    words = ", ".join(f"{share:.1%} changed {kind}" for kind, share in moved.items())
    judged = customers >= params.min_customers
    over = judged and max(moved.values(), default=0.0) > params.max_flip_rate
    said = f"of {customers:,} customers since the last run, {words or 'none is comparable'}"
    return Finding("flips", "warning" if over else "ok", said)


def matured_finding(
    p: np.ndarray, happened: np.ndarray, customers: int, pending: float, params: MonitorParams
) -> Finding:
    """What past predictions came to, where their windows are complete.

    Parameters
    ----------
    p : array, shape (n,)
        P(at least one value event) as predicted, of customers who got no action.
    happened : array of 0 and 1, shape (n,)
    customers : int
        How many they are of. Predictions of one customer for overlapping windows come true
        together, so chance is judged as if there were one of each.
    pending : float
        Share of past predictions whose window is still open [0-1].
    params : MonitorParams
    """
    if customers < params.min_customers:
        words = f"{p.size:,} past predictions can be judged so far, {pending:.0%} are pending"
        return Finding("calibration", "ok", words)
    gap, ranked = float(p.mean() - happened.mean()), auc(happened, p)
    words = (
        f"of {p.size:,} predictions that can be judged ({pending:.0%} are pending), "
        f"{p.mean():.1%} were to buy and {happened.mean():.1%} did; AUC {ranked:.3f}"
    )
    by_chance = SURE * math.sqrt(float((p * (1 - p)).mean()) / customers)
    wrong = abs(gap) > max(params.max_calibration_gap, by_chance) or ranked < params.min_auc
    return Finding("calibration", "warning" if wrong else "ok", words)
