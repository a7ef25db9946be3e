"""`keepwell what-if` and `keepwell evaluate-policy`: another plan tried, nothing sent."""

import hashlib
import re
from datetime import date, timedelta

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from actions.arms import RANDOM
from features.errors import InputMissingError
from features.schemas import DECISIONS
from pipelines.cli import commands
from pipelines.run import STATE
from pipelines.tables import read

AS_OF = date(2026, 1, 1)


def tried(project, *words):
    return CliRunner().invoke(
        commands, [*words, "--project", str(project.root)], catch_exceptions=False
    ).output  # fmt: skip


def row(text, title):
    """The two amounts beside a title, as numbers."""
    (line,) = [line for line in text.splitlines() if line.startswith(title)]
    return [float(re.sub(r"[^0-9.-]", "", cell)) for cell in re.split(r"\s{2,}", line.strip())[1:]]


def hashes(project):
    files = [p for p in project.root.rglob("*") if p.is_file() and p.name != ".lock"]
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def decisions(done):
    return read(done.project.paths(STATE).decisions, DECISIONS)


@pytest.fixture(scope="module")
def two_months(new_project, run_job):
    """A project whose first run has a complete window; by rules alone."""
    project = new_project()
    run_job(project, as_of=AS_OF - timedelta(days=60), training="never")
    run_job(project, training="never")
    return project


def test_plan_of_today_tried_again_is_the_plan_of_today(done, decisions):
    told = tried(done.project, "what-if")
    own = decisions.filter(pl.col("arm") != RANDOM)
    for title, column in (("spent ", "cost_cents"), ("net value ", "expected_net_value_cents")):
        today, trial = row(told.replace("spent to", "-").replace("net value of", "-"), title)
        assert today == trial == pytest.approx(own[column].sum() / 100, abs=0.51)
    assert row(told, "actions") == [decisions["action_id"].count()] * 2


def test_more_money_brings_more_and_less_brings_less(done):
    budget = done.project.params.recommend.budget_cents
    for factor in (0.1, 10):
        told = tried(
            done.project, "what-if", "--set", f"recommend.budget_cents={budget * factor:.0f}"
        )
        told = told.replace("net value of", "-")
        today, trial = row(told, "net value ")
        assert (trial >= today) if factor > 1 else (trial < today)


def test_trial_of_another_catalogue_leaves_an_action_out_and_saves_nothing(
    done, decisions, tmp_path, repository
):
    given = decisions["action_id"].drop_nulls().mode().sort()[0]
    for file in (repository / "catalogue").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    offered = yaml.safe_load((tmp_path / "actions.yaml").read_text("utf-8"))
    offered["actions"] = [action for action in offered["actions"] if action["id"] != given]
    (tmp_path / "actions.yaml").write_text(yaml.safe_dump(offered), "utf-8")
    before = hashes(done.project)
    told = tried(done.project, "what-if", "--catalogue", str(tmp_path))
    assert row(told, f"  {given}") == [decisions.filter(pl.col("action_id") == given).height, 0]
    assert hashes(done.project) == before


def test_policy_cannot_be_evaluated_before_a_window_is_complete(done):
    with pytest.raises(InputMissingError, match="no past run to evaluate on"):
        tried(done.project, "evaluate-policy")


def test_same_policy_brings_nothing_else_that_could_be_detected(two_months):
    told = tried(two_months, "evaluate-policy")
    assert told.count("no detectable difference") == 2
    assert "100 % of the customers" in told


def test_policy_without_money_is_compared_with_what_was_done(two_months):
    told = tried(two_months, "evaluate-policy", "--set", "recommend.budget_cents=0")
    past = read(
        two_months.outbox / f"as_of={AS_OF - timedelta(days=60)}/decisions.parquet", DECISIONS
    )
    known = past.filter(pl.col("arm") != "business_as_usual").height
    assert f"({known:,} decisions)" in told
    assert "+0.00 points" not in told
