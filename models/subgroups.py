"""How a model did on its test: with intervals, by expected outcome, and for groups of customers."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from models.metrics import (
    auc,
    binary_log_losses,
    calibration_table,
    class_log_losses,
    lift,
    paired_interval,
)

SMALLEST_GROUP = 20  # customers; a smaller group would come close to telling about one of them
SAMPLES = 200
GROUPS = ("stage", "level", "activity")


class Outcomes(NamedTuple):
    """Of each customer of a test: what happened, what was expected, and the loss; shape (n,)."""

    actual: np.ndarray
    expected: np.ndarray
    loss: np.ndarray


def of_churn(y: np.ndarray, p: np.ndarray, customers: pl.DataFrame, seed: int) -> dict[str, Any]:
    """Whether they churned; intervals of AUC, log-loss and lift.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    p : array, shape (n,)
        P(churned).
    customers : table of the same n customers, with the columns of `GROUPS`
    seed : int

    Returns
    -------
    dict
        ``intervals`` (metric -> ends), ``by_expected`` and ``groups``, as plain values.
    """
    losses = binary_log_losses(y, p)
    metrics = {
        "auc": lambda i: auc(y[i], p[i]),
        "log_loss": lambda i: float(losses[i].mean()),
        "top_decile_lift": lambda i: lift(y[i], p[i]),
    }
    return _told(Outcomes(y, p, losses), metrics, customers, seed)


def of_standing(
    following: np.ndarray,
    p: np.ndarray,
    now: np.ndarray,
    classes: tuple[str, ...],
    customers: pl.DataFrame,
    seed: int,
) -> dict[str, Any]:
    """Whether they left their class; intervals of macro-F1 and log-loss. See `of_churn`.

    Parameters
    ----------
    following, now : array of str, shape (n,)
    p : array, shape (n, n_classes)
    """
    losses = class_log_losses(following, p, classes)
    codes = {name: code for code, name in enumerate(classes)}
    stays = p[np.arange(len(p)), [codes[name] for name in now]]
    next_codes, size = np.array([codes[name] for name in following]), len(classes)
    cells = next_codes * size + p.argmax(axis=1)
    metrics = {
        "macro_f1": lambda i: f1_of(cells[i], size),
        "log_loss": lambda i: float(losses[i].mean()),
    }
    return _told(Outcomes(following != now, 1 - stays, losses), metrics, customers, seed)


def of_money(
    cents: np.ndarray, expected: np.ndarray, customers: pl.DataFrame, seed: int
) -> dict[str, Any]:
    """What they spent [cents]; intervals of mean absolute error and bias. See `of_churn`."""
    error = np.abs(expected - cents)
    metrics = {
        "mae": lambda i: float(error[i].mean()),
        "bias": lambda i: float(expected[i].sum() / max(cents[i].sum(), 1)),
    }
    return _told(Outcomes(cents, expected, error), metrics, customers, seed)


def f1_of(cells: np.ndarray, size: int) -> float:
    """Macro-F1 over the classes that occur, of ``actual code * size + predicted code``."""
    table = np.bincount(cells, minlength=size * size).reshape(size, size)
    occurs = table.sum(axis=1) > 0
    both = (table.sum(axis=1) + table.sum(axis=0))[occurs]
    return float((2 * np.diag(table)[occurs] / both).mean())


def by_group(outcomes: Outcomes, customers: pl.DataFrame) -> list[dict[str, Any]]:
    """Means of every group of at least `SMALLEST_GROUP` customers, one row a group."""
    rows = customers.select(GROUPS).with_columns(
        **{name: pl.Series(values, dtype=pl.Float64) for name, values in outcomes._asdict().items()}
    )
    tables = [
        rows.group_by(pl.col(by).alias("group"))
        .agg(pl.len().alias("customers"), pl.col(Outcomes._fields).mean())
        .filter(pl.col("customers") >= SMALLEST_GROUP)
        .sort("group")
        .select(pl.lit(by).alias("by"), pl.all())
        for by in GROUPS
    ]
    return pl.concat(tables).to_dicts()


def _told(
    outcomes: Outcomes,
    metrics: Mapping[str, Callable[[np.ndarray], float]],
    customers: pl.DataFrame,
    seed: int,
) -> dict[str, Any]:
    n = len(outcomes.actual)
    intervals = {name: paired_interval(m, n, SAMPLES, seed) for name, m in metrics.items()}
    return {
        "intervals": {name: [found.low, found.high] for name, found in intervals.items()},
        "by_expected": calibration_table(outcomes.actual, outcomes.expected),
        "groups": by_group(outcomes, customers),
    }
