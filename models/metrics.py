"""Metrics with paired bootstrap intervals over customers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

SMALLEST = 1e-6


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    low: float
    mean: float
    high: float


def auc(y: np.ndarray, p: np.ndarray) -> float:
    """Area under the ROC curve: P(a churned customer has the higher risk); nan if all end alike."""
    return float(roc_auc_score(y, p)) if 0 < y.sum() < len(y) else float("nan")


def binary_log_losses(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Minus the log-probability of what happened, a customer, shape (n,)."""
    clipped = np.clip(p, SMALLEST, 1 - SMALLEST)
    return -np.where(y == 1, np.log(clipped), np.log1p(-clipped))


def class_log_losses(following: np.ndarray, p: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """The same for several classes; `p` has shape (n, n_classes)."""
    order = {name: code for code, name in enumerate(classes)}
    chosen = p[np.arange(len(p)), [order[name] for name in following]]
    return -np.log(np.clip(chosen, SMALLEST, 1))


def macro_f1(following: np.ndarray, p: np.ndarray, classes: tuple[str, ...]) -> float:
    """Mean F1 over the classes that occur, predicting the most probable class."""
    predicted = np.array(classes, dtype=object)[p.argmax(axis=1)]
    present = [name for name in classes if name in set(following)]
    score = f1_score(
        following.astype(object),
        predicted,
        labels=present,
        average="macro",
        zero_division=0,  # pyright: ignore[reportArgumentType]  (the stub knows text only)
    )
    return float(score)


def calibration_table(y: np.ndarray, p: np.ndarray, bins: int = 10) -> list[dict[str, float]]:
    """Mean predicted and observed rate in bins of equally many customers, lowest risk first."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        {"predicted": float(p[i].mean()), "observed": float(y[i].mean()), "n": len(i)}
        for i in parts
    ]


def ece(y: np.ndarray, p: np.ndarray) -> float:
    """Expected calibration error: mean distance of predicted and observed in ten equal bins."""
    rows = calibration_table(y, p)
    total = sum(abs(r["predicted"] - r["observed"]) * r["n"] for r in rows)
    return float(total / len(y))


def ece_by_chance(p: np.ndarray, bins: int = 10) -> float:
    """The calibration error to be expected of perfectly calibrated risks, from sampling alone.

    In a bin of m customers the observed rate has standard deviation ``sqrt(p (1 - p) / m)``, and a
    normal deviate's mean absolute value is ``sqrt(2 / pi)`` standard deviations.
    """
    parts = np.array_split(np.sort(p), bins)
    errors = [
        np.sqrt(2 / np.pi * i.mean() * (1 - i.mean()) / len(i)) * len(i) for i in parts if len(i)
    ]
    return float(np.sum(errors) / len(p))


def paired_interval(
    difference: Callable[[np.ndarray], float], n: int, samples: int, seed: int
) -> Interval:
    """Percentile bootstrap of a difference of two models over the same customers.

    Parameters
    ----------
    difference : callable
        Difference on the customers with the given row numbers.
    n : int
        Number of customers.
    samples : int
    seed : int

    Returns
    -------
    Interval
        All nan where the difference over everybody cannot be measured.
    """
    observed = difference(np.arange(n))
    if np.isnan(observed):
        return Interval(observed, observed, observed)
    draw = np.random.default_rng(seed)
    values = [difference(draw.integers(0, n, n)) for _ in range(samples)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(float(low), observed, float(high))


def paired_aucs(y: np.ndarray, risks: list[np.ndarray], samples: int, seed: int) -> list[Interval]:
    """Of the first risk its AUC; of each other one, how far its AUC lies below the first's.

    A bootstrap sample is a count for each customer, so that every risk is sorted only once.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    risks : list of array, shape (n,)
    samples, seed : int

    Returns
    -------
    list of Interval
    """
    everybody = np.ones(len(y))
    places = [np.unique(risk, return_inverse=True)[1] for risk in risks]
    observed = _differences([_weighted_auc(y, place, everybody) for place in places])
    if np.isnan(observed).any():
        return [Interval(value, value, value) for value in observed]
    draw = np.random.default_rng(seed)
    n = len(y)
    drawn = []
    for _ in range(samples):
        counts = np.bincount(draw.integers(0, n, n), minlength=n).astype(float)
        drawn.append(_differences([_weighted_auc(y, place, counts) for place in places]))
    low, high = np.nanpercentile(np.array(drawn), [2.5, 97.5], axis=0)
    return [Interval(*map(float, ends)) for ends in zip(low, observed, high, strict=True)]


def _differences(values: list[float]) -> list[float]:
    return [values[0], *(values[0] - value for value in values[1:])]


def _weighted_auc(y: np.ndarray, place: np.ndarray, weights: np.ndarray) -> float:
    """AUC of customers who count several times, from the rank of each one's risk; ties are half."""
    churned = np.bincount(place, weights * y)
    kept = np.bincount(place, weights * (1 - y))
    pairs = churned.sum() * kept.sum()
    below = np.cumsum(kept) - kept / 2
    return float(churned @ below / pairs) if pairs else float("nan")


def lift(y: np.ndarray, p: np.ndarray, share: float = 0.1) -> float:
    """Churn rate of the `share` of customers with the highest risk, over everybody's."""
    top = np.argsort(-p, kind="stable")[: max(1, round(share * len(p)))]
    return float(y[top].mean() / y.mean()) if y.any() else float("nan")
