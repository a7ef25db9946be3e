"""What a user can get wrong: one line, a stable exit code, and nothing delivered is touched."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date

import pytest
from typer.testing import CliRunner

from features.errors import ConfigurationError, UsageError
from pipelines.cli import commands
from pipelines.forget import forget
from pipelines.project import Project
from pipelines.run import run
from pipelines.steps import ingest

PROGRAM = "from pipelines.cli import app; app()"
EVENTS = """\
customer_id,occurred_at,event_type,value
canary-1,2025-12-01T12:00:00Z,order_completed,5.00
canary-2,2025-12-31T12:00:00Z,order_completed,6.00
"""
SOURCES = """\
business: {name: Test, timezone: UTC, currency: EUR}
sources:
  shop:
    table: events
    path: events.csv
    columns:
      customer_id: {column: customer_id}
      occurred_at: {column: occurred_at}
      event_type: {column: event_type}
      value: {column: value}
"""
MISSING, DATA, CONFIGURATION, USAGE = 66, 65, 78, 2


def keepwell(*words):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
        check=False,
    )


@pytest.fixture
def project(tmp_path, request):
    """A small project that has delivered before."""
    root = tmp_path / "shop"
    shutil.copytree(request.config.rootpath / "catalogue", root / "catalogue")
    shutil.copy(request.config.rootpath / "params.yaml", root / "params.yaml")
    (root / "catalogue" / "sources.yaml").write_text(SOURCES)
    (root / "events.csv").write_text(EVENTS)
    (root / "outbox" / "as_of=2025-12-01").mkdir(parents=True)
    (root / "outbox" / "as_of=2025-12-01" / "actions.csv").write_text("delivered before\n")
    return root


def put(path, old, new):
    text = path.read_text("utf-8")
    changed = re.sub(old, new, text, count=1, flags=re.MULTILINE)
    assert changed != text
    path.write_text(changed, "utf-8")


def wrong_file(root):
    put(root / "catalogue" / "sources.yaml", "events.csv", "event.csv")


def broken_file(root):
    (root / "events.csv").write_bytes(b"PAR1\x00\x01\x02" + bytes(range(256)) * 20)


def missing_column(root):
    put(root / "catalogue" / "sources.yaml", "column: value", "column: amount")


def nothing_accepted(root):
    put(root / "catalogue" / "sources.yaml", "column: occurred_at", "column: value")


def unknown_id(root):
    put(root / "catalogue" / "actions.yaml", r"^    stages: \[.*\]", "    stages: [lapsed]")


def unknown_feature(root):
    put(root / "catalogue" / "stages.yaml", "feature: value_events,", "feature: value_event,")


def unknown_key(root):
    put(root / "params.yaml", "^  horizon_days:", "  horizon_day:")


def wrong_type(root):
    put(root / "params.yaml", "^  horizon_days: .*", "  horizon_days: soon")


def no_params(root):
    (root / "params.yaml").unlink()


def alias_bomb(root):
    file = root / "catalogue" / "sources.yaml"
    lines = [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 12)]
    file.write_text("\n".join(["a0: &a0 x", *lines, file.read_text()]))


def large_yaml(root):
    with (root / "params.yaml").open("a", encoding="utf-8") as file:
        file.write("#" * 1_000_000)


def code_in_yaml(root):
    code = "  horizon_days: !!python/name:os.abort"
    put(root / "params.yaml", "^  horizon_days: .*", code)


def climbing_path(root):
    shutil.copy(root / "events.csv", root.parent / "events.csv")
    put(root / "catalogue" / "sources.yaml", "path: events.csv", "path: ../events.csv")


def linked_file(root):
    (root / "events.csv").rename(root.parent / "events.csv")
    (root / "events.csv").symlink_to(root.parent / "events.csv")


def linked_file_in_a_folder(root):
    linked_file(root)
    (root / "days").mkdir()
    (root / "events.csv").rename(root / "days" / "events.csv")
    put(root / "catalogue" / "sources.yaml", "path: events.csv", "path: days")


def climbing_pattern(root):
    shutil.copy(root / "events.csv", root.parent / "events.csv")
    put(root / "catalogue" / "sources.yaml", "path: events.csv", "path: '*/../../*.csv'")


def climbing_lookup(root):
    put(root / "catalogue" / "sources.yaml", "    path: events.csv",
        "    path: events.csv\n    lookup: {path: ../shop.csv, key: customer_id}")  # fmt: skip


def climbing_package(root):
    put(root / "catalogue" / "sources.yaml", "path: events.csv", "path: package:yaml/../x.csv")


def climbing_store(root):
    put(root / "params.yaml", "uri: sqlite:///mlflow.db", "uri: sqlite:///../mlflow.db")
    (root.parent / "mlflow.db").touch()


def climbing_artifacts(root):
    put(root / "params.yaml", "artifacts: mlartifacts", "artifacts: ../mlartifacts")


def climbing_source(root):
    put(root / "catalogue" / "sources.yaml", "^  shop:", "  ../shop:")


def climbing_platform(root):
    put(root / "catalogue" / "platforms.yaml", "^  braze:", "  ../braze:")


def unchanged(_):
    pass


@pytest.mark.parametrize(
    ("mistake", "as_of", "code", "message"),
    [
        (wrong_file, "2026-01-01", MISSING, "file not found. Got 'event.csv'"),
        (broken_file, "2026-01-01", DATA, "events.csv is not utf-8. Got byte"),
        (
            missing_column,
            "2026-01-01",
            MISSING,
            "column not found. Got amount. The file has 4 columns",
        ),
        (nothing_accepted, "2026-01-01", DATA, "no row was accepted. Got 2 rows"),
        (unknown_id, "2026-01-01", CONFIGURATION, "actions.yaml, actions.0.stages.0: .*'lapsed'"),
        (unknown_feature, "2026-01-01", CONFIGURATION, "unknown feature. Got 'value_event'"),
        (unknown_key, "2026-01-01", CONFIGURATION, "params.yaml, churn.horizon_day"),
        (wrong_type, "2026-01-01", CONFIGURATION, "churn.horizon_days: .*Got 'soon'"),
        (
            alias_bomb,
            "2026-01-01",
            CONFIGURATION,
            "sources.yaml: its aliases .* too much",
        ),
        (code_in_yaml, "2026-01-01", CONFIGURATION, "params.yaml: not valid YAML"),
        (no_params, "2026-01-01", MISSING, "params.yaml: not found"),
        (unchanged, "2026-06-01", DATA, "--as-of: after the end of the data. Got 2026-06-01"),
        (unchanged, "2025-12-01", DATA, "no value event before 2025-12-01. .*later --as-of"),
        (unchanged, "tomorrow", USAGE, "--as-of: not a date. Got 'tomorrow'"),
        (unchanged, "2026-02-30", USAGE, "--as-of: not a date. Got '2026-02-30'"),
    ],
)
def test_mistake_is_one_line_with_a_stable_code_and_delivers_nothing(
    project, mistake, as_of, code, message
):
    mistake(project)
    done = keepwell("run", "--project", project, "--as-of", as_of)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("keepwell: ")
    assert re.search(message, last)
    assert done.stderr.count("keepwell: ") == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert "canary" not in done.stderr + done.stdout  # nobody's id is told
    assert done.returncode == code
    delivered = sorted(path.name for path in (project / "outbox").rglob("*") if path.is_file())
    assert delivered == ["actions.csv"]
    kept = project / "outbox" / "as_of=2025-12-01" / "actions.csv"
    assert kept.read_text() == "delivered before\n"


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (climbing_path, "sources.yaml, shop, path: leaves its folder"),
        (linked_file, "sources.yaml, shop, path: leaves its folder"),
        (linked_file_in_a_folder, "Got 'days/events.csv'"),
        (climbing_pattern, "sources.yaml, shop, path: leaves its folder"),
        (climbing_lookup, "Got '../shop.csv'"),
        (climbing_package, "sources.yaml, path of a package: leaves its folder, .* Got '../x.csv'"),
        (climbing_store, "params.yaml, tracking.uri: leaves its folder"),
        (climbing_artifacts, "params.yaml, tracking.artifacts: leaves its folder"),
        (climbing_source, "sources.yaml, .*files are named by it"),
        (climbing_platform, "platforms.yaml, .*files are named by it"),
    ],
)
def test_path_in_the_configuration_that_leaves_the_folder_is_refused(project, mistake, message):
    mistake(project)
    with pytest.raises(ConfigurationError, match=message) as refused:
        run(Project(project), date(2026, 1, 1), training="never", say=lambda _: None)
    assert len(str(refused.value).splitlines()) == 1
    assert [f.name for f in (project / "outbox").iterdir()] == ["as_of=2025-12-01"]


def test_absolute_path_of_a_source_says_where_it_leads_and_is_read(project):
    (project / "events.csv").rename(project.parent / "events.csv")
    put(project / "catalogue" / "sources.yaml", "path: events.csv",
        f"path: {project.parent / 'events.csv'}")  # fmt: skip
    opened = Project(project)
    (counts,) = ingest(opened, opened.paths("state"))
    assert counts["accepted"] == 2


def test_person_is_taken_out_of_files_that_an_absolute_pattern_names(project):
    put(project / "catalogue" / "sources.yaml", "path: events.csv", f"path: {project}/event*.csv")
    forgotten = forget(Project(project), "canary-1", date(2026, 1, 1))
    assert forgotten.elsewhere == []
    assert "canary-1" not in (project / "events.csv").read_text()


@pytest.mark.parametrize("mistake", [alias_bomb, large_yaml, code_in_yaml])
def test_yaml_runs_no_code_and_has_a_limit(project, mistake):
    mistake(project)
    with pytest.raises(ConfigurationError):
        run(Project(project), date(2026, 1, 1), training="never", say=lambda _: None)


@pytest.mark.parametrize("as_of", ["2026-01-01; touch ran", "$(touch ran)", "`touch ran`"])
def test_text_of_an_option_never_reaches_a_shell(project, as_of, monkeypatch):
    monkeypatch.chdir(project)
    done = CliRunner().invoke(commands, ["run", "--as-of", as_of])
    assert isinstance(done.exception, UsageError)
    assert not (project / "ran").exists()


@pytest.mark.parametrize(
    "mistake", [unknown_id, unknown_feature, unknown_key, wrong_type, no_params]
)
def test_check_finds_what_a_run_would_refuse(project, mistake):
    mistake(project)
    done = keepwell("check", "--project", project)
    assert done.stderr.startswith("keepwell: ")
    assert len(done.stderr.splitlines()) == 1
    assert done.returncode in (CONFIGURATION, MISSING)


def test_broken_configuration_fails_before_anything_is_written(project):
    unknown_feature(project)
    before = sorted(project.rglob("*"))
    keepwell("run", "--project", project, "--as-of", "2026-01-01")
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("init", "--yes", "--events", "absent.csv"), "--events: file not found. Got absent.csv"),
        (("simulate", "--out", ".", "--customers", "5"), "--out: exists already"),
        (("score",), "not found"),
        (("promote", "churn", "--version", "7"), "no such version. Got '7'"),
    ],
)
def test_other_commands_fail_in_one_line_too(project, words, message):
    done = keepwell(*words, "--project", project)
    assert done.returncode not in (0, 1)
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("keepwell: ")
    assert message in done.stderr


def test_name_of_a_file_cannot_forge_a_line(project):
    name = "a\nkeepwell: done\x1b[2J.csv"
    done = keepwell("init", "--yes", "--events", name, "--project", project)
    assert "\\nkeepwell: done\\x1b[2J.csv" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_init_of_a_file_that_is_no_table_is_one_line(project):
    (project / "empty.csv").write_bytes(b"")
    done = keepwell("init", "--events", project / "empty.csv", "--project", project, "--yes")
    assert done.stderr.startswith("keepwell: ")
    assert len(done.stderr.splitlines()) == 1


def test_second_run_of_a_project_is_told_that_the_first_is_writing(project):
    from pipelines.lock import locked

    with locked(project / "state"):
        done = keepwell("run", "--project", project, "--as-of", "2026-01-01")
    assert done.returncode == 75
    assert done.stderr.startswith("keepwell: state: another run is writing. Got process ")


def test_spark_without_java_is_one_line_and_delivers_nothing(project, monkeypatch):
    put(project / "params.yaml", "^engine: .*", "engine: spark")
    monkeypatch.setenv("JAVA_HOME", str(project))
    assert keepwell("ingest", "--project", project).returncode == 0
    done = keepwell("features", "--project", project, "--as-of", "2026-01-01")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("keepwell: params.yaml, engine: Spark needs Java")
    assert "Traceback" not in done.stderr
    assert done.returncode == CONFIGURATION
    assert [f.name for f in (project / "outbox").iterdir()] == ["as_of=2025-12-01"]
