"""The whole job for one date: ingest to deliver, training where there is no champion yet."""

import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from features.errors import RefusedError
from pipelines import steps
from pipelines.journal import Entry, Level, Rows, Say, done
from pipelines.leftovers import leftovers, remove
from pipelines.lock import locked
from pipelines.origin import champions_named, made_of
from pipelines.project import Paths, Project
from pipelines.runs import delivered_alike, failure, manifest_hash, recorded
from pipelines.tables import PARQUET, rows_of
from pipelines.verify import MANIFEST

STATE = "state"
CUSTOMERS = "customers-*.parquet"  # of a snapshot
Training = Literal["auto", "always", "never"]
T = TypeVar("T")


class Outcome(NamedTuple):
    """What a run made.

    Attributes
    ----------
    manifest : dict
    evaluation : dict or None
        Of the models, if any were trained.
    unchanged : bool
        It was a rerun: the delivery was there already, made of the same, and every file of it has
        the hash that its manifest says. Nothing was written.
    """

    manifest: dict[str, Any]
    evaluation: dict[str, Any] | None
    unchanged: bool


class Job(NamedTuple):
    """What was asked for, and what the log of runs is told."""

    project: Project
    paths: Paths
    as_of: date
    training: Training
    say: Say
    wait_seconds: float
    wanted: Callable[[], None]
    id: str
    fields: dict[str, Any]


def run(
    project: Project, as_of: date, *, training: Training, say: Say,
    wait_seconds: float = 0, wanted: Callable[[], None] = lambda: None,
) -> Outcome:  # fmt: skip
    """Run every step for one date, unless the same was delivered for it already.

    Parameters
    ----------
    project : Project
    as_of : date
    training : str
        ``auto``: only where there is no churn champion yet; ``always``; ``never``: rules take the
        place of a missing champion.
    say : callable
        Told one entry a step, remarks between them, and how the run ended.
    wait_seconds : float, default 0
        How long to wait for another run to end.
    wanted : callable
        Called before each step and before publishing; raises if nobody wants the run any more.

    Raises
    ------
    BusyError
        If another run is writing.
    """
    paths = project.paths(STATE)
    project.catalogue  # noqa: B018  (a broken configuration fails before anything is written)
    state = project.root / STATE
    with locked(state, wait_seconds=wait_seconds):
        remove(leftovers(state))
        with recorded(state, as_of) as (run_id, fields):
            job = Job(project, paths, as_of, training, say, wait_seconds, wanted, run_id, fields)
            fields["steps"] = {}
            return _told(job)


def _told(job: Job) -> Outcome:
    """Do the work, and say how it ended."""
    start = time.monotonic()
    try:
        outcome = _run(job)
    except BaseException as error:
        ended = failure(error)
        words = ": ".join(word for word in ended.values() if word)
        entry = done(job.id, job.as_of, "run", words, Rows(), time.monotonic() - start)
        job.say(entry._replace(level="error"))
        raise
    words = "unchanged" if outcome.unchanged else "delivered"
    job.say(done(job.id, job.as_of, "run", words, Rows(), time.monotonic() - start))
    return outcome


def _run(job: Job) -> Outcome:
    project, paths = job.project, job.paths
    events, snapshot = paths.tables / "events", paths.features / f"as_of={job.as_of.isoformat()}"
    counts = _step(job, "ingest", lambda: steps.ingest(project, paths, job.as_of), _ingested,
                   _new_rows)  # fmt: skip
    for warning in (said for c in counts for said in c["warnings"]):
        _remark(job, "ingest", "warning", warning)
    found = _step(job, "champions", lambda: steps.resolve_champions(project, paths), _resolved)
    learn = job.training == "always" or (job.training == "auto" and not found)
    if not learn and (before := _done_already(job)):
        return before
    _step(job, "features", lambda: steps.features(project, paths, job.as_of, learn=learn),
          "{:,} snapshots".format, _between(events, snapshot, made=CUSTOMERS))  # fmt: skip
    evaluation = _learn(job) if learn else None
    made_now = made_of(project, paths, job.as_of)
    _step(job, "score", lambda: steps.score(project, paths), "{:,} customers".format,
          _between(snapshot, paths.scores, read=CUSTOMERS))  # fmt: skip
    _step(job, "measure", lambda: steps.measure(project, paths),
          lambda m: f"{m.runs} past runs with a complete window",
          _between(events, paths.effects))  # fmt: skip
    _step(job, "recommend", lambda: steps.recommend(project, paths),
          lambda d: f"{(d['outcome'] == 'exported').sum():,} actions",
          _between(paths.scores, paths.decisions))  # fmt: skip
    seen = _monitor(job)
    manifest = _step(job, "deliver", lambda: steps.deliver(
        project, paths, seen, wait_seconds=job.wait_seconds, wanted=job.wanted,
    ), _delivered, lambda m: Rows(rows_of(paths.decisions), m["counts"]["exported"]))  # fmt: skip
    job.fields.update(_account(job, manifest), ending="delivered", made_of=made_now)
    return Outcome(manifest, evaluation, unchanged=False)


