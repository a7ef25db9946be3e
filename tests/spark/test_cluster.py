"""A standalone cluster of the PySpark package: a machine is lost in the middle of the job."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines.run import STATE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]
HERE = "127.0.0.1"
AS_OF = "2026-01-01"
PATIENCE_SECONDS = 300


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind((HERE, 0))
        return listening.getsockname()[1]


def wait_until(holds):
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.2)


def members(group: int) -> list[int]:
    """Processes of a group that still run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = status.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it ended between the two lines
            continue
        if int(pgrp) == group and state != "Z":
            found.append(int(status.parent.name))
    return found


class Machine:
    """One Spark process and the executors it starts: a process group of its own."""

    def __init__(self, log: Path, name: str, *words: str, **environment: str) -> None:
        pyspark = pytest.importorskip("pyspark")
        program = Path(pyspark.__file__).parent / "bin" / "spark-class"
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [program, f"org.apache.spark.deploy.{name}", "--host", HERE, *words],
                stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **environment},
            )  # fmt: skip

    def says(self, words: str) -> bool:
        return words in self.log.read_text(errors="replace")

    def lose(self) -> None:
        """As when the power fails: the machine, with all that ran on it."""
        if members(self.process.pid):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not members(self.process.pid))


@pytest.fixture
def cluster(tmp_path, spark_on_loopback):
    """A master and two workers on loopback; everything has ended afterwards."""
    port = str(free_port())
    address = f"spark://{HERE}:{port}"
    path = {"PYSPARK_PYTHON": sys.executable}
    machines = [
        Machine(tmp_path / "master", "master.Master", "--port", port, "--webui-port", "0", **path)
    ]
    try:
        wait_until(lambda: machines[0].says("New state: ALIVE"))
        for number in (1, 2):
            words = ("--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir")
            work = str(tmp_path / f"work-{number}")
            machines.append(
                Machine(tmp_path / f"worker-{number}", "worker.Worker", *words, work, address,
                        **path)
            )  # fmt: skip
        for worker in machines[1:]:
            wait_until(lambda w=worker: w.says("Successfully registered with master"))
        yield address, machines[1:]
    finally:
        for machine in machines:
            machine.lose()


def test_a_worker_lost_in_the_middle_changes_no_value(
    cluster, for_spark, on_polars, assert_same_features
):
    address, (first, second) = cluster
    project = for_spark(address)
    features = project.paths(STATE).features
    snapshots: list[int] = []

    def lose_one():
        wait_until(lambda: any(features.glob("as_of=*/_SUCCESS")))
        snapshots.append(len(list(features.glob("as_of=*/_SUCCESS"))))
        first.lose()

    loss = threading.Thread(target=lose_one)
    loss.start()
    code = (
        "from datetime import date; from pathlib import Path; from pipelines import steps; "
        "from pipelines.project import Project; import sys; p = Project(Path(sys.argv[1])); "
        f"steps.features(p, p.paths('{STATE}'), date.fromisoformat('{AS_OF}'), learn=False)"
    )
    job = subprocess.run(
        [sys.executable, "-c", code, str(project.root)],
        capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    loss.join(timeout=10)
    assert job.returncode == 0, job.stderr[-2000:]
    assert snapshots == [1]  # the job was not over, and it did not end
    assert first.process.returncode == -signal.SIGKILL
    assert second.process.poll() is None
    assert_same_features(project, on_polars)
