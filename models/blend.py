"""Weights of the members of a blend, learned on customers held out in time."""

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit

PENALTY = 1e-3  # keeps weights near the plain mean where customers cannot tell
FARTHEST = 20.0  # of an offset


class Blend(NamedTuple):
    """``log-odds = intercept + sum of weight x log-odds of each member``."""

    weights: dict[str, float]
    intercept: float

    @classmethod
    def mean_of(cls, members: tuple[str, ...]) -> "Blend":
        """All members alike."""
        return cls(dict.fromkeys(members, 1 / len(members)), 0.0)

    def of(self, logits: np.ndarray) -> np.ndarray:
        """Log-odds of the blend, shape (n,), from those of its members, shape (n, n_members)."""
        return logits @ np.array(list(self.weights.values())) + self.intercept


def stacked(logits: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights, none below 0, that fit what happened best, with an intercept for each group.

    The intercepts take up how the general level moved from cutoff to cutoff, so that weights answer
    for the differences between customers alone. As weights need not add up to 1, they also
    stretch or shrink the log-odds, as Platt's calibration does.

    Parameters
    ----------
    logits : array, shape (n, n_members)
    y : array of 0 and 1, shape (n,)
    groups : array of int, shape (n,)
        0 .. n_groups - 1, in each of which both outcomes occur.

    Returns
    -------
    weights, shape (n_members,); intercepts, shape (n_groups,)
    """
    members, n = logits.shape[1], len(y)
    count = int(groups.max()) + 1
    mean = np.full(members, 1 / members)

    def loss(ends: np.ndarray) -> tuple[float, np.ndarray]:
        weights, levels = ends[:members], ends[members:]
        score = logits @ weights + levels[groups]
        error = (expit(score) - y) / n
        away = weights - mean
        value = np.mean(np.logaddexp(0, score) - y * score) + PENALTY * (away @ away)
        slopes = error @ logits + 2 * PENALTY * away
        return float(value), np.append(slopes, np.bincount(groups, error, count))

    bounds = [(0, None)] * members + [(-FARTHEST, FARTHEST)] * count
    start = np.append(mean, np.zeros(count))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:members], found[members:]


def offset(log_odds: np.ndarray, y: np.ndarray) -> float:
    """What must be added to log-odds so that their mean risk is the share that churned."""
    share = np.clip(np.mean(y), 1e-6, 1 - 1e-6)

    def missing(shift: float) -> float:
        return float(np.mean(expit(log_odds + shift)) - share)

    root: Any = brentq(missing, -2 * FARTHEST, 2 * FARTHEST)
    return float(root)
