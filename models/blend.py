"""Weights of the members of a blend, and its level, learned on customers held out in time."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


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

    def scaled(self, slope: float, shift: float) -> "Blend":
        """The same blend with its log-odds times `slope`, plus `shift`."""
        weights = {name: weight * slope for name, weight in self.weights.items()}
        return Blend(weights, self.intercept * slope + shift)


def platt(log_odds: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope (at least 0) and shift that make log-odds fit what happened best.

    References
    ----------
    Platt, 1999, Probabilistic outputs for support vector machines.
    """

    def loss(ends: np.ndarray) -> tuple[float, np.ndarray]:
        score = ends[0] * log_odds + ends[1]
        error = expit(score) - y
        value = float(np.mean(np.logaddexp(0, score) - y * score))
        return value, np.array([np.mean(error * log_odds), np.mean(error)])

    found = minimize(
        loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[(0, None), (None, None)]
    )
    return float(found.x[0]), float(found.x[1])
