"""A company that has stages of its own: learned, forecast and reported, as known on each date."""

from datetime import date, timedelta

import polars as pl
import pytest

from features.errors import DataError
from features.schemas import LABELS, SCORES, STAGE_LABELS
from pipelines import steps
from pipelines.artifacts import load_model
from pipelines.features import read_cutoffs, read_own_stages, read_snapshot
from pipelines.project import Project
from pipelines.run import STATE
from pipelines.settings import with_values
from pipelines.simulate import simulate_project
from pipelines.tables import read, write
from pipelines.train import read_training

NOW = date(2026, 1, 1)
KNOWN, MOVED = date(2025, 1, 1), date(2025, 10, 15)
SOURCE = """\
  crm:
    table: stage_labels
    path: raw/stages.csv
    columns:
      customer_id: {column: customer_id}
      valid_from: {column: since}
      stage: {column: stage}
"""
QUICK = {
    "stages.label_source": "own",
    "cutoffs.count": 2,
    "train.boosting_rounds": 10,
    "train.churn_rounds": 10,
    "value.boosting_rounds": 10,
}


@pytest.fixture(scope="module")
def company(repository, tmp_path_factory):
    """Every second customer is put to engagement on one day, every tenth has no stage at all."""
    out = tmp_path_factory.mktemp("own") / "shop"
    simulate_project(repository, out, customers=250, seed=3, until=NOW, days=500)
    people = pl.read_csv(out / "raw" / "customers.csv", infer_schema=False)["customer_id"].sort()
    some = people.to_frame().with_row_index("n").filter(pl.col("n") % 10 != 9)
    first = some.select("customer_id", since=pl.lit(KNOWN), stage=pl.lit("awareness"))
    moved = some.filter(pl.col("n") % 2 == 0)
    later = moved.select("customer_id", since=pl.lit(MOVED), stage=pl.lit("engagement"))
    pl.concat([first, later]).write_csv(out / "raw" / "stages.csv")
    with (out / "catalogue" / "sources.yaml").open("a", encoding="utf-8") as file:
        file.write(SOURCE)
    text = (out / "params.yaml").read_text("utf-8")
    (out / "params.yaml").write_text(with_values(text, QUICK), "utf-8")
    return Project(out)


@pytest.fixture(scope="module")
def paths(company, trained):
    """All that is made up to the scores."""
    own = trained(company, NOW)
    steps.evaluate(company, own)
    steps.score(company, own)
    return own


def stages_on(paths, day):
    """Customers by stage and where the stage comes from."""
    told = read_snapshot(paths.features, day).group_by("stage_source", "stage").len()
    return {(source, stage): n for source, stage, n in told.iter_rows()}


def test_each_date_sees_the_labels_that_held_before_it(paths):
    dates = read_cutoffs(paths.features)
    early, late = stages_on(paths, dates.train[0]), stages_on(paths, NOW)
    assert dates.train[0] < MOVED < NOW
    assert ("own", "engagement") not in early
    assert early["own", "awareness"] > 100
    assert late["own", "engagement"] > 100
    assert sum(n for (source, _), n in late.items() if source == "rules") > 10


def test_the_label_of_the_next_stage_is_the_companys_own(paths):
    labels = read(paths.labels, LABELS)
    after = labels.filter(pl.col("as_of") == read_cutoffs(paths.features).test)
    moved = after.filter(pl.col("stage_next") == "engagement").height
    before = labels.filter(pl.col("as_of") + timedelta(days=60) <= MOVED)
    assert moved > 100
    assert before.height
    assert before.filter(pl.col("stage_next") == "engagement").height < moved / 3


def test_the_next_stage_is_learned_from_them(paths):
    training = read_training(paths.models)
    model = load_model(paths.models / "stage.skops", training.models["stage"])
    assert {"awareness", "engagement"} <= set(model.classes_)


def test_what_is_reported_is_the_companys_own_at_once(paths):
    scores = read(paths.scores, SCORES)
    own = scores.filter(pl.col("stage_because").str.ends_with(": the company's own label"))
    assert set(own["stage"]) == {"awareness", "engagement"}
    assert own["reported_stage"].equals(own["stage"])


def test_customers_scored_in_parts_have_the_scores_of_all_together(company, paths, monkeypatch):
    whole = read(paths.scores, SCORES)
    monkeypatch.setattr("pipelines.score.PART_ROWS", 37)
    steps.score(company, paths)
    assert read(paths.scores, SCORES).equals(whole)


def test_a_stage_that_is_not_known_is_refused_with_the_names_that_are(company, tmp_path):
    file = company.root / "raw" / "stages.csv"
    whole = file.read_text("utf-8")
    file.write_text(whole.replace("engagement", "gold", 2), "utf-8")
    with pytest.raises(DataError, match=r"Got 2 rows with 1 other names\. Expected awareness, acq"):
        steps.ingest(company, company.paths(STATE)._replace(tables=tmp_path / "tables"))
    file.write_text(whole, "utf-8")


def test_own_stages_without_a_table_of_them_is_one_clear_error(company, paths, tmp_path):
    empty = read(paths.tables / "stage_labels.parquet", STAGE_LABELS).clear()
    write(empty, tmp_path / "stage_labels.parquet", STAGE_LABELS)
    with pytest.raises(DataError, match="there is no stage label"):
        read_own_stages(tmp_path, company.params.stages)
