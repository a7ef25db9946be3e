"""The steps of the job, one command each, as `dvc.yaml` calls them."""

from typing import Annotated

import typer

from pipelines.commands.options import (
    DATA,
    HERE,
    STATE,
    AsOf,
    ProjectFolder,
    day_of,
    decided_project,
    opened_project,
    writing,
)
from pipelines.ending import wanted_by_parent

commands = typer.Typer()


@commands.command(epilog="Example: keepwell ingest")
def ingest(project: ProjectFolder = HERE) -> None:
    """Step 1: read the sources, quarantine what is wrong, account for every row."""
    from pipelines import steps
    from pipelines.progress import rows_a_second
    from pipelines.summary import accounted

    with writing(*opened_project(project)) as opened, rows_a_second() as say:
        counts = steps.ingest(*opened, say=say)
    typer.echo(accounted(counts))


@commands.command(epilog="Example: keepwell quarantine --reason bad_time")
def quarantine(
    project: ProjectFolder = HERE,
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    reason: Annotated[str, typer.Option(help="Only for this reason.")] = "",
    state: Annotated[
        bool, typer.Option("--nightly", help="Of `keepwell run`'s tables, not of dvc repro's.")
    ] = False,
) -> None:
    """Show the rows that ingest rejected: counts and examples by reason."""
    from pipelines import steps
    from pipelines.project import Project

    paths = Project(project).paths(STATE if state else DATA)
    typer.echo(steps.quarantine(paths, source, reason))


@commands.command(epilog="Example: keepwell features --as-of 2018-01-01")
def features(
    as_of: AsOf = "",
    project: ProjectFolder = HERE,
    names: Annotated[bool, typer.Option("--list", help="Only list the features.")] = False,
) -> None:
    """Step 2: make features, stage, level and activity as of each date."""
    from pipelines import steps
    from pipelines.documents import feature_lines

    opened, paths = opened_project(project)
    if names:
        typer.echo(feature_lines(opened.definitions))
        return
    with writing(opened, paths):
        typer.echo(f"{steps.features(opened, paths, day_of(opened, as_of))} snapshots")


@commands.command(epilog="Example: keepwell labels")
def labels(project: ProjectFolder = HERE) -> None:
    """Step 3: look up what happened after each past cutoff."""
    from pipelines import steps

    with writing(*opened_project(project)) as opened:
        typer.echo(f"{steps.labels(*opened).height:,} labels")


@commands.command(epilog="Example: keepwell train")
def train(project: ProjectFolder = HERE) -> None:
    """Step 4: fit the churn, next-stage, next-level and value models."""
    from pipelines import steps

    with writing(*opened_project(project)) as opened:
        made = steps.train(*opened)
    for kind in made.models:
        typer.echo(f"{kind}: trained")
    for kind, why in made.why_not.items():
        typer.echo(f"{kind}: not trained, {why}")


@commands.command(epilog="Example: keepwell evaluate")
def evaluate(project: ProjectFolder = HERE) -> None:
    """Step 5: judge the models out of time, track them in MLflow, promote what may be."""
    from pipelines import steps
    from pipelines.summary import verdicts

    with writing(*opened_project(project)) as opened:
        typer.echo(verdicts(steps.evaluate(*opened)))


@commands.command(epilog="Example: keepwell score")
def score(project: ProjectFolder = HERE) -> None:
    """Step 6: score everybody with the champions, or with rules in their place."""
    from pipelines import steps

    with writing(*opened_project(project)) as opened:
        typer.echo(f"{steps.score(*opened):,} customers scored")


@commands.command(epilog="Example: keepwell measure")
def measure(project: ProjectFolder = HERE) -> None:
    """Step 7: say what past actions changed, beside the holdout, and learn from it."""
    from pipelines import steps
    from pipelines.measure import spoken

    with writing(*decided_project(project)) as opened:
        typer.echo(spoken(steps.measure(*opened)))


@commands.command(epilog="Example: keepwell recommend")
def recommend(project: ProjectFolder = HERE) -> None:
    """Step 8: decide on one action or none for everybody."""
    from pipelines import steps

    with writing(*opened_project(project)) as opened:
        decisions = steps.recommend(*opened)
    counts = dict(decisions.group_by("outcome").len().sort("outcome").iter_rows())
    typer.echo(", ".join(f"{name} {number:,}" for name, number in counts.items()))


@commands.command(epilog="Example: keepwell deliver")
def deliver(project: ProjectFolder = HERE) -> None:
    """Step 9: publish the action file, the report and the manifest to outbox/."""
    wanted = wanted_by_parent()
    from pipelines import steps

    with writing(*opened_project(project)) as opened:
        manifest = steps.deliver(*opened, wanted=wanted)
    typer.echo(f"outbox/as_of={manifest['as_of']}")
