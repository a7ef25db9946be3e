"""Feature tables -> the pandas frames that scikit-learn reads."""

import numpy as np
import pandas as pd
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

STRONG = (
    "days_since_known",
    "days_since_first_value",
    "days_since_last_value",
    "days_since_last_event",
    "days_since_last_visit",
    "days_since_last_intent",
    "days_since_last_service",
    "value_events",
    "value_days",
    "value_cents_365d",
    "order_cents_90d",
    "first_order_cents",
    "last_order_cents",
    "max_order_cents",
    "value_events_28d",
    "value_events_56d",
    "value_events_90d",
    "value_events_180d",
    "value_events_365d",
    "value_events_trend_28d",
    "value_events_trend_90d",
    "value_events_decay_15d",
    "value_events_decay_45d",
    "value_events_decay_120d",
    "value_events_decay_300d",
    "visit_events_28d",
    "intent_events_28d",
    "service_events_90d",
    "refund_events_90d",
    "exposure_events_90d",
    "active_days_56d",
    "active_weeks_56d",
    "active_days_365d",
    "value_span_days",
    "value_mean_gap_days",
    "value_sd_gap_days",
    "value_median_gap_days",
    "value_max_gap_days",
    "value_last_gap_days",
    "usual_gap_days",
    "recency_ratio",
    "mean_order_cents",
    "emotional_score",
    "social_score",
    "experiential_score",
)


def matrix(features: pl.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The named columns as float64, null as NaN, shape (n_customers, n_columns).

    Parameters
    ----------
    features : feature table
    columns : list of str
        In the order in which the model was fitted.
    """
    return pd.DataFrame(features.select(columns).cast(pl.Float64).to_numpy(), columns=columns)


def informative(x: pd.DataFrame) -> list[str]:
    """Columns with at least two different known values; the others cannot tell customers apart."""
    spread = pd.Series(x.max() - x.min())  # both skip unknown values
    return [str(name) for name in spread.index[spread.to_numpy() > 0]]


def signed_log(values: np.ndarray | pd.DataFrame) -> np.ndarray:
    """``sign(x) * log(1 + |x|)``: tames long tails on both sides, keeps 0 and NaN."""
    numbers = np.asarray(values, dtype=float)
    return np.sign(numbers) * np.log1p(np.abs(numbers))


def logistic(c: float) -> Pipeline:
    """Regularised logistic regression on signed logarithms, missing values at the median.

    Parameters
    ----------
    c : float
        Inverse strength of the L2 penalty.
    """
    return Pipeline(
        [
            ("log", FunctionTransformer(signed_log)),
            ("fill", SimpleImputer(strategy="median", keep_empty_features=True)),
            ("scale", StandardScaler()),
            ("logistic", LogisticRegression(C=c, max_iter=2000)),
        ]
    )
