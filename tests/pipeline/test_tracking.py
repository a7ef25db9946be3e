"""The registry: versions, aliases, digests; nothing is sent home."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from features.errors import NoChampionError, RefusedError
from pipelines import tracking
from pipelines.tracking import TrackingParams

PARAMS = TrackingParams(uri="sqlite:///mlflow.db", artifacts="mlartifacts", experiment="shop")
X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
MODEL = LogisticRegression().fit(X, np.array([0, 0, 1, 1]))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def store(root):
    return tracking.open_store(PARAMS, root)


@pytest.fixture(scope="module")
def registered(store):
    with store.start_run():
        store.log_text("judged", "evaluation.json")
        return tracking.register(
            store, "shop-churn", MODEL, example=X, fingerprint="f" * 64, label="{}"
        )


def test_store_lies_in_the_project_wherever_the_command_runs(root, registered):
    assert (root / "mlflow.db").is_file()
    assert list((root / "mlartifacts").rglob("model.skops"))


def test_registered_model_is_challenger_and_no_champion(store, registered):
    assert tracking.find(store, "shop-churn", "") == registered
    assert tracking.champion(store, "shop-churn") is None


def test_model_that_was_never_registered_has_no_champion(store):
    assert tracking.champion(store, "shop-level") is None


def test_promoted_version_is_champion_and_loads_as_it_was(store, registered):
    tracking.promote(store, registered)
    now = tracking.champion(store, "shop-churn")
    assert now == registered
    assert now.spoken == "shop-churn@ffffffffffff"
    assert np.array_equal(tracking.load(store, now).predict_proba(X), MODEL.predict_proba(X))
    assert tracking.artifact(store, now, "evaluation.json") == "judged"


def test_model_whose_digest_is_not_the_registry_s_is_refused(store, registered):
    with pytest.raises(RefusedError, match="not the file that was registered"):
        tracking.load(store, registered._replace(sha256="0" * 64))


@pytest.mark.parametrize("version", ["99", "challenger-of-old"])
def test_version_that_is_not_there_is_named(store, registered, version):
    with pytest.raises(NoChampionError, match=f"shop-churn: no such version. Got '{version}'"):
        tracking.find(store, "shop-churn", version)


def test_second_opening_finds_what_the_first_registered(root, registered):
    again = tracking.open_store(PARAMS, root)
    assert tracking.find(again, "shop-churn", "1") == registered


def test_nothing_is_sent_home(store):
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DVC_NO_ANALYTICS"] == "1"


def test_command_line_sends_nothing_home_before_anything_is_imported():
    names = ("MLFLOW_DISABLE_TELEMETRY", "DVC_NO_ANALYTICS")
    code = f"import os, pipelines.cli; print(*map(os.getenv, {names}))"
    bare = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["true", "1"]
