"""The sections of ``params.yaml`` that training, the gate and scoring read."""

from pydantic import Field

from features.records import Record


class TrainParams(Record):
    """Minimum data and hyper-parameters."""

    min_per_class: int = Field(ge=1)
    boosting_rounds: int = Field(ge=10, le=1000)
    boosting_leaves: int = Field(ge=2, le=255)
    boosting_min_leaf: int = Field(ge=1, le=100_000)
    boosting_l2: float = Field(ge=0)
    learning_rate: float = Field(ge=0.001, le=1)
    churn_rounds: int = Field(ge=10, le=2000)
    churn_learning_rate: float = Field(ge=0.001, le=1)
    churn_leaves: int = Field(ge=2, le=255)
    churn_min_leaf: int = Field(ge=1, le=100_000)
    churn_l2: float = Field(ge=0)
    churn_columns: float = Field(gt=0, le=1)
    logistic_c: float = Field(gt=0)
    held_out: int = Field(ge=0, le=12)
    fold_rows: int = Field(ge=1000)
    season_ratio: float = Field(ge=0, le=1)


class ValueParams(Record):
    """The boostings that correct MBG/NBD and Gamma-Gamma, and the cutoffs that judge them."""

    min_customers: int = Field(ge=2)
    boosting_rounds: int = Field(ge=10, le=1000)
    boosting_leaves: int = Field(ge=2, le=255)
    learning_rate: float = Field(ge=0.001, le=1)
    min_customers_in_leaf: int = Field(ge=1)
    backtest_cutoffs: int = Field(ge=1, le=60)
    season_ratio: float = Field(ge=0, le=1)


class GateParams(Record):
    """What a challenger must show to become champion."""

    bootstrap_samples: int = Field(ge=100, le=10_000)
    max_ece: float = Field(gt=0, le=1)
    max_feature_auc: float = Field(gt=0.5, le=1)
    max_auc_gain: float = Field(gt=0, le=0.5)
    min_value_bias: float = Field(ge=0, le=1)
    max_value_bias: float = Field(ge=1)
    min_value_coverage: float = Field(ge=0, le=0.8)


class ScoreParams(Record):
    """Limits of the bands of the churn risk."""

    medium_risk: float = Field(gt=0, lt=1)
    high_risk: float = Field(gt=0, lt=1)
