"""A company of subscribers: churn is a contract that is cancelled before its next payment."""

import shutil
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.schemas import LABELS, SCORES
from pipelines import steps
from pipelines.features import read_cutoffs
from pipelines.project import Project
from pipelines.settings import with_values
from pipelines.tables import read

NOW = date(2026, 1, 1)
PERIOD, SUBSCRIBERS = 30, 400
SOURCES = """\
business: {name: Subscribers, timezone: UTC, currency: EUR}
sources:
  events:
    table: events
    path: raw/events.csv
    columns:
      customer_id: {column: who}
      occurred_at: {column: at}
      event_type: {column: what}
      value: {column: value}
"""
QUICK = {
    "churn.horizon_days": PERIOD + 5,  # a payment is due in it, with some days of grace
    "churn.lookback_days": PERIOD + 5,  # whose last payment is older has no contract any more
    "cutoffs.count": 4,
    "cutoffs.step_days": PERIOD + 5,
    "train.min_per_class": 30,
    "train.boosting_rounds": 10,
    "train.churn_rounds": 60,
    "train.churn_min_leaf": 20,
    "value.boosting_rounds": 10,
    "gate.bootstrap_samples": 100,
}


def contracts():
    """Each subscriber's first payment, and the day on which they cancel (far ahead: never)."""
    draw = np.random.default_rng(5)
    begins = [
        date(2024, 12, 1) + timedelta(days=int(d)) for d in draw.integers(0, 300, SUBSCRIBERS)
    ]
    lasts = draw.exponential(260, SUBSCRIBERS).astype(int)
    return {
        f"S{k:03d}": (begin, begin + timedelta(days=int(days) + 1))
        for k, (begin, days) in enumerate(zip(begins, lasts, strict=True))
    }


def log(known):
    """A payment every 30 days until they cancel; most ask how to cancel some days before."""
    rows = []
    for k, (who, (begin, ends)) in enumerate(known.items()):
        day = begin
        while day < min(ends, NOW):
            rows.append((who, day, "subscription_renewed", "12.00"))
            day += timedelta(days=PERIOD)
        if ends < NOW:
            rows.append((who, ends, "subscription_cancelled", ""))
        asked = ends - timedelta(days=12)
        if k % 4 and begin < asked < NOW:
            rows.append((who, asked, "cancel_intent", ""))
    return [(who, f"{day}T09:00:00Z", what, value) for who, day, what, value in rows]


@pytest.fixture(scope="module")
def company(repository, tmp_path_factory):
    root = tmp_path_factory.mktemp("contracts") / "shop"
    shutil.copytree(repository / "catalogue", root / "catalogue")
    (root / "catalogue" / "sources.yaml").write_text(SOURCES, "utf-8")
    (root / "raw").mkdir()
    names = ["who", "at", "what", "value"]
    pl.DataFrame(log(contracts()), names, orient="row").write_csv(root / "raw" / "events.csv")
    text = (repository / "params.yaml").read_text("utf-8")
    values = QUICK | {"run.as_of": NOW.isoformat()}
    (root / "params.yaml").write_text(with_values(text, values), "utf-8")
    return Project(root)


@pytest.fixture(scope="module")
def paths(company, trained):
    return trained(company, NOW)


@pytest.fixture(scope="module")
def evaluation(company, paths):
    return steps.evaluate(company, paths)


def test_churned_is_who_cancels_before_the_next_payment(paths):
    labels = read(paths.labels, LABELS).filter("in_population")
    known = contracts()
    cancelled = []
    for who, as_of in labels.select("customer_id", "as_of").iter_rows():
        begin, ends = known[who]
        due = begin + timedelta(days=PERIOD * -(-(as_of - begin).days // PERIOD))
        cancelled.append(ends <= due)
    assert labels["churned"].to_list() == cancelled
    assert 0.05 < np.mean(cancelled) < 0.5


def test_the_model_sees_who_is_going_to_cancel(evaluation):
    rows = {row["model"]: row for row in evaluation["churn"]["rows"]}
    assert rows["keepwell"]["auc"] > 0.75
    assert rows["keepwell"]["auc"] > max(r["auc"] for n, r in rows.items() if n != "keepwell")


def test_a_contract_that_is_cancelled_already_is_at_the_highest_risk(company, paths, evaluation):
    assert evaluation["churn"]["rows"]
    steps.promote(company, "churn", "1")
    steps.resolve_champions(company, paths)
    steps.score(company, paths)
    scores = read(paths.scores, SCORES).filter(pl.col("churn_risk").is_not_null())
    ended = [who for who, (_, ends) in contracts().items() if ends < NOW]
    gone = scores.filter(pl.col("customer_id").is_in(ended))
    stay = scores.filter(~pl.col("customer_id").is_in(ended))
    assert gone.height > 5
    assert gone["churn_risk"].min() > stay["churn_risk"].median()
    assert scores["margin_90d_cents"].min() >= 0
    assert read_cutoffs(paths.features).now == NOW
