"""A bigger installation: MLflow on PostgreSQL; its artefacts, sources, outbox, DVC's cache on S3.

All of it is real but for the objects, which an S3-compatible server on loopback keeps. What a test
starts, it stops.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pipelines import tracking
from pipelines.project import Project
from pipelines.run import run
from pipelines.settings import with_values
from pipelines.simulate import simulate_project
from pipelines.tracking import TrackingParams
from pipelines.verify import MANIFEST, verify

AS_OF = date(2026, 1, 1)
X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
MODEL = LogisticRegression().fit(X, np.array([0, 0, 1, 1]))


def postgres_programs():
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The address of an empty database; the server runs as the user postgres where we are root."""
    programs = postgres_programs()
    if programs is None or (os.geteuid() == 0 and not shutil.which("runuser")):
        pytest.skip("needs PostgreSQL")
    folder = Path("/tmp") / f"keepwell-postgres-{os.getpid()}"
    folder.mkdir(mode=0o700)
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres", "postgres")
    cluster, port = folder / "cluster", free_port()

    def run(program, *words):
        command = [*user, str(programs / program), *map(str, words)]
        subprocess.run(command, check=True, capture_output=True, cwd="/")

    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        run("initdb", "-D", cluster, "-U", "keepwell", "-A", "trust")
        run("pg_ctl", "-D", cluster, "-w", "-l", folder / "log", "-o", options, "start")
        run("createdb", "-h", "127.0.0.1", "-p", port, "-U", "keepwell", "mlflow")
        yield f"postgresql+psycopg2://keepwell@127.0.0.1:{port}/mlflow"
    finally:
        if cluster.exists():
            run("pg_ctl", "-D", cluster, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def objects():
    """A bucket ``keepwell`` on an S3-compatible server, by way of the environment."""
    moto, s3fs = pytest.importorskip("moto.server"), pytest.importorskip("s3fs")
    running = moto.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patched.setenv("AWS_ACCESS_KEY_ID", "of-a-test")
        patched.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.makedirs("keepwell")
        yield files
    running.stop()


@pytest.fixture(scope="module")
def server(database, objects, tmp_path_factory):
    """The address of a tracking server over the database, with its artefacts in the bucket."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database,
        "--artifacts-destination", "s3://keepwell/models", "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    environment = os.environ | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # nine processes that nobody needs here
    }
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address + "/health", running)
        yield address
    finally:
        os.killpg(running.pid, 15)
        running.wait()


def wait_for(address, running):
    for _ in range(600):
        assert running.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer")


@pytest.mark.slow
def test_champion_lives_on_a_server_over_postgresql_and_its_model_in_a_bucket(
    server, objects, tmp_path
):
    params = TrackingParams(uri=server, artifacts="unused", experiment="shop")
    store = tracking.open_store(params, tmp_path)
    with store.start_run():
        made = tracking.register(
            store, "shop-churn", MODEL, example=X, fingerprint="f" * 64, label="{}"
        )
    assert tracking.champion(store, "shop-churn") is None
    tracking.promote(store, made)
    now = tracking.champion(store, "shop-churn")
    assert now == made
    assert np.array_equal(tracking.load(store, now).predict_proba(X), MODEL.predict_proba(X))
    assert not (tmp_path / "mlflow.db").exists()
    assert [name for name in objects.find("keepwell/models") if name.endswith(".skops")] != []


@pytest.fixture(scope="module")
def delivered(server, objects, tmp_path_factory, repository):
    """A run of a small company whose events lie in the bucket, tracked by the server."""
    root = tmp_path_factory.mktemp("bigger") / "shop"
    simulate_project(repository, root, customers=40, seed=7, until=AS_OF, days=400)
    objects.put_file(str(root / "raw" / "events.csv"), "keepwell/raw/events.csv")
    (root / "raw" / "events.csv").unlink()
    sources = root / "catalogue" / "sources.yaml"
    text = sources.read_text("utf-8").replace("raw/events.csv", "s3://keepwell/raw/events.csv")
    sources.write_text(text, "utf-8")
    values = {"tracking.uri": server, "tracking.experiment": "bigger", "deliver.platforms": []}
    (root / "params.yaml").write_text(
        with_values((root / "params.yaml").read_text("utf-8"), values), "utf-8"
    )
    run(Project(root), AS_OF, training="never", say=lambda _: None)
    return root


@pytest.mark.slow
def test_run_reads_a_bucket_and_is_tracked_by_the_server(delivered, objects):
    assert not (delivered / "mlflow.db").exists()
    store = tracking.open_store(Project(delivered).params.tracking, delivered)
    assert len(store.search_runs(experiment_names=["bigger-decisions"])) == 1
    assert [name for name in objects.find("keepwell/models") if name.endswith("plan.json")] != []


@pytest.mark.slow
def test_outbox_that_is_copied_to_a_bucket_is_whole_there(delivered, objects, tmp_path):
    version = (delivered / "outbox" / "latest").resolve()
    names = sorted(path.name for path in version.iterdir() if path.name != MANIFEST)
    for name in [*names, MANIFEST]:  # last: who sees it sees all
        objects.put_file(str(version / name), f"keepwell/outbox/latest/{name}")
    objects.get("keepwell/outbox/latest/", str(tmp_path / "received"), recursive=True)
    assert verify(tmp_path / "received") == len(names)


@pytest.mark.slow
def test_tables_go_to_a_remote_of_dvc_by_its_address_and_come_back(delivered, objects):
    pytest.importorskip("dvc_s3")

    def dvc(*words):
        command = [sys.executable, "-m", "dvc", *words, "-q"]
        environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
        subprocess.run(command, cwd=delivered, check=True, env=environment)

    scores = delivered / "state" / "scores.parquet"
    content = scores.read_bytes()
    dvc("init", "--no-scm")
    dvc("config", "core.check_update", "false")
    dvc("remote", "add", "-d", "storage", "s3://keepwell/dvc")
    dvc("remote", "modify", "storage", "endpointurl", os.environ["AWS_ENDPOINT_URL"])
    dvc("add", "state/scores.parquet")
    dvc("push")
    scores.unlink()
    shutil.rmtree(delivered / ".dvc" / "cache")
    dvc("pull")
    assert scores.read_bytes() == content
