import pytest

from models.params import TrainParams


@pytest.fixture(scope="session")
def quick_training():
    """Parameters that fit a few hundred customers in a moment."""
    return TrainParams(
        min_per_class=10, boosting_rounds=10, boosting_leaves=7, boosting_min_leaf=40,
        boosting_l2=1.0, learning_rate=0.2, churn_rounds=10,
        churn_learning_rate=0.2, churn_leaves=7, churn_min_leaf=20, churn_l2=1.0, churn_columns=1.0,
        logistic_c=1.0, held_out=1, fold_rows=10_000, season_ratio=0.5,
    )  # fmt: skip
