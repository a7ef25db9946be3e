"""A run is dated, single, verified when repeated, and known to the log of runs."""

import fcntl
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import date, timedelta

import polars as pl
import pytest

from features.errors import BusyError, DataError, OrphanedError, StorageError, UsageError
from pipelines import steps
from pipelines.backfill import dates_between, run_dates
from pipelines.ending import storage_error
from pipelines.lock import locked
from pipelines.project import Project
from pipelines.run import run
from pipelines.runs import listed, read_runs
from pipelines.tables import write_frame

AS_OF = date(2026, 1, 1)
PROGRAM = "from pipelines.cli import app; app()"
HOLDER = """
import sys, pathlib
from pipelines.ending import storage_error
from pipelines.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def silent(_):
    return None


def again(shop, as_of=AS_OF, **options):
    return run(Project(shop), as_of, training="never", **{"say": silent, **options})


def endings(shop):
    return [ran.ending for ran in read_runs(shop / "state")]


def stamps(shop):
    found = [p for name in ("outbox", "state") for p in (shop / name).rglob("*") if p.is_file()]
    lasting = [p for p in found if p.name not in (".lock", "runs.jsonl", "champions.json",
                                                  "evaluation.json")]  # fmt: skip
    return {path: path.stat().st_mtime_ns for path in lasting}


def keepwell(*words):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def holder(shop):
    """Another process that is running a job in the shop until it is told to end."""
    command = [sys.executable, "-c", HOLDER, str(shop / "state")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_rerun_verifies_what_is_there_and_writes_nothing(shop):
    before = stamps(shop)
    assert again(shop).unchanged
    assert stamps(shop) == before
    assert endings(shop) == ["delivered", "unchanged"]


def test_rerun_puts_a_damaged_delivery_right_and_keeps_the_damaged_version_as_it_is(shop):
    file = shop / "outbox" / f"as_of={AS_OF}" / "actions.csv"
    whole, place = file.read_bytes(), file.resolve()
    file.write_bytes(b"damaged")
    assert not again(shop).unchanged
    assert file.read_bytes() == whole
    assert place.read_bytes() == b"damaged"


def test_rerun_after_a_change_of_the_catalogue_delivers_anew(shop):
    with (shop / "catalogue" / "actions.yaml").open("a", encoding="utf-8") as file:
        file.write("# another word\n")
    assert not again(shop).unchanged
    first, second = read_runs(shop / "state")
    assert first.made_of.catalogue != second.made_of.catalogue
    assert first.made_of.data == second.made_of.data


def test_events_of_a_later_week_do_not_recompute_an_earlier_one(shop):
    text = (shop / "raw" / "events.csv").read_text("utf-8")
    head, row = text.splitlines()[:2]
    event = row.split(",")[head.split(",").index("event_id")]
    later = row.replace(event, "of-next-week").replace(row[row.index("20") :][:10], "2026-01-03")
    (shop / "raw" / "events").mkdir()
    (shop / "raw" / "events.csv").rename(shop / "raw" / "events" / "events.csv")
    sources = shop / "catalogue" / "sources.yaml"
    sources.write_text(sources.read_text("utf-8").replace("raw/events.csv", "raw/events"), "utf-8")
    assert not again(shop).unchanged  # the catalogue changed
    columns = head.split(",")
    values = dict(zip(columns, later.split(","), strict=True))
    values |= {"occurred_at": "2026-01-03T10:00:00Z", "loaded_at": "2026-01-03T10:00:00Z"}
    new = f"{head}\n{','.join(values[c] for c in columns)}\n"
    (shop / "raw" / "events" / "next.csv").write_text(new, "utf-8")
    assert again(shop).unchanged


def test_backfill_of_dates_that_are_done_verifies_them(shop):
    days = dates_between(AS_OF - timedelta(days=8), AS_OF, 7)
    assert days == [date(2025, 12, 24), date(2025, 12, 31)]
    first = list(run_dates(Project(shop), days, training="never", say=silent))
    second = list(run_dates(Project(shop), days, training="never", say=silent))
    assert [outcome.unchanged for _, outcome in first] == [False, False]
    assert [outcome.unchanged for _, outcome in second] == [True, True]


def test_backfill_that_ends_before_it_begins_is_refused():
    with pytest.raises(UsageError, match="ends before it begins"):
        dates_between(AS_OF, AS_OF - timedelta(days=1), 7)


def test_second_run_is_told_process_host_and_start_of_the_first(shop, holder):
    with keepwell("run", "--project", shop, "--as-of", AS_OF) as second:
        said = second.stderr.read()
    assert second.returncode == 75
    assert f"Got process {holder.pid} on " in said
    assert ", since 20" in said
    assert len(said.splitlines()) == 1


def test_holder_that_says_who_it_is_a_moment_later_is_named_and_not_the_one_before(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    before = {"pid": ended.pid, "host": socket.gethostname(), "started_at": "2020-01-01"}
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps(before))
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        own = json.dumps(before | {"pid": os.getpid(), "started_at": "2026-01-01"})
        later = threading.Timer(0.1, lock.write_text, [own])
        later.start()
        with (
            pytest.raises(BusyError, match=f"process {os.getpid()} on .*, since 2026-01-01"),
            locked(tmp_path),
        ):
            pass
        later.join()


def test_second_run_waits_as_long_as_it_is_told(shop, holder):
    with pytest.raises(BusyError):
        again(shop, wait_seconds=0.3)
    holder.stdin.close()
    assert again(shop, wait_seconds=30).unchanged


def test_run_whose_starter_has_ended_publishes_nothing(shop):
    def gone():
        raise OrphanedError("run: the process that started it has ended.")

    with pytest.raises(OrphanedError):
        again(shop, AS_OF - timedelta(days=1), wanted=gone)
    assert not (shop / "outbox" / "as_of=2025-12-31").exists()
    assert endings(shop)[-1] == "failed"


def test_sigterm_ends_a_run_cleanly_with_143(shop):
    with keepwell("run", "--project", shop, "--as-of", "2025-12-31", "--train", "never") as running:
        while len(endings(shop)) < 2:
            assert running.poll() is None
            time.sleep(0.01)
        running.send_signal(signal.SIGTERM)
        said = running.stderr.read()
    assert running.returncode == 143
    assert "\nkeepwell: stopped by SIGTERM" in f"\n{said}"
    assert endings(shop)[-1] == "stopped"
    assert not list(shop.rglob(".unfinished-*"))


def test_champion_is_resolved_once_before_the_features(shop, monkeypatch):
    order = []
    for name in ("resolve_champions", "features", "score"):
        work = getattr(steps, name)
        monkeypatch.setattr(
            steps, name, lambda *a, _w=work, _n=name, **k: order.append(_n) or _w(*a, **k)
        )
    again(shop, AS_OF - timedelta(days=1))
    assert order == ["resolve_champions", "features", "score"]


def test_log_names_data_catalogue_models_and_what_came_out(shop):
    (first,) = json.loads(listed(shop / "state", as_json=True))
    manifest = json.loads((shop / "outbox" / "latest" / "manifest.json").read_text("utf-8"))
    assert first["run_id"] == manifest["run_id"]
    assert first["counts"]["exported"] == manifest["counts"]["exported"]
    assert first["models"] == dict.fromkeys(("churn", "stage", "level", "value"), "rule")
    assert set(first["made_of"]) >= {"data", "catalogue", "params", "models"}
    assert first["steps"].keys() >= {"ingest", "features", "score", "deliver"}
    assert "delivered" in listed(shop / "state", as_json=False)


def test_run_that_was_killed_is_shown_as_cut_off_and_its_torn_line_is_passed_over(shop):
    log = shop / "state" / "runs.jsonl"
    ran = read_runs(shop / "state")[0].model_copy(update={"id": "killed", "ending": "running"})
    log.write_text(log.read_text() + ran.model_dump_json() + "\n" + '{"id": "to')
    assert [r["ending"] for r in json.loads(listed(shop / "state", as_json=True))] == [
        "delivered",
        "cut off",
    ]
    again(shop)
    assert endings(shop) == ["delivered", "running", "unchanged"]


def test_what_a_killed_run_left_is_removed_by_the_next(shop):
    left = [shop / "state" / ".scores.parquet.123", shop / "state" / "features" / ".x.parquet.9"]
    for path in left:
        path.write_bytes(b"half")
    again(shop)
    assert [path for path in left if path.exists()] == []


def test_each_step_is_one_entry_with_rows_time_memory_date_and_run(shop):
    said = []
    again(shop, AS_OF - timedelta(days=1), say=said.append)
    steps_of = {entry.step: entry for entry in said if entry.seconds is not None}
    assert list(steps_of) == ["ingest", "champions", "features", "score", "measure", "recommend",
                              "monitor", "deliver", "run"]  # fmt: skip
    (ran,) = (r for r in read_runs(shop / "state") if r.as_of == AS_OF - timedelta(days=1))
    assert {(e.run, e.as_of, e.peak_mib > 0) for e in steps_of.values()} == {
        (ran.id, ran.as_of, True)
    }
    scored = pl.read_parquet(shop / "state" / "scores.parquet").height
    assert (steps_of["ingest"].rows_in, steps_of["ingest"].rows_out) == (0, 0)  # nothing new
    assert steps_of["features"].rows_in > steps_of["features"].rows_out == scored
    assert (steps_of["score"].rows_in, steps_of["score"].rows_out) == (scored, scored)
    assert steps_of["deliver"].rows_out == ran.counts["exported"]
    assert steps_of["run"].message == "delivered"


def test_log_as_json_is_all_of_standard_output_and_an_error_stands_apart(shop):
    words = ("run", "--train", "never", "--project", shop, "--log", "json", "--as-of")
    with keepwell(*words, AS_OF) as done:
        entries = [json.loads(line) for line in done.stdout]
        assert [(e["step"], e["level"]) for e in entries][-1] == ("run", "info")
        assert entries[-1]["message"] == "unchanged"
        assert done.stderr.read() == ""
    with keepwell(*words, "2026-07-01") as refused:
        entries = [json.loads(line) for line in refused.stdout]
        assert entries[-1]["message"] == "failed: " + refused.stderr.read()[len("keepwell: ") : -1]


def test_features_relative_to_the_population_are_not_watched_but_what_they_are_made_of(shop):
    kept = json.loads((shop / "state" / "monitor" / f"as_of={AS_OF}.json").read_text("utf-8"))
    assert {"own_median_gap_days", "value_events_365d"} <= kept["features"].keys()
    assert {"usual_gap_days", "rfm_frequency"} & kept["features"].keys() == set()


def test_run_that_fails_says_so_in_its_last_entry(shop):
    said = []
    with pytest.raises(DataError):
        again(shop, AS_OF + timedelta(days=200), say=said.append)
    assert (said[-1].step, said[-1].level) == ("run", "error")
    assert said[-1].message.startswith("failed: --as-of: after the end of the data")


def test_full_disk_is_one_line_with_its_own_code(shop, monkeypatch, capsys):
    from pipelines import cli

    def full(*_, **__):
        raise RuntimeError("wrapped") from OSError(28, "No space left on device", "/x/actions.csv")

    monkeypatch.setattr(cli, "commands", full)
    with pytest.raises(SystemExit) as ended:
        cli.app()
    assert ended.value.code == StorageError.exit_code == 74
    assert capsys.readouterr().err.startswith("keepwell: actions.csv: the disk is full.")


def test_table_that_cannot_be_written_whole_is_an_error_of_storage_wherever_it_is_cut(tmp_path):
    rows, path = pl.DataFrame({f"column_{k}": range(50) for k in range(100)}), tmp_path / "rows"
    write_frame(rows, path)
    whole, size = path.read_bytes(), path.stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    found = set()
    for most in range(1, size, size // 40):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        try:
            write_frame(rows, path)
        except (OSError, pl.exceptions.PolarsError) as error:
            found.add(str(storage_error(error)).partition(": ")[2].partition(".")[0])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)
    assert found == {
        "the file would become larger than allowed", "the disk cannot be read or written"
    }  # fmt: skip
    assert path.read_bytes() == whole


def test_lock_of_the_steps_is_held_while_one_writes(shop):
    with locked(shop / "data"), keepwell("ingest", "--project", shop) as step:
        assert "another run is writing" in step.stderr.read()
    assert step.returncode == 75
