"""Commands of the nightly job and of whoever looks after it."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.commands.options import (
    HERE,
    STATE,
    AsOf,
    ProjectFolder,
    date_of,
    day_of,
    opened_project,
)
from pipelines.ending import wanted_by_parent
from pipelines.journal import FORMS, Form, Say
from pipelines.lock import refuse_if_busy

commands = typer.Typer()


@commands.command(epilog="Example: keepwell run --as-of 2026-11-22")
def run(
    as_of: AsOf = "",
    project: ProjectFolder = HERE,
    train: Annotated[
        Literal["auto", "always", "never"],
        typer.Option(help="auto: only where there is no churn champion yet."),
    ] = "auto",
    backfill: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="FROM TO", help="Run every date from FROM to TO instead."),
    ] = None,
    every: Annotated[int, typer.Option(min=1, help="Days between the dates of a backfill.")] = 7,
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for another run.")] = 0,
    log: Annotated[
        Form, typer.Option(help="json: the log alone, an object a line, on standard output.")
    ] = "lines",
) -> None:
    """Do the whole job for one date, without git or DVC: ingest to deliver."""
    wanted = wanted_by_parent()
    if not wait:
        refuse_if_busy(project / STATE)
    from pipelines.backfill import dates_between, run_dates
    from pipelines.summary import ended

    opened, _ = opened_project(project)
    dates = [day_of(opened, as_of)]
    if backfill:
        first, last = (date_of(text, "--backfill") for text in backfill)
        dates = dates_between(first, last, every)
    for day, outcome in run_dates(
        opened, dates, training=train, say=_say(log), wait_seconds=wait, wanted=wanted
    ):
        if log == "lines":
            typer.echo("\n" + ended(opened, day, outcome, brief=backfill is not None))


@commands.command(epilog="Example: keepwell runs --json")
def runs(
    project: ProjectFolder = HERE,
    json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False,
) -> None:
    """List what ran, when, with what data, catalogue and model, and what came out."""
    from pipelines.runs import listed

    typer.echo(listed(project / STATE, as_json=json))


@commands.command(epilog="Example: keepwell doctor --fix")
def doctor(
    project: ProjectFolder = HERE,
    fix: Annotated[
        bool, typer.Option("--fix", help="Also remove what may be removed; nothing is without it.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False,
) -> None:
    """Find what would stop a run, and name the one command that mends each."""
    from pipelines.doctor import diagnosis

    text, code = diagnosis(project, fix=fix, as_json=json)
    typer.echo(text)
    raise typer.Exit(code)


@commands.command(epilog="Example: keepwell monitor || notify-somebody")
def monitor(
    project: ProjectFolder = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False,
) -> None:
    """Say what the last run found unusual; exit 10 with a warning, 11 with an error."""
    from pipelines.monitor import exit_code, read_monitor, spoken
    from pipelines.project import Project

    found = read_monitor(Project(project).paths(STATE).monitor)
    typer.echo(json.dumps(found, indent=1) if as_json else spoken(found))
    raise typer.Exit(exit_code(found))


@commands.command(epilog="Example: keepwell forget - < id.txt")
def forget(
    customer: Annotated[str, typer.Argument(help="The customer's id; - reads it from input.")],
    project: ProjectFolder = HERE,
) -> None:
    """Take a person out of every table, file, cache and log, for good, and prove it.

    With - the id stands in no history of a shell and in no list of processes.
    """
    from pipelines.forget import forget, spoken

    own = sys.stdin.readline().strip() if customer == "-" else customer
    opened, _ = opened_project(project)
    typer.echo(spoken(forget(opened, own, date.today())))  # noqa: DTZ011


@commands.command(epilog="Example: keepwell verify outbox/latest")
def verify(
    folder: Annotated[Path, typer.Argument(help="A delivered folder.")],
) -> None:
    """Prove that a delivered folder is what its run wrote, by the manifest's hashes."""
    from pipelines.verify import verify as verify_folder

    typer.echo(f"ok: {verify_folder(folder)} files are as the run wrote them")


@commands.command(
    "check-export", epilog="Example: keepwell check-export outbox/latest/braze.csv --platform braze"
)
def check_export(
    file: Annotated[Path, typer.Argument(help="File to be imported.")],
    platform: Annotated[str, typer.Option(help="Id in catalogue/platforms.yaml.")],
    project: ProjectFolder = HERE,
    today: Annotated[str, typer.Option(help="Times after it are wrong [default: today].")] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON list, for machines.")] = False,
) -> None:
    """Say what a marketing platform would refuse an import file for, whoever wrote it."""
    from pipelines.project import Project
    from pipelines.verify import verdict

    day = date_of(today, "--today") if today else date.today()  # noqa: DTZ011
    platforms = Project(project).catalogue.platforms
    text, code = verdict(file, platform, platforms, day, as_json=json)
    typer.echo(text)
    raise typer.Exit(code)


def _say(form: Form) -> Say:
    return lambda entry: typer.echo(FORMS[form](entry), err=form == "lines")
