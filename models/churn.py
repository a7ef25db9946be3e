"""Churn: P(no value event in the horizon) for customers with one in the look-back."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from models.params import TrainParams
from models.preprocessing import STRONG, logistic


class Examples(NamedTuple):
    """Feature rows, shape (n, n_features), and their labels, shape (n,)."""

    x: pd.DataFrame
    y: np.ndarray


def boosting(params: TrainParams, seed: int) -> HistGradientBoostingClassifier:
    """Gradient boosting without early stopping, so that a seed fixes every byte."""
    return HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=params.boosting_rounds,
        max_leaf_nodes=params.boosting_leaves,
        min_samples_leaf=40,
        l2_regularization=1.0,
        early_stopping=False,  # pyright: ignore[reportArgumentType]  (the stub knows text only)
        random_state=seed,
    )


def strong_logistic(columns: list[str], c: float) -> Pipeline:
    """Logistic regression on those of the strong features that there are."""
    chosen = [name for name in STRONG if name in columns]
    select = ColumnTransformer([("strong", "passthrough", chosen)], verbose_feature_names_out=False)
    return Pipeline([("select", select), ("model", logistic(c))])


def fit_churn(
    fit: Examples, calibrate: Examples | None, params: TrainParams, seed: int
) -> VotingClassifier | CalibratedClassifierCV:
    """Mean of boosting and logistic regression, calibrated on later customers.

    Parameters
    ----------
    fit, calibrate : Examples
        `calibrate` comes from a later cutoff; None leaves the blend as it is.
    params : TrainParams
    seed : int

    Returns
    -------
    scikit-learn classifier
        ``predict_proba`` gives P(kept), P(churned).
    """
    members = [
        ("boosting", boosting(params, seed)),
        ("logistic", strong_logistic(list(fit.x.columns), params.logistic_c)),
    ]
    blend = VotingClassifier(members, voting="soft").fit(fit.x, fit.y)
    if calibrate is None or len(np.unique(calibrate.y)) < 2:
        return blend
    calibrated = CalibratedClassifierCV(FrozenEstimator(blend), method="sigmoid")
    return calibrated.fit(calibrate.x, calibrate.y)


def logistic_member(model: Any) -> Pipeline:
    """The fitted logistic regression inside a churn model."""
    if isinstance(model, CalibratedClassifierCV):
        frozen: Any = model.calibrated_classifiers_
        model = frozen[0].estimator.estimator
    return model.named_estimators_["logistic"]
