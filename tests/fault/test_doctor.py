"""Each known breakage, made for real: the doctor names its command, and removes nothing unasked."""

import json
import os
import shlex
import sqlite3
import subprocess

import pytest
import yaml

from pipelines import doctor
from pipelines.doctor import diagnosis, findings
from pipelines.runs import RUNS, read_runs


def commands(root):
    return {one.where: one.command for one in findings(root)}


def everything(root):
    return sorted(path for path in root.rglob("*"))


def empty_rwlock(root):
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / ".dvc" / "tmp" / "rwlock").write_bytes(b"")


def stale_rwlock(root):
    (root / ".dvc" / "tmp").mkdir(parents=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    held = {"data/tables": {"write": {"pid": gone.pid, "cmd": "dvc repro"}, "read": []}}
    (root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(held))


def rwlock_of_a_number_used_again(root):
    (root / ".dvc" / "tmp").mkdir(parents=True)
    held = {"data/tables": {"read": [{"pid": 1, "cmd": "dvc repro"}]}}
    (root / ".dvc" / "tmp" / "rwlock").write_text(json.dumps(held))


def half_made_store(root):
    (root / "mlflow.db").unlink()
    with sqlite3.connect(root / "mlflow.db") as store:
        store.execute("CREATE TABLE experiments (id INTEGER)")
        store.execute("CREATE TABLE _alembic_tmp_experiments (id INTEGER)")


def orphans(root):
    (root / "outbox" / ".unfinished-abc").mkdir()
    (root / "state" / ".scores.parquet.123").write_bytes(b"half")


REMOVABLE = {
    empty_rwlock: ".dvc/tmp/rwlock",
    stale_rwlock: ".dvc/tmp/rwlock",
    rwlock_of_a_number_used_again: ".dvc/tmp/rwlock",
    half_made_store: "mlflow.db",
    orphans: "project folder",
}


def test_healthy_project_has_no_finding(shop):
    assert diagnosis(shop, fix=False, as_json=False) == ("ok: nothing would stop a run", 0)


@pytest.mark.parametrize("spoil", REMOVABLE, ids=lambda f: f.__name__)
def test_doctor_removes_what_may_be_removed_only_when_told_to(shop, spoil):
    spoil(shop)
    before = everything(shop)
    assert commands(shop) == {REMOVABLE[spoil]: "keepwell doctor --fix"}
    assert diagnosis(shop, fix=False, as_json=False)[1] == 1
    assert everything(shop) == before
    assert diagnosis(shop, fix=True, as_json=False)[1] == 0
    assert findings(shop) == []


def test_truncated_dvc_lock_is_restored_by_its_one_command(shop):
    lock = shop / "dvc.lock"
    whole = yaml.safe_dump({"schema": "2.0", "stages": {"ingest": {"cmd": "keepwell ingest"}}})
    lock.write_text(whole)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "dvc.lock"], ["commit", "-qm", "Lock"]):
        subprocess.run([*git, *words], cwd=shop, check=True)
    assert findings(shop) == []
    for spoiled in ("", whole[:15], "schema: '2.0'\nstages: {ing"):
        lock.write_text(spoiled)
        command = commands(shop)["dvc.lock"]
        subprocess.run(shlex.split(command), cwd=shop, check=True, capture_output=True)
        assert lock.read_text() == whole


def test_store_with_models_whose_migration_was_cut_off_is_never_removed(shop):
    half_made_store(shop)
    with sqlite3.connect(shop / "mlflow.db") as store:
        store.execute("CREATE TABLE model_versions (name TEXT)")
        store.execute("INSERT INTO model_versions VALUES ('churn')")
    assert commands(shop)["mlflow.db"].startswith("cp YOUR-BACKUP ")
    diagnosis(shop, fix=True, as_json=False)
    assert (shop / "mlflow.db").is_file()


def test_store_of_another_mlflow_is_upgraded(shop):
    (shop / "mlflow.db").unlink()
    with sqlite3.connect(shop / "mlflow.db") as store:
        store.execute("CREATE TABLE alembic_version (version_num TEXT)")
        store.execute("INSERT INTO alembic_version VALUES ('451aebb31d03')")
    assert commands(shop)["mlflow.db"] == f"mlflow db upgrade sqlite:///{shop / 'mlflow.db'}"


def test_file_that_is_no_database_is_put_aside_by_its_one_command(shop):
    (shop / "mlflow.db").write_bytes(b"not a database, but long enough to be read as one" * 9)
    subprocess.run(shlex.split(commands(shop)["mlflow.db"]), check=True)
    assert findings(shop) == []


def test_full_disk_is_named(shop, monkeypatch):
    monkeypatch.setattr(doctor, "FEWEST_FREE_BYTES", 1 << 62)  # more than any disk has
    assert commands(shop)["disk"].startswith("du -xh ")


@pytest.mark.parametrize(("mode", "start"), [(0o500, "chmod -R u+rwX"), (0o755, "chmod -R go-rwx")])
def test_wrong_permissions_are_mended_by_the_one_command(shop, mode, start):
    (shop / "outbox").chmod(mode)
    command = commands(shop)["outbox"]
    assert command.startswith(start)
    subprocess.run(shlex.split(command), check=True)
    assert findings(shop) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_another_user_are_named(shop):
    os.chown(shop / "state" / "scores.parquet", 12345, -1)
    assert commands(shop)["state"] == f"sudo chown -R 0 {shop / 'state'}"


def test_library_of_another_version_than_the_last_run_s_is_named(shop):
    (ran,) = read_runs(shop / "state")
    other = ran.model_copy(update={"libraries": {**ran.libraries, "polars": "0.1.0"}})
    (shop / "state" / RUNS).write_text(other.model_dump_json() + "\n")
    assert commands(shop)["libraries"] == "pip install polars==0.1.0"


def test_delivery_that_somebody_changed_is_run_again(shop):
    (shop / "outbox" / "latest" / "actions.csv").write_bytes(b"changed")
    assert commands(shop)["outbox/latest"] == "keepwell run --as-of 2026-01-01"


def test_findings_are_json_for_machines(shop):
    orphans(shop)
    text, code = diagnosis(shop, fix=False, as_json=True)
    assert code == 1
    assert [row["command"] for row in json.loads(text)] == ["keepwell doctor --fix"]
