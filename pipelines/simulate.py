"""Write a project folder of a simulated company: its exports, catalogue and parameters."""

import shutil
from datetime import date
from pathlib import Path

import polars as pl

from features.errors import RefusedError
from pipelines.settings import with_values
from pipelines.tables import write_text
from simulation.company import Company, simulate_company

EXPORTED = ("events", "customers", "contacts", "consents", "sends")
SOURCES = """\
# The simulated company's exports, made by `keepwell simulate`. Its truth (what really moves whom)
# is in truth.parquet and waves.parquet, which the job never reads.
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

    The catalogue's rules and actions, and the parameters, are copied from `project`; the horizon is
    made to fit the simulated company, whose customers buy every month or two at high margins.

    Raises
    ------
    RefusedError
        If `out` exists already.
    """
    if out.exists():
        raise RefusedError(f"--out: exists already. Got {out}. Expected a new folder's name.")
    company = simulate_company(customers=customers, seed=seed, until=until, days=days)
    shutil.copytree(project / "catalogue", out / "catalogue")
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
    text = (project / "params.yaml").read_text("utf-8")
    write_text(with_values(text, values), out / "params.yaml")
    _write_exports(company, out)
    return f"{out}: {company.events.height:,} events. Next: keepwell run --project {out}"


def _write_exports(company: Company, out: Path) -> None:
    (out / "raw").mkdir()
    for name in EXPORTED:
        exported: pl.DataFrame = getattr(company, name)
        exported.write_csv(out / "raw" / f"{name}.csv")
    company.truth.write_parquet(out / "truth.parquet")
    company.waves.write_parquet(out / "waves.parquet")
