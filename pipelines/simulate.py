"""Write a project folder of a simulated company, and let it answer what was delivered."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from features.errors import RefusedError
from features.schemas import DECISIONS
from pipelines.config import read_catalogue
from pipelines.onboarding.scaffold import shipped
from pipelines.settings import with_values
from pipelines.tables import present, read, replacing, write_frame, write_text
from simulation.archive import frames_of, world_of
from simulation.company import Company, simulate_company
from simulation.replies import respond, today
from simulation.state import World

EXPORTED = ("events", "customers", "contacts", "consents", "sends")
TRUTH = "truth"  # folder that the job never reads
SOURCES = """\
# The simulated company's exports, made by `keepwell simulate`. Its truth (what really moves whom)
# is in truth/, which the job never reads.
business:
  name: Simulated company (seed {seed})
  timezone: UTC
  currency: EUR

sources:
  events:
    table: events
    path: raw/events.csv
    columns:
      event_id: {{column: event_id}}
      customer_id: {{column: customer_id}}
      occurred_at: {{column: occurred_at}}
      loaded_at: {{column: loaded_at}}
      event_type: {{column: event}}
      channel: {{column: channel}}
      value: {{column: value}}
      campaign: {{column: campaign}}
  customers:
    table: customers
    path: raw/customers.csv
    columns:
      customer_id: {{column: customer_id}}
      known_since: {{column: signed_up_on}}
  contacts:
    table: identities
    path: raw/contacts.csv
    columns:
      customer_id: {{column: customer_id}}
      email: {{column: email}}
      phone: {{column: phone}}
      first_name: {{column: first_name}}
      last_name: {{column: last_name}}
      country: {{column: country}}
  consents:
    table: consents
    path: raw/consents.csv
    columns:
      customer_id: {{column: customer_id}}
      channel: {{column: channel}}
      purpose: {{column: purpose}}
      status: {{column: status}}
      basis: {{column: basis}}
      since: {{column: since}}
      until: {{column: until}}
  sends:
    table: sends
    path: raw/sends.csv
    columns:
      customer_id: {{column: customer_id}}
      action_id: {{column: action_id}}
      channel: {{column: channel}}
      sent_at: {{column: sent_at}}
"""


def simulate_project(
    project: Path, out: Path, *, customers: int, seed: int, until: date, days: int
) -> str:
    """Write a complete project folder to `out`; returns what to do with it.

    The catalogue's rules and actions, and the parameters, are copied from `project` if it has
    them, else they are those that Keepwell ships; the horizon is made to fit the simulated
    company, whose customers buy every month or two at high margins.

    Raises
    ------
    RefusedError
        If `out` exists already.
    """
    if out.exists():
        raise RefusedError(f"--out: exists already. Got {out}. Expected a new folder's name.")
    template = project if (project / "params.yaml").is_file() else shipped()
    company = simulate_company(customers=customers, seed=seed, until=until, days=days)
    shutil.copytree(template / "catalogue", out / "catalogue")
    write_text(SOURCES.format(seed=seed), out / "catalogue" / "sources.yaml")
    values = {
        "run.as_of": until.isoformat(),
        "churn.horizon_days": 60,
        "churn.lookback_days": 180,
        "cutoffs.step_days": 60,
        "recommend.budget_cents": 20 * customers,
        "recommend.margin_rate": 0.5,
        "recommend.kept_value_days": 365,
    }
    text = (template / "params.yaml").read_text("utf-8")
    write_text(with_values(text, values), out / "params.yaml")
    _write_exports(company, out)
    return f"{out}: {company.events.height:,} events. Next: keepwell run --project {out}"


def respond_to(delivered: Path, days: int) -> str:
    """Let a project's simulated company answer one of its deliveries; returns what to do next.

    What happens in those days is added to the project's exports. To ask again for the same answer
    adds nothing.

    Parameters
    ----------
    delivered : Path
        ``PROJECT/outbox/as_of=YYYY-MM-DD``, or ``latest`` beside it.
    days : int
        Days to play from the as-of date on.
    """
    project = delivered.absolute().parent.parent
    dated = delivered.readlink().name if delivered.name == "latest" else delivered.name
    decisions = read(delivered / "decisions.parquet", DECISIONS)
    actions = read_catalogue(project / "catalogue").actions.actions
    world = _read_world(project / TRUTH / dated)
    until = today(world) + timedelta(days=days)
    tactics = {action.id: action.tactic for action in actions}
    reply = respond(world, decisions, tactics=tactics, until=until)
    _append(reply.events, project / "raw" / "events.csv")
    _append(reply.sends, project / "raw" / "sends.csv")
    _write_csv(reply.consents, project / "raw" / "consents.csv")
    write_frame(reply.truth, project / TRUTH / dated / "reply.parquet")
    _write_world(reply.world, project / TRUTH)
    return (
        f"{project}: {reply.truth.height:,} customers reached, {reply.events.height:,} events. "
        f"Next: keepwell run --as-of {until} --project {project}"
    )


def _write_exports(company: Company, out: Path) -> None:
    (out / "raw").mkdir()
    for name in EXPORTED:
        exported: pl.DataFrame = getattr(company, name)
        _write_csv(exported, out / "raw" / f"{name}.csv")
    write_frame(company.truth, out / TRUTH / "customers.parquet")
    write_frame(company.waves, out / TRUTH / "waves.parquet")
    _write_world(company.world, out / TRUTH)


def _write_world(world: World, truth: Path) -> None:
    """The company as it stands, in a folder of that day."""
    for name, rows in frames_of(world).items():
        write_frame(rows, truth / f"as_of={today(world)}" / "world" / f"{name}.parquet")


def _read_world(folder: Path) -> World:
    paths = present(folder / "world", "the simulated company on that day").glob("*.parquet")
    return world_of({path.stem: pl.read_parquet(path) for path in paths})


def _append(rows: pl.DataFrame, path: Path) -> None:
    """Add the rows that an export does not have yet, all or none."""
    known = pl.read_csv(path, infer_schema=False).fill_null("")
    new = rows.join(known, on=rows.columns, how="anti", maintain_order="left")
    _write_csv(pl.concat([known, new]), path)


def _write_csv(rows: pl.DataFrame, path: Path) -> None:
    with replacing(path) as unfinished:
        rows.write_csv(unfinished)
