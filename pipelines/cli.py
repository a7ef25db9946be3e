"""The command line: reads arguments, calls one function, prints what it returns.

Heavy libraries are imported inside the commands, so that ``keepwell --help`` answers at once.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from features.errors import KeepwellError, UsageError, one_line
from pipelines.ending import stop_cleanly_on_sigterm, storage_error, wanted_by_parent
from pipelines.lock import locked, refuse_if_busy

if TYPE_CHECKING:
    from actions.catalogue import ActionCatalogue
    from pipelines.config import Params
    from pipelines.init import Terminal
    from pipelines.project import Paths, Project

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DVC_NO_ANALYTICS="1")
# Polars' allocator: threads reuse one arena, which saves a quarter of the features' CPU time.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:10000")

commands = typer.Typer(
    name="keepwell",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Which stage each customer is in, who is about to leave, and what to do about it.",
    epilog="Example: keepwell demo",
)
DATA, STATE = "data", "state"
ProjectFolder = Annotated[
    Path, typer.Option("--project", help="Folder with params.yaml and catalogue/.")
]
AsOf = Annotated[
    str, typer.Option("--as-of", help="First day that may not be seen [default: run.as_of].")
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", help="A parameter to change, section.key=value; may be repeated."),
]
OtherCatalogue = Annotated[
    Path | None, typer.Option("--catalogue", help="Folder with another catalogue.")
]
HERE = Path()


def app() -> None:
    """Entry point: an error that a user can mend is one line and a stable exit code."""
    os.umask(0o077)
    stop_cleanly_on_sigterm()
    try:
        commands()
    except Exception as error:
        told = error if isinstance(error, KeepwellError) else storage_error(error)
        if told is None:
            raise
        typer.echo(f"keepwell: {one_line(str(told))}", err=True)
        sys.exit(told.exit_code)


@commands.command(epilog="Example: keepwell demo")
def demo(project: ProjectFolder = HERE) -> None:
    """Run the whole job on real data: The Complete Journey, a US grocer's 2,469 households."""
    from pipelines.repro import reproduce
    from pipelines.summary import summary

    reproduce(project)
    typer.echo("\n" + summary(*_opened(project)))


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

    day = _date(until, "--until")
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
) -> None:
    """Do the whole job for one date, without git or DVC: ingest to deliver."""
    wanted = wanted_by_parent()
    if not wait:
        refuse_if_busy(project / STATE)
    from pipelines.backfill import dates_between, run_dates
    from pipelines.summary import ended

    opened, _ = _opened(project)
    dates = [_day(opened, as_of)]
    if backfill:
        first, last = (_date(text, "--backfill") for text in backfill)
        dates = dates_between(first, last, every)
    for day, outcome in run_dates(
        opened, dates, training=train, say=_say, wait_seconds=wait, wanted=wanted
    ):
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

    typer.echo(promote_model(_opened(project)[0], kind, version))


@commands.command(epilog="Example: keepwell ingest")
def ingest(project: ProjectFolder = HERE) -> None:
    """Step 1: read the sources, quarantine what is wrong, account for every row."""
    from pipelines import steps
    from pipelines.progress import rows_a_second
    from pipelines.summary import accounted

    with _writing(*_opened(project)) as opened, rows_a_second() as say:
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

    opened, paths = _opened(project)
    if names:
        typer.echo(feature_lines(opened.definitions))
        return
    with _writing(opened, paths):
        typer.echo(f"{steps.features(opened, paths, _day(opened, as_of))} snapshots")


@commands.command(epilog="Example: keepwell labels")
def labels(project: ProjectFolder = HERE) -> None:
    """Step 3: look up what happened after each past cutoff."""
    from pipelines import steps

    with _writing(*_opened(project)) as opened:
        typer.echo(f"{steps.labels(*opened).height:,} labels")


@commands.command(epilog="Example: keepwell train")
def train(project: ProjectFolder = HERE) -> None:
    """Step 4: fit the churn, next-stage, next-level and value models."""
    from pipelines import steps

    with _writing(*_opened(project)) as opened:
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

    with _writing(*_opened(project)) as opened:
        typer.echo(verdicts(steps.evaluate(*opened)))


@commands.command(epilog="Example: keepwell backtest")
def backtest(project: ProjectFolder = HERE) -> None:
    """Judge at each past cutoff the churn model that would have been trained on that day."""
    from pipelines import steps
    from pipelines.backtest import spoken

    opened, paths = _opened(project)
    typer.echo(spoken(steps.backtest(opened, paths), opened.params.churn))


@commands.command(epilog="Example: keepwell tune --trials 30")
def tune(
    trials: Annotated[int, typer.Option(min=1, help="Parameter sets to try.")] = 20,
    project: ProjectFolder = HERE,
) -> None:
    """Look for better parameters of the churn model on past cutoffs (extra `optuna`)."""
    from pipelines import steps
    from pipelines.tune import spoken

    typer.echo(spoken(steps.tune(*_opened(project), trials=trials)))


