"""How far money lies around what was expected: an 80 % interval that adapts to the expectation.

The fewer orders are expected, the wider money scatters, down to customers of whom most bring
nothing. So the ends are ratios to the expected money, measured among customers with about as many
expected orders at past cutoffs that the prediction had not seen.
"""

from typing import NamedTuple

import numpy as np

BINS = 20
TAIL, INSIDE = 0.1, 0.8
SMALLEST = 1e-6


class Spread(NamedTuple):
    """Ends of the interval as ratios to the expected money; each of shape (n_bins,).

    Attributes
    ----------
    orders : mean expected orders of the bin, rising
    low, high : ratios; both 0 where at least 80 % of the customers brought nothing
    """

    orders: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fit_spread(orders: np.ndarray, expected: np.ndarray, cents: np.ndarray) -> Spread:
    """Measure the spread on customers whose money is known.

    Parameters
    ----------
    orders, expected : array, shape (n,)
        Expected orders and money.
    cents : array, shape (n,)
        Money that came.
    """
    ratio = cents / np.maximum(expected, SMALLEST)
    parts = [i for i in np.array_split(np.argsort(orders, kind="stable"), BINS) if len(i)]
    ends = np.array([ends_of(ratio[i]) for i in parts])
    return Spread(np.array([orders[i].mean() for i in parts]), *ends.T)


def ends_of(values: np.ndarray) -> tuple[float, float]:
    """The interval that leaves out a tenth below, where that can be, and holds 80 % above it.

    Where a tenth or more are 0 nothing can be left out below, and all of the other fifth is left
    out above.
    """
    low = float(np.quantile(values, TAIL, method="inverted_cdf"))
    upper = min(float(np.mean(values < low)) + INSIDE, 1.0)
    return low, float(np.quantile(values, upper, method="inverted_cdf"))


def interval(
    spread: Spread, orders: np.ndarray, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of each customer's money; a straight line between the bins."""
    at, knots = np.log(np.maximum(orders, SMALLEST)), np.log(np.maximum(spread.orders, SMALLEST))
    return expected * np.interp(at, knots, spread.low), expected * np.interp(at, knots, spread.high)


def coverage(low: np.ndarray, high: np.ndarray, cents: np.ndarray) -> tuple[float, float]:
    """Share of customers whose money lies inside: of those with an interval, and of everybody.

    Customers of whom at least 80 % bring nothing have the interval from 0 to 0, which is right more
    often than in 80 % of the cases; so they are left out of the first figure, nan where all are.
    """
    inside = (low <= cents) & (cents <= high)
    wide = high > 0
    return float(inside[wide].mean()) if wide.any() else float("nan"), float(inside.mean())
