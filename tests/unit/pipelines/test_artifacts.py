"""Model files: reproducible, checked by digest, and never run before they are trusted."""

import hashlib
import io
import os
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from features.errors import RefusedError
from pipelines.artifacts import load_model, save_model

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0]])
Y = np.array([0, 0, 1, 1])


def fitted():
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def test_same_model_has_the_same_bytes(tmp_path):
    first, second = tmp_path / "a.skops", tmp_path / "b.skops"
    digests = {save_model(fitted(), first), save_model(fitted(), second)}
    assert first.read_bytes() == second.read_bytes()
    assert digests == {hashlib.sha256(first.read_bytes()).hexdigest()}


def test_other_model_has_other_bytes(tmp_path):
    other = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, Y)
    assert save_model(fitted(), tmp_path / "a") != save_model(other, tmp_path / "b")


def test_loaded_model_predicts_what_the_saved_one_did(tmp_path):
    digest = save_model(fitted(), tmp_path / "a.skops")
    loaded = load_model(tmp_path / "a.skops", digest)
    assert np.array_equal(loaded.predict_proba(X), fitted().predict_proba(X))


def test_file_with_another_digest_is_refused(tmp_path):
    digest = save_model(fitted(), tmp_path / "a.skops")
    with (tmp_path / "a.skops").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(RefusedError, match=f"not the file that was registered.*{digest[:12]}"):
        load_model(tmp_path / "a.skops", digest)


def test_type_that_is_not_in_our_list_is_refused_before_it_runs(tmp_path):
    path, marker = tmp_path / "evil.skops", tmp_path / "ran"
    model = FunctionTransformer(os.system, kw_args={"command": f"touch {marker}"})
    path.write_bytes(skops.io.dumps(model))
    with pytest.raises(RefusedError, match=r"holds types that Keepwell does not load. Got \['po"):
        load_model(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert not marker.exists()


def test_pickle_within_the_file_is_never_run(tmp_path):
    save_model(fitted(), tmp_path / "a.skops")
    path, marker = tmp_path / "evil.skops", tmp_path / "ran"
    pickled = f"cos\nsystem\n(S'touch {marker}'\ntR.".encode()
    content = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "a.skops") as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) if name == "schema.json" else pickled)
    path.write_bytes(content.getvalue())
    with pytest.raises(ValueError, match=r"pickle|magic"):
        load_model(path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert not marker.exists()
