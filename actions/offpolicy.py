"""What another policy would have brought, from past decisions with known propensity, unsent.

References
----------
Dudik M., Erhan D., Langford J., Li L., 2014, Doubly robust policy evaluation and optimization,
Statistical Science 29, 485-511.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

from actions.intervals import Group, Z, clustered_variance
from actions.uplift import FOLDS, SMALLEST, fit_line


class Past(NamedTuple):
    """Past decisions and what followed.

    Attributes
    ----------
    features : float, shape (n, n_features)
        Known before the decision; no nulls.
    action : int, shape (n,)
        What was done; 0 for nothing.
    propensity : float, shape (n,)
        Probability of what was done.
    outcome : float, shape (n,)
    customers : int, shape (n,)
        Whose decision it was.
    """

    features: np.ndarray
    action: np.ndarray
    propensity: np.ndarray
    outcome: np.ndarray
    customers: np.ndarray


class Estimate(NamedTuple):
    """Mean outcome under a policy, and its 95 % interval."""

    value: float
    low: float
    high: float


class Evaluation(NamedTuple):
    """A policy's value by three estimators, and how much evidence there is.

    Attributes
    ----------
    ips, snips, dr : Estimate
        Inverse propensity weights; the same, self-normalised; doubly robust.
    effective : decisions that these weights are worth
    """

    ips: Estimate
    snips: Estimate
    dr: Estimate
    effective: float


def evaluate_policy(past: Past, chosen: np.ndarray) -> Evaluation:
    """Value of a policy that would have chosen otherwise.

    Parameters
    ----------
    past : Past
    chosen : int, shape (n,)
        What the policy would have done.
    """
    weight = weights(past, chosen)
    weighted = weight * past.outcome
    total = float(weight.sum())
    normed = float(weighted.sum()) / total if total > 0 else float("nan")
    spread = weight * (past.outcome - normed) / weight.mean() if total > 0 else weighted * np.nan
    return Evaluation(
        _estimate(weighted, past.customers),
        _estimate(normed + spread, past.customers),
        _estimate(robust_outcomes(past, chosen), past.customers),
        total**2 / float((weight**2).sum()) if total > 0 else 0.0,
    )


def evaluate_difference(past: Past, chosen: np.ndarray, other: np.ndarray) -> Estimate:
    """Doubly robust value of one policy less that of another, decision by decision."""
    gaps = robust_outcomes(past, chosen) - robust_outcomes(past, other)
    return _estimate(gaps, past.customers)


def weights(past: Past, chosen: np.ndarray) -> np.ndarray:
    """How many decisions each past one stands for, shape (n,); 0 where it was another action."""
    return (past.action == chosen) / np.maximum(past.propensity, SMALLEST)


def robust_outcomes(past: Past, chosen: np.ndarray) -> np.ndarray:
    """Outcome of every customer under the policy, without bias, shape (n,).

    What each action brings is first predicted from other customers' decisions, then corrected by
    the customers who were given what the policy would give.
    """
    fold = past.customers % FOLDS
    expected = np.zeros(len(chosen))
    for action in np.unique(chosen):
        for part in range(FOLDS):
            out = (fold == part) & (chosen == action)
            own = (fold != part) & (past.action == action)
            expected[out] = fit_line(past.features[own], past.outcome[own]).at(past.features[out])
    return expected + weights(past, chosen) * (past.outcome - expected)


def _estimate(values: np.ndarray, customers: np.ndarray) -> Estimate:
    mean, error = float(values.mean()), sqrt(clustered_variance(Group(values, customers)))
    return Estimate(mean, mean - Z * error, mean + Z * error)
