"""Commands that look: how good, why, and what another policy would have brought."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.commands.options import HERE, ProjectFolder, decided_project, opened_project

if TYPE_CHECKING:
    from actions.catalogue import ActionCatalogue
    from pipelines.config import Params
    from pipelines.project import Project

commands = typer.Typer()
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="A parameter to change, section.key=value; may be repeated."),
]
OtherCatalogue = Annotated[
    Path | None, typer.Option("--catalogue", help="Folder with another catalogue.")
]


@commands.command(epilog="Example: keepwell promote churn --version 3")
def promote(
    kind: Annotated[
        Literal["churn", "stage", "level", "value"], typer.Argument(help="Which model.")
    ],
    version: Annotated[str, typer.Option(help="Version [default: the challenger].")] = "",
    project: ProjectFolder = HERE,
) -> None:
    """Make a registered model the champion by hand."""
    from pipelines.steps import promote as promote_model

    typer.echo(promote_model(opened_project(project)[0], kind, version))


@commands.command(epilog="Example: keepwell backtest")
def backtest(project: ProjectFolder = HERE) -> None:
    """Judge at each past cutoff the churn model that would have been trained on that day."""
    from pipelines import steps
    from pipelines.backtest import spoken

    opened, paths = opened_project(project)
    typer.echo(spoken(steps.backtest(opened, paths), opened.params.churn))


@commands.command(epilog="Example: keepwell tune --trials 30")
def tune(
    trials: Annotated[int, typer.Option(min=1, help="Parameter sets to try.")] = 20,
    project: ProjectFolder = HERE,
) -> None:
    """Look for better parameters of the churn model on past cutoffs (extra `optuna`)."""
    from pipelines import steps
    from pipelines.tune import spoken

    typer.echo(spoken(steps.tune(*opened_project(project), trials=trials)))


@commands.command(epilog="Example: keepwell explain 1042")
def explain(
    customer: Annotated[str, typer.Argument(help="The company's own id, zeros in front included.")],
    project: ProjectFolder = HERE,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Say why a customer was scored so: history, features, reasons, what would change it."""
    from pipelines import explain as explaining

    told = explaining.explain(*decided_project(project), customer)
    typer.echo(explaining.as_json(told) if json else explaining.spoken(told))


@commands.command(epilog="Example: keepwell evaluate-policy --set recommend.budget_cents=80000")
def evaluate_policy(
    project: ProjectFolder = HERE,
    changes: Changes = None,
    catalogue: OtherCatalogue = None,
) -> None:
    """Say what other parameters or another catalogue would have brought on past decisions."""
    from pipelines.evaluate_policy import evaluate_policy, spoken

    opened, paths = decided_project(project)
    typer.echo(spoken(evaluate_policy(opened, paths, *_policy(opened, changes, catalogue))))


@commands.command(epilog="Example: keepwell what-if --set recommend.budget_cents=80000")
def what_if(
    project: ProjectFolder = HERE,
    changes: Changes = None,
    catalogue: OtherCatalogue = None,
) -> None:
    """Plan today's customers with other parameters or another catalogue, and save nothing."""
    from pipelines.whatif import spoken, what_if

    opened, paths = decided_project(project)
    typer.echo(spoken(opened, paths, *what_if(opened, paths, *_policy(opened, changes, catalogue))))


def _policy(
    project: "Project", changes: list[str] | None, catalogue: Path | None
) -> "tuple[Params, ActionCatalogue]":
    from pipelines.config import read_catalogue, read_params
    from pipelines.settings import parsed

    params = read_params(project.root / "params.yaml", parsed(changes or []))
    offered = read_catalogue(catalogue) if catalogue else project.catalogue
    return params, offered.actions
