"""The whole job for one date: ingest to deliver, training where there is no champion yet."""

import json
import time
from collections.abc import Callable
from datetime import date
from typing import Any, Literal, NamedTuple, TypeVar

from features.errors import RefusedError
from pipelines import steps
from pipelines.leftovers import leftovers, remove
from pipelines.lock import locked
from pipelines.origin import champions_named, made_of
from pipelines.project import Paths, Project
from pipelines.runs import delivered_alike, manifest_hash, recorded
from pipelines.verify import MANIFEST

STATE = "state"
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
    say: Callable[[str], None]
    wait_seconds: float
    wanted: Callable[[], None]
    fields: dict[str, Any]


def run(
    project: Project, as_of: date, *, training: Training, say: Callable[[str], None],
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
        Told one line a step.
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
        with recorded(state, as_of) as fields:
            job = Job(project, paths, as_of, training, say, wait_seconds, wanted, fields)
            fields["steps"] = {}
            return _run(job)


def _run(job: Job) -> Outcome:
    project, paths = job.project, job.paths
    counts = _step(job, "ingest", lambda: steps.ingest(project, paths, job.as_of), _ingested)
    for warning in (said for c in counts for said in c["warnings"]):
        job.say(f"ingest: warning: {warning}")
    found = _step(job, "champions", lambda: steps.resolve_champions(project, paths), _resolved)
    learn = job.training == "always" or (job.training == "auto" and not found)
    if not learn and (before := _done_already(job)):
        return before
    made = "{:,} snapshots".format
    _step(job, "features",
          lambda: steps.features(project, paths, job.as_of, learn=learn), made)  # fmt: skip
    evaluation = _learn(job) if learn else None
    made_now = made_of(project, paths, job.as_of)
    _step(job, "score", lambda: steps.score(project, paths), "{:,} customers".format)
    _step(job, "measure", lambda: steps.measure(project, paths),
          lambda m: f"{m.runs} past runs with a complete window")  # fmt: skip
    _step(job, "recommend", lambda: steps.recommend(project, paths),
          lambda d: f"{(d['outcome'] == 'exported').sum():,} actions")  # fmt: skip
    seen = _monitor(job)
    manifest = _step(job, "deliver", lambda: steps.deliver(
        project, paths, seen, wait_seconds=job.wait_seconds, wanted=job.wanted,
    ), _delivered)  # fmt: skip
    job.fields.update(_account(job, manifest), ending="delivered", made_of=made_now)
    return Outcome(manifest, evaluation, unchanged=False)


def _monitor(job: Job) -> dict[str, Any]:
    from pipelines.monitor import alarms
    from pipelines.webhook import notify

    found = _step(job, "monitor", lambda: steps.monitor(job.project, job.paths),
                  lambda seen: seen["status"])  # fmt: skip
    said = alarms(found)
    for alarm in said:
        job.say(f"monitor: {alarm}")
    if told := notify(found, job.project.catalogue.sources.business.name):
        job.say(told)
    if found["status"] == "error" and job.project.params.monitor.on_error == "refuse":
        raise RefusedError(
            f"monitor: not delivered. Got {len(said)} alarms, the first: {said[0]}. Expected no "
            f"error, because monitor.on_error is refuse. Look at `keepwell monitor`."
        )
    return found


def _step(job: Job, name: str, work: Callable[[], T], told: Callable[[T], str]) -> T:
    """Do one step, and tell of it: the one place where the steps of a run are logged."""
    job.wanted()
    start = time.monotonic()
    made = work()
    job.fields["steps"][name] = round(time.monotonic() - start, 3)
    job.say(f"{name}: {told(made)}")
    return made


def _learn(job: Job) -> dict[str, Any]:
    project, paths = job.project, job.paths
    _step(job, "labels", lambda: steps.labels(project, paths), lambda t: f"{t.height:,} rows")
    _step(job, "train", lambda: steps.train(project, paths),
          lambda t: ", ".join(t.models) or "nothing, rules take its place")  # fmt: skip
    return _step(job, "evaluate", lambda: steps.evaluate(project, paths),
                 lambda e: f"{sum(one['promoted'] for one in e.values())} champions")  # fmt: skip


def _done_already(job: Job) -> Outcome | None:
    """The delivery of an earlier run, made of the same, if none of its files was touched."""
    now = made_of(job.project, job.paths, job.as_of)
    before = delivered_alike(job.project.root / STATE, job.project.outbox, job.as_of, now)
    if before is None:
        return None
    folder = job.project.outbox / f"as_of={job.as_of.isoformat()}"
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    job.fields.update(_account(job, manifest), ending="unchanged", made_of=now)
    job.say(
        f"unchanged: delivered before of the same data, models and catalogue; "
        f"{len(manifest['files'])} files verified, nothing written"
    )
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


def _resolved(found: bool) -> str:
    return "resolved for this run" if found else "none for churn yet"


def _delivered(manifest: dict[str, Any]) -> str:
    return f"{len(manifest['files'])} files for {manifest['as_of']}"
