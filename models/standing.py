"""The stage and the level one horizon on, as probabilities over a fixed order of classes."""

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from models.params import TrainParams
from models.preprocessing import informative

CURRENT = "current_code"


def boosting(params: TrainParams, seed: int) -> HistGradientBoostingClassifier:
    """Gradient boosting without early stopping, so that a seed fixes every byte."""
    return HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=params.boosting_rounds,
        max_leaf_nodes=params.boosting_leaves,
        min_samples_leaf=params.boosting_min_leaf,
        l2_regularization=params.boosting_l2,
        early_stopping=False,  # pyright: ignore[reportArgumentType]  (the stub knows text only)
        random_state=seed,
    )


def with_current(x: pd.DataFrame, current: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """The features and the present class as its number in `classes`."""
    codes = {name: code for code, name in enumerate(classes)}
    return x.assign(**{CURRENT: [float(codes[name]) for name in current]})


def standing_columns(x: pd.DataFrame) -> list[str]:
    """What the model reads: all that tells customers apart, and the present class in any case."""
    wanted = {*informative(x), CURRENT}
    return [name for name in x.columns if name in wanted]


def fit_standing(
    x: pd.DataFrame, following: np.ndarray, params: TrainParams, seed: int
) -> HistGradientBoostingClassifier:
    """Classifier of the next class.

    Parameters
    ----------
    x : result of `with_current`, shape (n, n_features + 1)
    following : array of str, shape (n,)
        Class one horizon on.
    """
    return boosting(params, seed).fit(x, following)


def probabilities(
    model: HistGradientBoostingClassifier, x: pd.DataFrame, classes: tuple[str, ...]
) -> np.ndarray:
    """P(next class), shape (n, n_classes); a class that was never seen next gets 0."""
    known = np.asarray(model.predict_proba(x[list(model.feature_names_in_)]))
    complete = np.zeros((len(x), len(classes)))
    for position, name in enumerate(np.asarray(model.classes_)):
        complete[:, classes.index(name)] = known[:, position]
    return complete
