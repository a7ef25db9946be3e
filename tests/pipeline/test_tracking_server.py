"""A tracking server on PostgreSQL: real, on loopback, stopped by the tests that start it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from pipelines import tracking
from pipelines.tracking import TrackingParams

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
def server(database, tmp_path_factory):
    """The address of a tracking server over the database."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", database,
        "--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
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
def test_champion_lives_on_a_tracking_server_over_postgresql(server, tmp_path):
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