@commands.command(epilog="Example: keepwell score")
def score(project: ProjectFolder = HERE) -> None:
    """Step 6: score everybody with the champions, or with rules in their place."""
    from pipelines import steps

    with _writing(*_opened(project)) as opened:
        typer.echo(f"{steps.score(*opened):,} customers scored")


@commands.command(epilog="Example: keepwell explain 1042")
def explain(
    customer: Annotated[str, typer.Argument(help="The company's own id, zeros in front included.")],
    project: ProjectFolder = HERE,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Say why a customer was scored so: history, features, reasons, what would change it."""
    from pipelines import explain as explaining

    told = explaining.explain(*_decided(project), customer)
    typer.echo(explaining.as_json(told) if json else explaining.spoken(told))


@commands.command(epilog="Example: keepwell measure")
def measure(project: ProjectFolder = HERE) -> None:
    """Step 7: say what past actions changed, beside the holdout, and learn from it."""
    from pipelines import steps
    from pipelines.measure import spoken

    with _writing(*_decided(project)) as opened:
        typer.echo(spoken(steps.measure(*opened)))


@commands.command(epilog="Example: keepwell evaluate-policy --set recommend.budget_cents=80000")
def evaluate_policy(
    project: ProjectFolder = HERE,
    changes: Changes = None,
    catalogue: OtherCatalogue = None,
) -> None:
    """Say what other parameters or another catalogue would have brought on past decisions."""
    from pipelines.evaluate_policy import evaluate_policy, spoken

    opened, paths = _decided(project)
    typer.echo(spoken(evaluate_policy(opened, paths, *_policy(opened, changes, catalogue))))


@commands.command(epilog="Example: keepwell what-if --set recommend.budget_cents=80000")
def what_if(
    project: ProjectFolder = HERE,
    changes: Changes = None,
    catalogue: OtherCatalogue = None,
) -> None:
    """Plan today's customers with other parameters or another catalogue, and save nothing."""
    from pipelines.whatif import spoken, what_if

    opened, paths = _decided(project)
    typer.echo(spoken(opened, paths, *what_if(opened, paths, *_policy(opened, changes, catalogue))))


@commands.command(epilog="Example: keepwell recommend")
def recommend(project: ProjectFolder = HERE) -> None:
    """Step 8: decide on one action or none for everybody."""
    from pipelines import steps

    with _writing(*_opened(project)) as opened:
        decisions = steps.recommend(*opened)
    counts = dict(decisions.group_by("outcome").len().sort("outcome").iter_rows())
    typer.echo(", ".join(f"{name} {number:,}" for name, number in counts.items()))


@commands.command(epilog="Example: keepwell deliver")
def deliver(project: ProjectFolder = HERE) -> None:
    """Step 9: publish the action file, the report and the manifest to outbox/."""
    wanted = wanted_by_parent()
    from pipelines import steps

    with _writing(*_opened(project)) as opened:
        manifest = steps.deliver(*opened, wanted=wanted)
    typer.echo(f"outbox/as_of={manifest['as_of']}")


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
    opened, _ = _opened(project)
    typer.echo(spoken(forget(opened, own, date.today())))  # noqa: DTZ011


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

    day = _date(today, "--today") if today else date.today()  # noqa: DTZ011
    platforms = Project(project).catalogue.platforms
    text, code = verdict(file, platform, platforms, day, as_json=json)
    typer.echo(text)
    raise typer.Exit(code)


@commands.command(epilog="Example: keepwell verify outbox/latest")
def verify(
    folder: Annotated[Path, typer.Argument(help="A delivered folder.")],
) -> None:
    """Prove that a delivered folder is what its run wrote, by the manifest's hashes."""
    from pipelines.verify import verify as verify_folder

    typer.echo(f"ok: {verify_folder(folder)} files are as the run wrote them")


def _opened(folder: Path) -> "tuple[Project, Paths]":
    from pipelines.project import Project

    project = Project(folder)
    return project, project.paths(DATA, "reports")


@contextmanager
def _writing(project: "Project", paths: "Paths") -> "Iterator[tuple[Project, Paths]]":
    """Hold the lock of the steps' files: what a killed `dvc repro` left running holds it too."""
    project.catalogue  # noqa: B018  (a broken configuration fails before anything is written)
    with locked(paths.tables.parent):
        yield project, paths


def _decided(folder: Path) -> "tuple[Project, Paths]":
    """The project with the files of DVC's steps, or of `keepwell run` where only that was used."""
    project, paths = _opened(folder)
    return project, paths if paths.features.exists() else project.paths(STATE)


def _policy(
    project: "Project", changes: list[str] | None, catalogue: Path | None
) -> "tuple[Params, ActionCatalogue]":
    from pipelines.config import read_catalogue, read_params
    from pipelines.settings import parsed

    params = read_params(project.root / "params.yaml", parsed(changes or []))
    offered = read_catalogue(catalogue) if catalogue else project.catalogue
    return params, offered.actions


def _day(project: "Project", as_of: str) -> date:
    return _date(as_of, "--as-of") if as_of else project.params.run.as_of


def _date(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option}: not a date. Got {text!r}. Expected YYYY-MM-DD, for example 2026-11-22."
        ) from error


def _say(line: str) -> None:
    typer.echo(line, err=True)
