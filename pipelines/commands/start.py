"""Commands for the first hour: the demo, your own files, a made-up company."""

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from features.errors import UsageError
from pipelines.commands.options import HERE, ProjectFolder, date_of, opened_project

if TYPE_CHECKING:
    from pipelines.init import Terminal

commands = typer.Typer()


@commands.command(epilog="Example: keepwell demo")
def demo(project: ProjectFolder = HERE) -> None:
    """Run the whole job on real data: The Complete Journey, a US grocer's 2,469 households."""
    from pipelines.repro import reproduce
    from pipelines.summary import summary

    reproduce(project)
    typer.echo("\n" + summary(*opened_project(project)))


@commands.command(epilog="Example: keepwell init --events orders.csv")
def init(
    events: Annotated[list[Path], typer.Option("--events", help="File of events; repeatable.")],
    customers: Annotated[list[Path], typer.Option("--customers", help="File of people.")] = [],  # noqa: B006
    consents: Annotated[list[Path], typer.Option("--consents", help="File of consents.")] = [],  # noqa: B006
    column: Annotated[list[str], typer.Option("--column", help="TARGET=NAME of a column.")] = [],  # noqa: B006
    project: ProjectFolder = HERE,
    timezone: Annotated[str, typer.Option(help="IANA zone [default: as the data say].")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217 code [default: as the data say].")] = "",
    horizon: Annotated[int, typer.Option(min=0, help="Churn horizon [days].")] = 0,
    dates: Annotated[
        Literal["auto", "dmy", "mdy"], typer.Option(help="Order of dates like 03/04/2024.")
    ] = "auto",
    yes: Annotated[bool, typer.Option("--yes", help="Take every proposal; for scripts.")] = False,
) -> None:
    """Make a folder your own project: look at your files, propose how to read them, and ask."""
    from pipelines.init import columns_said, initialise
    from pipelines.onboarding.proposal import Wishes

    wishes = Wishes(
        events=events,
        customers=customers,
        consents=consents,
        timezone=timezone or None,
        currency=currency or None,
        horizon_days=horizon or None,
        day_first=None if dates == "auto" else dates == "dmy",
        columns=columns_said(column),
    )
    initialise(wishes, project, _terminal(asking=not yes))


@commands.command(epilog="Example: keepwell simulate --customers 3000 --seed 7 --out simulated")
def simulate(
    out: Annotated[Path, typer.Option(help="Folder to write; must not exist.")],
    customers: Annotated[int, typer.Option(min=1, help="How many are ever known.")] = 3000,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same company.")] = 0,
    until: Annotated[str, typer.Option(help="The day after the last event.")] = "2026-01-01",
    days: Annotated[int, typer.Option(min=60, help="Days of history.")] = 730,
    project: ProjectFolder = HERE,
) -> None:
    """Write a project folder of a made-up company, to try things where the truth is known."""
    from pipelines.simulate import simulate_project

    day = date_of(until, "--until")
    typer.echo(simulate_project(project, out, customers=customers, seed=seed, until=day, days=days))


@commands.command(epilog="Example: keepwell respond simulated/outbox/as_of=2026-01-01")
def respond(
    delivered: Annotated[Path, typer.Argument(help="A delivered folder of a simulated project.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="Days to play on.")] = 30,
) -> None:
    """Let a made-up company answer a delivery: sends, sales and silence of the next days."""
    from pipelines.simulate import respond_to

    typer.echo(respond_to(delivered, days))


@commands.command(epilog="Example: keepwell check")
def check(project: ProjectFolder = HERE) -> None:
    """Check params.yaml and the catalogue: every key, id and feature that they name."""
    from pipelines.project import Project

    catalogue = Project(project).catalogue
    typer.echo(
        f"ok: {len(catalogue.sources.sources)} sources, {len(catalogue.taxonomy.events)} event "
        f"types, {len(catalogue.actions.actions)} actions"
    )


def _terminal(*, asking: bool) -> "Terminal":
    from pipelines.init import Terminal

    seen = sys.stdout.isatty()
    if asking and not (seen and sys.stdin.isatty()):
        raise UsageError("init: asks on a terminal only. Add --yes to take every proposal.")
    width = shutil.get_terminal_size((100, 24)).columns
    ask = _ask if asking else None
    return Terminal(typer.echo, ask, width, seen and "NO_COLOR" not in os.environ)


def _ask(question: str, proposed: str) -> str:
    return str(typer.prompt(question, default=proposed))
