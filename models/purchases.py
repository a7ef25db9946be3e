"""Purchase histories as a counting process with dropout: MBG/NBD, and BG/NBD beside it.

While alive, a customer buys at a rate of their own; after each purchase (in MBG/NBD also after the
first) they may drop out for good. Rates vary between customers as a gamma, dropout probabilities as
a beta distribution.

References
----------
Fader, Hardie, Lee, 2005, "Counting your customers" the easy way, Marketing Science 24(2): BG/NBD.
Batislam, Denizel, Filiztekin, 2007, International Journal of Research in Marketing 24(3): MBG/NBD.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

LIMIT = 8.0  # of the logarithms: beyond, all customers are alike, and hyp2f1 overflows
SMALLEST = 1e-9


class Histories(NamedTuple):
    """What the model reads of each buyer, arrays of shape (n,), in one unit of time.

    Attributes
    ----------
    repeats : purchases after the first
    span : from the first to the last purchase
    age : from the first purchase to the as-of date
    """

    repeats: np.ndarray
    span: np.ndarray
    age: np.ndarray


class Purchases(NamedTuple):
    """A fitted model.

    Attributes
    ----------
    r, alpha : float
        Shape and rate of the gamma distribution of purchase rates.
    a, b : float
        Of the beta distribution of dropout probabilities.
    first : bool
        Whether a customer may drop out after the first purchase already: MBG/NBD.
    """

    r: float
    alpha: float
    a: float
    b: float
    first: bool = True


def fit_purchases(histories: Histories, *, first: bool = True) -> Purchases:
    """Maximum likelihood, over the distinct histories with their counts.

    Raises
    ------
    ValueError
        If there is no history.
    """
    if not len(histories.repeats):
        raise ValueError("no purchase history to fit")
    distinct, counts = np.unique(np.column_stack(histories), axis=0, return_counts=True)
    unit = max(float(np.average(distinct[:, 2], weights=counts)), SMALLEST)
    scaled = Histories(distinct[:, 0], distinct[:, 1] / unit, distinct[:, 2] / unit)

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        r, alpha, a, b = np.exp(logs)
        model = Purchases(r, alpha, a, b, first)
        value, slopes = _log_likelihoods(scaled, model)
        total = -counts / counts.sum()
        return float(total @ value), (slopes @ total) * np.exp(logs)

    found = minimize(
        loss, np.zeros(4), jac=True, method="L-BFGS-B", bounds=[(-LIMIT, LIMIT)] * 4,
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8},
    )  # fmt: skip
    r, alpha, a, b = (float(v) for v in np.exp(found.x))
    return Purchases(r, alpha * unit, a, b, first)


def log_likelihood(histories: Histories, model: Purchases) -> float:
    """Logarithm of the probability of all histories."""
    return float(_log_likelihoods(histories, model)[0].sum())


def _log_likelihoods(histories: Histories, model: Purchases) -> tuple[np.ndarray, np.ndarray]:
    """Of each history, shape (n,), and its slopes in r, alpha, a and b, shape (4, n)."""
    x, span, age = histories
    r, alpha, a, b, first = model
    chances = x + 1 if first else x
    alive = -(r + x) * np.log(alpha + age)
    gone = _log_gone(chances, a, b) - (r + x) * np.log(alpha + span)
    w = expit(gone - alive)  # share of the likelihood in which the customer has dropped out
    value = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        + betaln(a, b + chances) - betaln(a, b) + np.logaddexp(alive, gone)
    )  # fmt: skip
    both = digamma(a + b) - digamma(a + b + chances)
    last = np.where(chances > 0, w / np.maximum(b + chances - 1, SMALLEST), 0.0)
    slopes = [
        digamma(r + x) - digamma(r) + np.log(alpha)
        - (1 - w) * np.log(alpha + age) - w * np.log(alpha + span),
        r / alpha - (r + x) * ((1 - w) / (alpha + age) + w / (alpha + span)),
        both + w / a,
        both + digamma(b + chances) - digamma(b) - last,
    ]  # fmt: skip
    return value, np.array(slopes)


def _log_gone(chances: np.ndarray, a: float, b: float) -> np.ndarray:
    """Log-odds of having dropped out at the last chance against having stayed at all of them."""
    odds = np.log(a) - np.log(np.maximum(b + chances - 1, SMALLEST))
    return np.where(chances > 0, odds, -np.inf)


def p_alive(histories: Histories, model: Purchases) -> np.ndarray:
    """P(not yet dropped out | history), shape (n,).

    Never a churn score: BG/NBD's is 1 for everybody who bought once, however long ago.
    """
    x, span, age = histories
    chances = x + 1 if model.first else x
    silence = (model.r + x) * np.log((model.alpha + age) / (model.alpha + span))
    return expit(-_log_gone(chances, model.a, model.b) - silence)


def p_purchase(histories: Histories, model: Purchases, horizon: float) -> np.ndarray:
    """P(at least one purchase in the `horizon` after the as-of date | history), shape (n,)."""
    x, _, age = histories
    none = ((model.alpha + age) / (model.alpha + age + horizon)) ** (model.r + x)
    return p_alive(histories, model) * (1 - none)


def expected_purchases(histories: Histories, model: Purchases, horizon: float) -> np.ndarray:
    """Expected number of purchases in the `horizon` after the as-of date, shape (n,).

    The closed form has a hole at a = 1, where the parameter is moved a little.
    """
    x, _, age = histories
    r, alpha, a, b, first = model
    a = a if abs(a - 1) > 1e-6 else 1 + 1e-6
    chances = x + 1 if first else x
    z = horizon / (alpha + age + horizon)
    series = hyp2f1(r + x, b + chances, a + b + chances - 1, z)
    still = 1 - ((alpha + age) / (alpha + age + horizon)) ** (r + x) * series
    return p_alive(histories, model) * (a + b + chances - 1) / (a - 1) * still
