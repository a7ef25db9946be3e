"""Gamma-Gamma: what a customer's next order is worth, from what their orders were worth.

Orders of a customer vary around a mean of their own (gamma); the means vary over customers (inverse
gamma). The estimate lies between the customer's mean and everybody's, the nearer to their own
the more orders they made.

References
----------
Fader, Hardie and Lee, 2005, RFM and CLV: using iso-value curves for customer base analysis, Journal
of Marketing Research 42(4). Fader and Hardie, 2013, The Gamma-Gamma model of monetary value.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

MOST = 100_000


class OrderValues(NamedTuple):
    """Parameters of Gamma-Gamma: p and q are shapes, v is a scale in units of money."""

    p: float
    q: float
    v: float


def fit_order_values(orders: np.ndarray, means: np.ndarray) -> OrderValues:
    """Maximum likelihood estimate from customers with money in their orders.

    Parameters
    ----------
    orders, means : array, shape (n_customers,)
        Number of orders and their mean value; customers without either are left out. Where nobody
        is left, every order is worth nothing.
    """
    known = (orders > 0) & (means > 0)
    step = max(1, int(known.sum()) // MOST)
    n, m = orders[known][::step], means[known][::step]
    if not len(n):
        return OrderValues(1.0, 2.0, 0.0)
    scale = float(m.mean())

    def loss(logs: np.ndarray) -> float:
        return -float(log_likelihoods(_values(logs), n, m / scale).mean())

    p, q, v = _values(minimize(loss, np.zeros(3), method="L-BFGS-B", bounds=[(-6, 8)] * 3).x)
    return OrderValues(p, q, v * scale)


def _values(logs: np.ndarray) -> OrderValues:
    """Q stays above 1: below, the mean order of the population would be infinite."""
    p, above_one, v = np.exp(logs)
    return OrderValues(p, 1 + above_one, v)


def log_likelihoods(values: OrderValues, orders: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Log-density of each customer's mean order, shape (n_customers,)."""
    p, q, v = values
    shape = p * orders
    fixed = gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v)
    return (
        fixed
        + (shape - 1) * np.log(means)
        + shape * np.log(orders)
        - (shape + q) * np.log(v + means * orders)
    )


def expected_order_value(values: OrderValues, orders: np.ndarray, means: np.ndarray) -> np.ndarray:
    """What the next order is expected to bring, shape (n_customers,)."""
    p, q, v = values
    return p * (v + orders * means) / (p * orders + q - 1)
