"""The backtest, the tuning and the leak audit on the simulated company."""

import json
import shutil

import polars as pl
import pytest

from pipelines import steps, tracking
from pipelines.backtest import spoken
from pipelines.features import read_cutoffs, snapshot_path
from pipelines.leaks import changed_features


@pytest.fixture(scope="module")
def own(done, tmp_path_factory):
    """The project, and its paths with reports of this module's own."""
    project = done.project
    paths = project.paths("state")
    return project, paths._replace(reports=tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def rows(own):
    return steps.backtest(*own)


def test_each_cutoff_is_judged_by_models_of_earlier_ones_and_told_with_the_mean(own, rows):
    project, paths = own
    cutoffs = read_cutoffs(paths.features)
    days = [str(day) for day in [*cutoffs.train[1:], cutoffs.test]]
    assert list(dict.fromkeys(row["as_of"] for row in rows)) == days
    table = spoken(rows, project.params.churn).splitlines()
    assert [line.split()[0] for line in table[2:]] == [*days, "mean"]
    assert all(row["gain_low"] <= row["gain"] <= row["gain_high"] for row in rows if "gain" in row)


def test_metrics_and_plots_are_written_for_dvc(own, rows):
    reports = own[1].reports
    metrics = json.loads((reports / "backtest.json").read_text())
    aucs = [row["auc"] for row in rows if row["model"] == "keepwell"]
    assert metrics["keepwell"]["auc"] == pytest.approx(sum(aucs) / len(aucs))
    assert [
        row["auc"] for row in json.loads((reports / "backtest_cutoffs.json").read_text())
    ] == aucs


def test_mlflow_has_one_parent_with_a_child_for_each_cutoff(own, rows):
    project = own[0]
    mlflow = tracking.open_store(project.params.tracking, project.root)
    runs = mlflow.search_runs(output_format="list")
    parents = [run for run in runs if run.data.tags["mlflow.runName"] == "backtest"]
    children = [
        run for run in runs if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id
    ]
    assert len(parents) == 1
    assert len(children) == len({row["as_of"] for row in rows})


def test_features_of_a_past_date_are_what_they_were_then(own):
    project, paths = own
    day = read_cutoffs(paths.features).test
    assert changed_features(paths.features, paths.daily, project.definitions, day) == []


def test_feature_that_knows_later_events_is_named(own, tmp_path):
    project, paths = own
    shutil.copytree(paths.features, tmp_path / "features")
    cutoffs = read_cutoffs(paths.features)
    for part in snapshot_path(tmp_path / "features", cutoffs.test).glob("customers-*.parquet"):
        leaking = pl.col("visit_events_28d") + 1
        pl.read_parquet(part).with_columns(visit_events_28d=leaking).write_parquet(part)
    found = changed_features(tmp_path / "features", paths.daily, project.definitions, cutoffs.test)
    assert found == ["visit_events_28d"]


def test_tuning_proposes_a_command_and_keeps_what_is_better(own):
    best = steps.tune(*own, trials=2)
    assert best["log_loss"] <= best["log_loss_now"]
    assert json.loads((own[1].reports / "tuned.json").read_text()) == best
    assert set(best["values"]) <= {f"train.{n}" for n in own[0].params.train.model_dump()}
