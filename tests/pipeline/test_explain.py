"""`keepwell explain`: one customer's scores, in words and as JSON."""

import json
import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

from features.schemas import SCORES
from pipelines.cli import commands
from pipelines.run import STATE
from pipelines.tables import read

UNKNOWN = "nobody-4711"
APP = "from pipelines.cli import app; app()"


@pytest.fixture(scope="module")
def customer(done):
    """The scored customer at the highest risk."""
    scores = read(done.project.paths(STATE).scores, SCORES)
    return scores.sort("churn_risk", "customer_id", descending=True, nulls_last=True).row(
        0, named=True
    )


def explained(done, *words):
    command = ["explain", *words, "--project", str(done.project.root)]
    return CliRunner().invoke(commands, command, catch_exceptions=False).output


@pytest.fixture(scope="module")
def told(done, customer):
    return json.loads(explained(done, customer["customer_id"], "--json"))


def test_it_tells_the_scores_that_were_published(told, customer):
    for name in ("churn_risk", "reported_stage", "stage", "reason_1", "margin_90d_cents"):
        assert told[name] == customer[name]


def test_a_stage_that_is_held_says_so(done):
    scores = read(done.project.paths(STATE).scores, SCORES)
    held = scores.filter(pl.col("reported_stage") != pl.col("stage")).row(0, named=True)
    text = explained(done, held["customer_id"])
    assert f"{held['reported_stage']}: until a second snapshot confirms" in text
    assert held["stage_because"] in text


def test_the_risk_is_put_together_from_its_reasons(done, told, customer):
    effects = [told[f"reason_{k}_effect"] or 0 for k in (1, 2, 3)]
    whole = told["risk_start"] + sum(effects) + told["risk_rest"]
    assert whole == pytest.approx(customer["churn_risk"], abs=1e-9)
    said = explained(done, customer["customer_id"])
    assert f"{effects[0]:+.2f}  {customer['reason_1']}" in said
    assert f"alive      {customer['p_alive']:.2f}" in said


def test_every_part_has_its_share_and_a_change_lowers_the_risk(told, customer):
    assert len(told["parts"]) > 2
    assert all(change["risk"] < customer["churn_risk"] for change in told["changes"])


def test_a_reader_is_told_why_and_when_they_last_bought(done, told, customer):
    text = explained(done, customer["customer_id"])
    assert f"churn risk {customer['churn_risk']:.2f}" in text
    for line in (customer["reason_1"], "What the risk is made of", "Latest days"):
        assert line in text
    assert told["history"][0]["on"] in text


def test_history_is_the_customers_own_latest_first(told):
    days = [row["on"] for row in told["history"]]
    assert days
    assert days == sorted(days, reverse=True)
    assert max(days) < told["as_of"]


def test_unknown_customer_is_one_line_without_the_id(done):
    words = [sys.executable, "-c", APP, "explain", UNKNOWN, "--project", str(done.project.root)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode > 0
    assert not ended.stdout
    assert ended.stderr.count("\n") == 1
    assert "no such customer in the latest scores" in ended.stderr
    assert UNKNOWN not in ended.stderr
