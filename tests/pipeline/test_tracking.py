"""The registry: versions, aliases, digests; nothing is sent home."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from features.errors import NoChampionError, RefusedError
from pipelines import tracking
from pipelines.tracking import TrackingParams

PARAMS = TrackingParams(uri="sqlite:///mlflow.db", artifacts="mlartifacts", experiment="shop")
X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
MODEL = LogisticRegression().fit(X, np.array([0, 0, 1, 1]))


OPENER = """
import pathlib, sys
import mlflow, mlflow.sklearn  # so that both come to the store at the same moment
from pipelines.tracking import TrackingParams, open_store
params = TrackingParams(uri="sqlite:///mlflow.db", artifacts="mlartifacts", experiment="shop")
print("ready", flush=True)
sys.stdin.readline()
with open_store(params, pathlib.Path(sys.argv[1])).start_run() as run:
    print(run.info.run_id)
"""


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
        made = tracking.register(
            store, "shop-churn", MODEL, example=X, fingerprint="f" * 64, label="{}"
        )
    tracking.challenge(store, made)
    return made


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


def test_failing_store_is_said_in_one_line_without_what_was_to_be_stored(tmp_path):
    """MLflow's own log has the statement and its values."""
    program = (
        "import sqlite3; from pathlib import Path; from pipelines.tracking import *\n"
        "words = {'uri': 'sqlite:///mlflow.db', 'artifacts': 'kept', 'experiment': 'shop'}\n"
        "params = TrackingParams(**words)\n"
        "open_store(params, Path())\n"
        "with sqlite3.connect('mlflow.db') as db: db.execute('drop table experiments')\n"
        "open_store(params, Path())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    logged, _, raised = done.stderr.partition("Traceback")
    assert "no such table" in raised
    assert "SQL" not in logged


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


def artefacts(root):
    return next((root / "mlartifacts").rglob("MLmodel")).parent


PAYLOAD = "import pathlib; pathlib.Path({canary!r}).touch()"


def pickled(canary):
    return f"cbuiltins\nexec\n(S{PAYLOAD.format(canary=str(canary))!r}\ntR.".encode()


def with_swapped_pickle(folder, canary):
    (folder / "model.skops").unlink()
    (folder / "model.pkl").write_bytes(pickled(canary))
    described = yaml.safe_load((folder / "MLmodel").read_text())
    described["flavors"]["sklearn"] |= {
        "pickled_model": "model.pkl", "serialization_format": "cloudpickle",
    }  # fmt: skip
    (folder / "MLmodel").write_text(yaml.safe_dump(described))


def with_path_outside(folder, canary):
    with_swapped_pickle(folder, canary)
    outside = folder.parent / "outside.pkl"
    (folder / "model.pkl").rename(outside)
    text = (folder / "MLmodel").read_text().replace("model.pkl", "../outside.pkl")
    (folder / "MLmodel").write_text(text)


def with_loader_module(folder, canary):
    (folder / "code").mkdir()
    (folder / "code" / "evilmod.py").write_text(PAYLOAD.format(canary=str(canary)))
    described = yaml.safe_load((folder / "MLmodel").read_text())
    described["flavors"]["python_function"] |= {"loader_module": "evilmod", "code": "code"}
    (folder / "MLmodel").write_text(yaml.safe_dump(described))


def with_trusted_system_call(folder, canary):
    model = FunctionTransformer(os.system, kw_args={"command": f"touch {canary}"})
    (folder / "model.skops").write_bytes(skops.io.dumps(model))
    described = yaml.safe_load((folder / "MLmodel").read_text())
    described["flavors"]["sklearn"]["skops_trusted_types"] = ["posix.system"]
    (folder / "MLmodel").write_text(yaml.safe_dump(described))


@pytest.mark.parametrize(
    "poisoned",
    [with_swapped_pickle, with_path_outside, with_loader_module, with_trusted_system_call],
)
def test_hostile_model_is_refused_before_any_of_its_code_runs(
    tmp_path, root, store, registered, poisoned
):
    """The four that MLflow itself loads: in the store, in place of what was registered."""
    home = next(p.parent for p in artefacts(root).rglob("MLmodel"))
    kept, canary = tmp_path / "kept", tmp_path / "ran"
    shutil.copytree(home, kept)
    try:
        poisoned(home, canary)
        with pytest.raises(RefusedError, match="not the folder that was registered"):
            tracking.load(store, registered)
    finally:
        shutil.rmtree(home)
        shutil.copytree(kept, home)
    assert not canary.exists()
    tracking.load(store, registered)


OLD = {name: installed(name) for name in tracking.EXACT} | {"scikit-learn": "0.1"}


def test_model_of_other_library_versions_is_refused_before_it_is_read(store, registered):
    client, key = store.MlflowClient(), tracking.LIBRARIES
    version = (registered.name, registered.version)
    libraries = client.get_model_version(*version).tags[key]
    try:
        client.set_model_version_tag(*version, key, json.dumps(OLD))
        assert not tracking.readable(store, registered)
        with pytest.raises(RefusedError, match=r"Got scikit-learn \d.*Expected scikit-learn 0.1"):
            tracking.load(store, registered)
    finally:
        client.set_model_version_tag(*version, key, libraries)


def test_registered_model_states_its_requirements_and_signature(root, registered):
    described = yaml.safe_load((artefacts(root) / "MLmodel").read_text())
    assert described["signature"]["inputs"]
    needed = (artefacts(root) / "requirements.txt").read_text().split()
    assert {n.partition("==")[0] for n in needed} >= {"lightgbm", "scikit-learn", "skops"}


def test_store_that_two_processes_open_at_once_is_made_once(tmp_path):
    both = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = {process.communicate()[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        assert {name for (name,) in database.execute("SELECT run_uuid FROM runs")} == told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlflow.db.lock"]
