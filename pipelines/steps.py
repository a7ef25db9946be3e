"""The steps bound to a project: each gets its own sections of the configuration.

What trains, scores, decides and delivers is imported by the step that does it: a rerun that finds
everything done already needs none of it, and is over in a second.
"""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from features.definitions import all_features
from features.time import snapshot_dates
from pipelines import champions as resolving
from pipelines import features as featuring
from pipelines import ingest as ingesting
from pipelines import tracking
from pipelines.intake.contracts import check_freshness
from pipelines.intake.quarantine import described, read_quarantine
from pipelines.project import Paths, Project

if TYPE_CHECKING:
    from pipelines.backtest import Backtest
    from pipelines.measure import Measured
    from pipelines.train import Training


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
        project.catalogue.standing, as_of, featuring.read_own_stages(paths.tables, params.stages),
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
    from pipelines import labels as labelling

    return labelling.build_labels(paths.features, paths.daily, paths.labels, project.params.churn)


def train(project: Project, paths: Paths) -> "Training":
    """Features and labels -> models, not yet judged."""
    from pipelines import train as training

    params = project.params
    return training.train(
        paths.features, paths.labels, paths.models, params=params.train, value=params.value,
        definitions=project.definitions, churn=params.churn, seed=params.run.seed,
    )  # fmt: skip


def evaluate(project: Project, paths: Paths) -> dict[str, Any]:
    """Models -> judged, tracked, registered, perhaps promoted."""
    from pipelines import evaluate as evaluating

    params = project.params
    return evaluating.evaluate(
        paths.features, paths.daily, paths.labels, paths.models, paths.evaluation, paths.reports,
        params=params.gate, definitions=project.definitions, tracking_params=params.tracking,
        seed=params.run.seed, root=project.root,
    )  # fmt: skip


def backtest(project: Project, paths: Paths) -> list[dict[str, Any]]:
    """Features and labels -> the churn model beside the dull rules at every past cutoff."""
    from pipelines import backtest as backtesting

    return backtesting.backtest(
        paths.features, paths.labels, paths.reports, made=_made_with(project), root=project.root
    )


def tune(project: Project, paths: Paths, trials: int) -> dict[str, Any]:
    """Features and labels -> parameters of the churn model that would have done better."""
    from pipelines import tune as tuning

    out = paths.reports / "tuned.json"
    made = _made_with(project)
    return tuning.tune(paths.features, paths.labels, out, made=made, trials=trials)


def _made_with(project: Project) -> "Backtest":
    from pipelines.backtest import Backtest

    params = project.params
    return Backtest(
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
        "churn": params.churn, "margin_rate": params.recommend.margin_rate,
        "tracking_params": params.tracking, "root": project.root,
    }  # fmt: skip
    if params.engine == "polars":
        from pipelines import score as scoring

        return scoring.build_scores(*files, **made_of).height
    from pipelines import spark, spark_scores

    with spark.session(params.spark) as session:
        return spark_scores.build_scores(session, *files, **made_of)


def measure(project: Project, paths: Paths) -> "Measured":
    """Past decisions and what followed -> what the actions changed, and beliefs about them."""
    from pipelines import measure as measuring

    return measuring.measure_effects(
        paths.tables, paths.features, paths.scores, paths.effects, paths.measurement,
        outbox=project.outbox, catalogue=project.catalogue.actions, params=project.params.measure,
        kept_value_days=project.params.recommend.kept_value_days,
    )  # fmt: skip


def recommend(project: Project, paths: Paths) -> pl.DataFrame:
    """Scores -> one decision for everybody."""
    from pipelines import recommend as recommending

    catalogue, params = project.catalogue, project.params
    decisions = recommending.build_decisions(
        paths.tables, paths.features, paths.scores, paths.effects, paths.measurement,
        paths.decisions, paths.plan, outbox=project.outbox, catalogue=catalogue.actions,
        catalogue_hash=catalogue.sha256, params=params.recommend, churn=params.churn,
    )  # fmt: skip
    recommending.track(paths.plan, decisions["as_of"][0], params.tracking, project.root)
    return decisions


def monitor(project: Project, paths: Paths) -> dict[str, Any]:
    """Sources, distributions, past predictions and the plan -> what is unusual."""
    from pipelines import monitor as monitoring

    return monitoring.monitor(
        paths.tables, paths.features, paths.scores, paths.decisions, paths.monitor,
        outbox=project.outbox, catalogue=project.catalogue.actions,
        params=project.params.monitor, budget_cents=project.params.recommend.budget_cents,
        relative=[f.name for f in all_features(project.definitions) if f.layer == "population"],
    )  # fmt: skip


def deliver(
    project: Project,
    paths: Paths,
    found: dict[str, Any] | None = None,
    *,
    wait_seconds: float = 0,
    wanted: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Decisions -> the published folder; returns its manifest. See `publish` for the options."""
    from pipelines import deliver as delivering

    return delivering.deliver(
        paths.tables, paths.features, paths.scores, paths.decisions, paths.effects, paths.plan,
        paths.measurement, paths.evaluation, outbox=project.outbox, receipt=paths.receipt,
        catalogue=project.catalogue, params=project.params, found=found,
        wait_seconds=wait_seconds, wanted=wanted,
    )  # fmt: skip


def promote(project: Project, kind: str, version: str) -> str:
    """Make a registered version, by default the challenger, the champion; says what it did."""
    params = project.params.tracking
    mlflow = tracking.open_store(params, project.root)
    name = f"{params.experiment}-{kind}"
    chosen = tracking.find(mlflow, name, version)
    tracking.promote(mlflow, chosen)
    return f"{name} version {chosen.version} is champion"
