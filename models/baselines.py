"""The dull rules that a model must beat."""

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from models.churn import Examples, histories
from models.preprocessing import logistic
from models.purchases import Histories, fit_purchases, p_purchase

RECENCY = ["days_since_last_value"]
RFM = ["days_since_last_value", "value_days", "days_since_first_value", "value_cents"]


def fit_logistic_on(columns: list[str], x: pd.DataFrame, y: np.ndarray) -> Pipeline:
    """Hardly penalised logistic regression on a few columns."""
    return logistic(100.0).fit(x[columns], y)


def dull_risks(
    fit: Examples, test: Examples, buyers: Histories, horizon_days: int
) -> dict[str, np.ndarray]:
    """P(churned) of the test's customers by each dull rule, shape (n,).

    ``recency``: logistic regression on recency alone; ``rfm_logistic``: on recency, frequency,
    tenure and money; ``mbg_nbd``: what the purchase history says, fitted on `buyers` (everybody
    who ever bought, as of the test).
    """
    risks = {
        name: fit_logistic_on(columns, fit.x, fit.y).predict_proba(test.x[columns])[:, 1]
        for name, columns in (("recency", RECENCY), ("rfm_logistic", RFM))
    }
    buys = p_purchase(histories(test.x), fit_purchases(buyers), horizon_days)
    return {**risks, "mbg_nbd": 1 - buys}


def transition_table(
    current: np.ndarray,
    following: np.ndarray,
    classes: tuple[str, ...],
    customers: np.ndarray | int = 1,
) -> np.ndarray:
    """P(next | current) from counts with one added to each, shape (n_classes, n_classes).

    `customers` says how many each entry stands for.
    """
    order = {name: code for code, name in enumerate(classes)}
    counts = np.ones((len(classes), len(classes)))
    rows = [order[name] for name in current]
    columns = [order[name] for name in following]
    np.add.at(counts, (rows, columns), customers)
    return counts / counts.sum(axis=1, keepdims=True)


def stays_table(current: np.ndarray, following: np.ndarray, n_classes: int) -> np.ndarray:
    """Everybody stays with the observed probability, and moves anywhere else alike."""
    stay = (np.sum(current == following) + 1) / (len(current) + 2)
    table = np.full((n_classes, n_classes), (1 - stay) / (n_classes - 1))
    np.fill_diagonal(table, stay)
    return table


def look_up(table: np.ndarray, current: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Rows of a table for the current classes, shape (n, n_classes)."""
    order = {name: code for code, name in enumerate(classes)}
    return table[[order[name] for name in current]]
