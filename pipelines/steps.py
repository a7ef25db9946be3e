"""The steps bound to a project: each gets its own sections of the configuration."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from features.time import snapshot_dates
from pipelines import backtest as backtesting
from pipelines import champions as resolving
from pipelines import deliver as delivering
from pipelines import evaluate as evaluating
from pipelines import features as featuring
from pipelines import ingest as ingesting
from pipelines import labels as labelling
from pipelines import measure as measuring
from pipelines import monitor as monitoring
from pipelines import recommend as recommending
from pipelines import score as scoring
from pipelines import tracking
from pipelines import train as training
from pipelines import tune as tuning
from pipelines.intake.contracts import check_freshness
from pipelines.intake.quarantine import described, read_quarantine
from pipelines.project import Paths, Project


def ingest(
    project: Project,
    paths: Paths,
    as_of: date | None = None,
    say: Callable[[int], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Sources -> tables, with an account of every row; `say` is told the rows of each chunk."""
    catalogue, params = project.catalogue, project.params
    accounting = ingesting.ingest(
        project.root,
        paths.tables,
        catalogue.sources,
        catalogue.taxonomy,
        params.features.rows_per_bucket,
        say,
        catalogue.forgotten,
    )
    day = as_of or params.run.as_of
    for warning in check_freshness(accounting, catalogue.sources.sources, day):
        name = warning.partition(":")[0]
        next(a for a in accounting if a["source"] == name)["warnings"].append(warning)
    return accounting


def quarantine(paths: Paths, source: str, reason: str) -> str:
    """Counts and examples of the rows that ingest rejected."""
    return described(read_quarantine(paths.tables), source=source, reason=reason)


def features(project: Project, paths: Paths, as_of: date, *, learn: bool = True) -> int:
    """Tables -> snapshots; with `learn`, also those of the past cutoffs. Returns their number."""
    params = project.params
    cutoffs = featuring.plan(
        paths.tables, as_of, params.churn, params.cutoffs, params.run.max_staleness_days
    )
    if not learn:
        cutoffs = cutoffs.model_copy(update={"train": [], "test": None})
    dates = snapshot_dates(cutoffs, params.churn)
    made_of = (
        paths.tables, paths.daily, paths.features, dates, project.definitions,
        project.catalogue.standing, as_of,
    )  # fmt: skip
    if params.engine == "spark":
        from pipelines import spark, spark_features

        with spark.session(params.spark) as session:
            spark_features.build_features(session, *made_of)
    else:
        featuring.build_features(*made_of)
    featuring.write_cutoffs(paths.features, cutoffs)
    return len(dates)


def labels(project: Project, paths: Paths) -> pl.DataFrame:
    """Snapshots -> labels of the past cutoffs."""
    return labelling.build_labels(paths.features, paths.daily, paths.labels, project.params.churn)


def train(project: Project, paths: Paths) -> training.Training:
    """Features and labels -> models, not yet judged."""
    params = project.params
    return training.train(
        paths.features, paths.labels, paths.models, params=params.train,
        definitions=project.definitions, churn=params.churn, seed=params.run.seed,
    )  # fmt: skip


def evaluate(project: Project, paths: Paths) -> dict[str, Any]:
    """Models -> judged, tracked, registered, perhaps promoted."""
    params = project.params
    return evaluating.evaluate(
        paths.features, paths.daily, paths.labels, paths.models, paths.evaluation, paths.reports,
        params=params.gate, definitions=project.definitions, tracking_params=params.tracking,
        seed=params.run.seed, root=project.root,
    )  # fmt: skip


def backtest(project: Project, paths: Paths) -> list[dict[str, Any]]:
    """Features and labels -> the churn model beside the dull rules at every past cutoff."""
    return backtesting.backtest(
        paths.features, paths.labels, paths.reports, made=_made_with(project), root=project.root
    )


def tune(project: Project, paths: Paths, trials: int) -> dict[str, Any]:
    """Features and labels -> parameters of the churn model that would have done better."""
    out = paths.reports / "tuned.json"
    made = _made_with(project)
    return tuning.tune(paths.features, paths.labels, out, made=made, trials=trials)


def _made_with(project: Project) -> backtesting.Backtest:
    params = project.params
    return backtesting.Backtest(
        project.definitions, params.churn, params.train, params.gate, params.tracking,
        params.run.seed,
    )  # fmt: skip


def resolve_champions(project: Project, paths: Paths) -> bool:
    """Which versions are champions now; whether there is one for churn."""
    return resolving.resolve_champions(paths.evaluation, project.params.tracking, project.root)


def score(project: Project, paths: Paths) -> int:
    """Snapshot and champions -> scores; returns how many customers were scored."""
    params = project.params
    files = (paths.features, paths.daily, paths.evaluation / resolving.CHAMPIONS, paths.scores)
    made_of: dict[str, Any] = {
        "definitions": project.definitions, "standing": project.catalogue.standing,
        "churn": params.churn, "tracking_params": params.tracking, "root": project.root,
    }  # fmt: skip
    if params.engine == "polars":
        return scoring.build_scores(*files, **made_of).height
    from pipelines import spark, spark_scores

    with spark.session(params.spark) as session:
        return spark_scores.build_scores(session, *files, **made_of)


def measure(project: Project, paths: Paths) -> measuring.Measured:
    """Past decisions and what followed -> what the actions changed, and beliefs about them."""
    return measuring.measure_effects(
        paths.tables, paths.features, paths.effects, paths.measurement, outbox=project.outbox,
        catalogue=project.catalogue.actions, params=project.params.measure,
    )  # fmt: skip


def recommend(project: Project, paths: Paths) -> pl.DataFrame:
    """Scores -> one decision for everybody."""
    catalogue = project.catalogue
    return recommending.build_decisions(
        paths.tables, paths.features, paths.scores, paths.effects, paths.measurement,
        paths.decisions, paths.plan, outbox=project.outbox, catalogue=catalogue.actions,
        catalogue_hash=catalogue.sha256, params=project.params.recommend,
        churn=project.params.churn,
    )  # fmt: skip


def monitor(project: Project, paths: Paths) -> dict[str, Any]:
    """Sources, distributions, past predictions and the plan -> what is unusual."""
    return monitoring.monitor(
        paths.tables, paths.features, paths.scores, paths.decisions, paths.monitor,
        outbox=project.outbox, catalogue=project.catalogue.actions,
        params=project.params.monitor, budget_cents=project.params.recommend.budget_cents,
    )  # fmt: skip


def deliver(project: Project, paths: Paths, found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Decisions -> the published folder; returns its manifest."""
    return delivering.deliver(
        paths.tables, paths.features, paths.scores, paths.decisions, paths.effects, paths.plan,
        paths.measurement, paths.evaluation, outbox=project.outbox, receipt=paths.receipt,
        catalogue=project.catalogue, params=project.params, found=found,
    )  # fmt: skip


def promote(project: Project, kind: str, version: str) -> str:
    """Make a registered version, by default the challenger, the champion; says what it did."""
    params = project.params.tracking
    mlflow = tracking.open_store(params, project.root)
    name = f"{params.experiment}-{kind}"
    chosen = tracking.find(mlflow, name, version)
    tracking.promote(mlflow, chosen)
    return f"{name} version {chosen.version} is champion"