def _monitor(job: Job) -> dict[str, Any]:
    from pipelines.monitor import alarms
    from pipelines.webhook import notify

    found = _step(job, "monitor", lambda: steps.monitor(job.project, job.paths),
                  lambda seen: seen["status"],
                  lambda _: Rows(rows_of(job.paths.decisions)))  # fmt: skip
    said = alarms(found)
    for level, alarm in said:
        _remark(job, "monitor", level, alarm)
    if told := notify(found, job.project.catalogue.sources.business.name):
        _remark(job, "monitor", "info", told)
    if found["status"] == "error" and job.project.params.monitor.on_error == "refuse":
        raise RefusedError(
            f"monitor: not delivered. Got {len(said)} alarms, the first: {said[0][1]}. Expected no "
            f"error, because monitor.on_error is refuse. Look at `keepwell monitor`."
        )
    return found


def _step(
    job: Job, name: str, work: Callable[[], T], told: Callable[[T], str],
    rows: Callable[[T], Rows] = lambda _: Rows(),
) -> T:  # fmt: skip
    """Do one step, and tell of it: the one place where the steps of a run are logged."""
    job.wanted()
    start = time.monotonic()
    made = work()
    seconds = time.monotonic() - start
    job.fields["steps"][name] = round(seconds, 3)
    job.say(done(job.id, job.as_of, name, told(made), rows(made), seconds))
    return made


def _remark(job: Job, step: str, level: Level, words: str) -> None:
    job.say(Entry(job.id, job.as_of, step, words, level))


def _between(
    source: Path, target: Path, *, read: str = PARQUET, made: str = PARQUET
) -> Callable[[object], Rows]:
    """Rows of the table that a step reads, and of the one that it makes."""
    return lambda _: Rows(rows_of(source, read), rows_of(target, made))


def _learn(job: Job) -> dict[str, Any]:
    project, paths = job.project, job.paths
    labels = paths.labels
    _step(job, "labels", lambda: steps.labels(project, paths), lambda t: f"{t.height:,} rows",
          lambda t: Rows(rows_of(paths.features, f"*/{CUSTOMERS}"), t.height))  # fmt: skip
    _step(job, "train", lambda: steps.train(project, paths),
          lambda t: ", ".join(t.models) or "nothing, rules take its place",
          lambda _: Rows(rows_of(labels)))  # fmt: skip
    return _step(job, "evaluate", lambda: steps.evaluate(project, paths),
                 lambda e: f"{sum(one['promoted'] for one in e.values())} champions",
                 lambda _: Rows(rows_of(labels)))  # fmt: skip


def _done_already(job: Job) -> Outcome | None:
    """The delivery of an earlier run, made of the same, if none of its files was touched."""
    now = made_of(job.project, job.paths, job.as_of)
    before = delivered_alike(job.project.root / STATE, job.project.outbox, job.as_of, now)
    if before is None:
        return None
    folder = job.project.outbox / f"as_of={job.as_of.isoformat()}"
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    job.fields.update(_account(job, manifest), ending="unchanged", made_of=now)
    words = f"made of the same data, models and catalogue; {len(manifest['files'])} files verified"
    _remark(job, "deliver", "info", f"{words}, nothing written")
    return Outcome(manifest, None, unchanged=True)


def _account(job: Job, manifest: dict[str, Any]) -> dict[str, Any]:
    folder = job.project.outbox / f"as_of={job.as_of.isoformat()}"
    counts = {name: n for name, n in manifest["counts"].items() if isinstance(n, int)}
    return {
        "models": champions_named(job.paths.evaluation),
        "version": folder.resolve().name,
        "manifest": manifest_hash(folder),
        "run_id": manifest["run_id"],
        "counts": counts,
    }


def _ingested(counts: list[dict[str, Any]]) -> str:
    rows, new = (sum(c[name] for c in counts) for name in ("rows_in", "new_rows"))
    return f"{rows:,} rows from {len(counts)} sources, {new:,} of them new"


def _new_rows(counts: list[dict[str, Any]]) -> Rows:
    return Rows(*(sum(c[name] for c in counts) for name in ("new_rows", "new_accepted")))


def _resolved(found: bool) -> str:
    return "resolved for this run" if found else "none for churn yet"


def _delivered(manifest: dict[str, Any]) -> str:
    return f"{len(manifest['files'])} files for {manifest['as_of']}"
