"""A call to MLflow that fails leaves the champion of before, and the same can be run again."""

import json
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression

from features.errors import StorageError
from models.evaluation import Judged
from models.gate import Verdict
from pipelines import tracking
from pipelines.champions import EVALUATION
from pipelines.params import TrackingParams
from pipelines.promotion import Trial, recorded

PARAMS = TrackingParams(uri="sqlite:///mlflow.db", artifacts="mlartifacts", experiment="shop")
LABEL = json.dumps({"horizon_days": 30, "gap_days": 0, "lookback_days": 90})
X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
MODEL = LogisticRegression().fit(X, np.array([0, 0, 1, 1]))
JUDGED = Judged(
    [{"model": "keepwell", "auc": 0.8, "log_loss": 0.3, "ece": 0.01}],
    {"mean": 0.01}, Verdict(True, "beats recency"), [],
)  # fmt: skip
FACTS = {
    "n": 4, "test_as_of": "2025-12-01", "train_as_of": ["2025-11-01"], "horizon_days": 30,
    "gap_days": 0, "card": {"intervals": {}, "by_expected": [], "groups": []},
}  # fmt: skip
CALLS = 13  # that a promotion makes


class Counted:
    """MLflow, or an object of it, of whose calls one fails."""

    def __init__(self, wrapped, calls, failing):
        self.wrapped, self.calls, self.failing = wrapped, calls, failing

    def __getattr__(self, name):
        found = getattr(self.wrapped, name)
        if isinstance(found, ModuleType):
            return Counted(found, self.calls, self.failing)
        if name == "MlflowClient":  # to make one is no call to the server
            return lambda: Counted(found(), self.calls, self.failing)

        def call(*words, **named):
            self.calls.append(name)
            if len(self.calls) == self.failing:
                raise MlflowException("a row: C0042, ann@example.org")
            return found(*words, **named)

        return call


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tracking.open_store(PARAMS, tmp_path_factory.mktemp("project"))


def promoted(store, name, fingerprint, *, calls, failing=None):
    """The evaluation of one churn model that may be promoted."""
    trial = Trial("churn", name, MODEL, fingerprint * 64, LABEL, X, JUDGED, FACTS)
    return recorded(Counted(store, calls, failing), "a run", {"seed": 0}, [trial], {})


def test_a_promotion_makes_so_many_calls(store):
    calls = []
    promoted(store, "shop-counted", "a", calls=calls)
    assert len(calls) == CALLS
    # the aliases, after all that is known of the model is logged
    assert calls[-3:] == ["log_dict", *["set_registered_model_alias"] * 2]


@pytest.mark.parametrize("failing", range(1, CALLS + 1))
def test_whichever_call_fails_the_champion_stays_and_a_rerun_works(store, failing):
    name = f"shop-{failing}"
    promoted(store, name, "a", calls=[])
    before = tracking.champion(store, name)
    with pytest.raises(StorageError, match="a call to MLflow failed") as caught:
        promoted(store, name, "b", calls=[], failing=failing)
    assert str(caught.value).count("\n") == 0
    assert "C0042" not in str(caught.value)
    assert tracking.champion(store, name) == before
    assert store.active_run() is None
    told = promoted(store, name, "b", calls=[])
    now = tracking.champion(store, name)
    assert now.fingerprint == "b" * 64
    assert told["churn"]["champion"] == {"name": name, "version": now.version}
    assert json.loads(tracking.artifact(store, now, EVALUATION))["churn"]["promoted"]
