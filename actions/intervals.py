"""Differences between two groups with 95 % intervals, for rates and for money.

A customer may be counted in several runs. All errors are therefore clustered by customer, and the
interval of a rate is computed with the number of customers that would carry as much information.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

Z = float(norm.ppf(0.975))


class Difference(NamedTuple):
    """Treated minus control, its 95 % interval and the two-sided p-value of no difference."""

    difference: float
    low: float
    high: float
    error: float
    p: float


class Group(NamedTuple):
    """One value a decision, and whose it is; both of shape (n,)."""

    values: np.ndarray
    customers: np.ndarray


def wilson(successes: float, n: float) -> tuple[float, float]:
    """95 % interval of a rate (Wilson 1927)."""
    rate, add = successes / n, Z * Z / n
    middle = (rate + add / 2) / (1 + add)
    half = Z / (1 + add) * sqrt(rate * (1 - rate) / n + add / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def newcombe(rates: tuple[float, float], sizes: tuple[float, float]) -> tuple[float, float]:
    """95 % interval of a difference of rates, first minus second.

    References
    ----------
    Newcombe R. G., 1998, Interval estimation for the difference between independent proportions,
    Statistics in Medicine 17, 873-890, method 10.
    """
    (one, other), (n, m) = rates, sizes
    (low1, high1), (low2, high2) = wilson(one * n, n), wilson(other * m, m)
    gap = one - other
    low = gap - sqrt((one - low1) ** 2 + (high2 - other) ** 2)
    return low, gap + sqrt((high1 - one) ** 2 + (other - low2) ** 2)


def rate_difference(treated: Group, control: Group) -> Difference:
    """Difference of two rates; values are 0 or 1."""
    rates = float(treated.values.mean()), float(control.values.mean())
    sizes = effective_size(treated), effective_size(control)
    low, high = newcombe(rates, sizes)
    error = sqrt(sum(_rate_variance(r, n) for r, n in zip(rates, sizes, strict=True)))
    pooled = (rates[0] * sizes[0] + rates[1] * sizes[1]) / sum(sizes)
    null_error = sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
    gap = rates[0] - rates[1]
    return Difference(gap, low, high, error, two_sided(gap, null_error))


def _rate_variance(rate: float, n: float) -> float:
    """Never 0: one success and one failure are added (Agresti and Caffo 2000)."""
    added = (rate * n + 1) / (n + 2)
    return added * (1 - added) / (n + 2)


def effective_size(group: Group) -> float:
    """Independent customers that would tell as much as these decisions, at most their number."""
    n, spread = len(group.values), float(group.values.var())
    if n < 2 or spread == 0:
        return float(len(np.unique(group.customers)))
    return min(float(n), spread / clustered_variance(group))


def clustered_variance(group: Group) -> float:
    """Variance of the mean when decisions of one customer go together."""
    _, who = np.unique(group.customers, return_inverse=True)
    sums = np.bincount(who, weights=group.values - group.values.mean())
    return float((sums**2).sum()) / len(group.values) ** 2


def mean_difference(treated: Group, control: Group) -> Difference:
    """Difference of two means."""
    gap = float(treated.values.mean() - control.values.mean())
    error = sqrt(clustered_variance(treated) + clustered_variance(control))
    return Difference(gap, gap - Z * error, gap + Z * error, error, two_sided(gap, error))


def adjusted(values: np.ndarray, before: np.ndarray, in_treated: np.ndarray) -> np.ndarray:
    """Values less what was to be expected from something known before (CUPED), shape (n,).

    Parameters
    ----------
    values : float, shape (n,)
    before : float, shape (n,)
        Known before anybody was treated, for example the expected value.
    in_treated : bool, shape (n,)

    References
    ----------
    Deng A., Xu Y., Kohavi R., Walker T., 2013, Improving the sensitivity of online controlled
    experiments by utilizing pre-experiment data, WSDM.
    """
    within = [values - values[g].mean() for g in (in_treated, ~in_treated)]
    known = [before - before[g].mean() for g in (in_treated, ~in_treated)]
    y, x = (np.where(in_treated, *pair) for pair in (within, known))
    spread = float(x @ x)
    slope = float(x @ y) / spread if spread > 0 else 0.0
    return values - slope * (before - before.mean())


def two_sided(gap: float, error: float) -> float:
    """P-value of a difference against its standard error."""
    if error == 0:
        return 1.0 if gap == 0 else 0.0
    return float(2 * norm.sf(abs(gap) / error))


def holm(p: list[float]) -> list[float]:
    """P-values corrected for how many were looked at (Holm 1979)."""
    order = np.argsort(p, kind="stable")
    scaled = np.array(p, dtype=float)[order] * np.arange(len(p), 0, -1)
    result = np.empty(len(p))
    result[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return result.tolist()
