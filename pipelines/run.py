"""The whole job for one date: ingest to deliver, training where there is no champion yet."""

from collections.abc import Callable
from datetime import date
from typing import Any, Literal, NamedTuple

from features.errors import RefusedError
from pipelines import steps
from pipelines.lock import locked
from pipelines.monitor import alarms
from pipelines.project import Project
from pipelines.webhook import notify

STATE = "state"
Training = Literal["auto", "always", "never"]


class Outcome(NamedTuple):
    """What a run made."""

    manifest: dict[str, Any]
    evaluation: dict[str, Any] | None


def run(
    project: Project, as_of: date, *, training: Training, say: Callable[[str], None]
) -> Outcome:
    """Run every step for one date.

    Parameters
    ----------
    project : Project
    as_of : date
    training : str
        ``auto``: only where there is no churn champion yet; ``always``; ``never``: rules take the
        place of a missing champion.
    say : callable
        Told one line a step.
    """
    paths = project.paths(STATE)
    project.catalogue  # noqa: B018  (a broken configuration fails before anything is written)
    with locked(project.root / STATE):
        counts = steps.ingest(project, paths, as_of)
        new = sum(c["new_rows"] for c in counts)
        total = sum(c["rows_in"] for c in counts)
        say(f"ingest: {total:,} rows from {len(counts)} sources, {new:,} of them new")
        for warning in (said for c in counts for said in c["warnings"]):
            say(f"ingest: warning: {warning}")
        found = steps.resolve_champions(project, paths)
        learn = training == "always" or (training == "auto" and not found)
        made = steps.features(project, paths, as_of, learn=learn)
        say(f"features: {made} snapshots")
        evaluation = _learn(project, paths, say) if learn else None
        say(f"score: {steps.score(project, paths):,} customers")
        say(f"measure: {steps.measure(project, paths).runs} past runs with a complete window")
        decisions = steps.recommend(project, paths)
        say(f"recommend: {(decisions['outcome'] == 'exported').sum():,} actions")
        found = _monitor(project, paths, say)
        return Outcome(steps.deliver(project, paths, found), evaluation)


def _monitor(project: Project, paths: steps.Paths, say: Callable[[str], None]) -> dict[str, Any]:
    found = steps.monitor(project, paths)
    said = alarms(found)
    say(f"monitor: {found['status']}")
    for alarm in said:
        say(f"monitor: {alarm}")
    if told := notify(found, project.catalogue.sources.business.name):
        say(told)
    if found["status"] == "error" and project.params.monitor.on_error == "refuse":
        raise RefusedError(
            f"monitor: not delivered. Got {len(said)} alarms, the first: {said[0]}. Expected no "
            f"error, because monitor.on_error is refuse. Look at `keepwell monitor`."
        )
    return found


def _learn(project: Project, paths: steps.Paths, say: Callable[[str], None]) -> dict[str, Any]:
    say(f"labels: {steps.labels(project, paths).height:,} rows")
    trained = steps.train(project, paths)
    say(f"train: {', '.join(trained.models) or 'nothing, rules take its place'}")
    return steps.evaluate(project, paths)
