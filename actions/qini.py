"""How well a ranking finds those whom an action changes: the Qini curve and its area."""

import numpy as np


def qini_curve(
    score: np.ndarray, treated: np.ndarray, outcome: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Further successes of the treated among the best ranked, by number ranked.

    Customers with equal scores come together.

    Parameters
    ----------
    score : float, shape (n,)
        Highest first.
    treated : bool, shape (n,)
    outcome : float, shape (n,)

    Returns
    -------
    ranked, gained : from (0, 0) on

    References
    ----------
    Radcliffe N. J., 2007, Using control groups to target on predicted lift, Direct Marketing
    Analytics Journal, 14-21.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    w, y = treated[order].astype(float), outcome[order].astype(float)
    n_treated, n_control = np.cumsum(w)[ends], np.cumsum(1 - w)[ends]
    y_treated, y_control = np.cumsum(y * w)[ends], np.cumsum(y * (1 - w))[ends]
    ratio = np.divide(n_treated, n_control, out=np.zeros_like(n_treated), where=n_control > 0)
    return np.append(0.0, ends + 1.0), np.append(0.0, y_treated - y_control * ratio)


def qini(score: np.ndarray, treated: np.ndarray, outcome: np.ndarray) -> float:
    """Area between the Qini curve and chance, over that of a perfect ranking.

    0 for chance; 1 for a ranking that knows who responds to treatment and who without it.
    `outcome` is 0 or 1.
    """
    best = np.where(treated, outcome, -outcome)
    ranked, gained = qini_curve(score, treated, outcome)
    perfect = qini_curve(best, treated, outcome)
    chance = np.trapezoid(np.array([0.0, gained[-1]]), np.array([0.0, ranked[-1]]))
    area = np.trapezoid(gained, ranked) - chance
    return float(area / (np.trapezoid(perfect[1], perfect[0]) - chance))


def qini_interval(
    score: np.ndarray, treated: np.ndarray, outcome: np.ndarray, *, samples: int, seed: int
) -> tuple[float, float]:
    """95 % bootstrap interval of `qini` over customers."""
    draw, n = np.random.default_rng(seed), len(score)
    found = []
    for _ in range(samples):
        rows = draw.integers(0, n, n)
        found.append(qini(score[rows], treated[rows], outcome[rows]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
