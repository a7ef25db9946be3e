"""Models of hardly any customers, of one kind or all alike: a finite answer, or a clear refusal."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.params import ChurnParams
from features.schemas import STAGES
from models.churn import HISTORY, Examples, churn_columns, histories
from models.fitting import Task, fit_churn
from models.params import TrainParams, ValueParams
from models.standing import fit_standing, probabilities, standing_columns, with_current
from pipelines import worth
from pipelines.train import too_few

CHURN = ChurnParams(horizon_days=30, gap_days=0, lookback_days=90)
TRAIN = TrainParams(
    min_per_class=1, boosting_rounds=10, boosting_leaves=4, boosting_min_leaf=1, boosting_l2=1.0,
    learning_rate=0.2, churn_rounds=10, churn_learning_rate=0.2, churn_leaves=4, churn_min_leaf=1,
    churn_l2=1.0, churn_columns=1.0, logistic_c=1.0, held_out=1, fold_rows=1000, season_ratio=0.5,
)  # fmt: skip
VALUE = ValueParams(
    min_customers=10,
    boosting_rounds=10, boosting_leaves=4, learning_rate=0.2, min_customers_in_leaf=1,
    backtest_cutoffs=1, season_ratio=0.5,
)  # fmt: skip
DAYS = [date(2025, 1, 1), date(2025, 3, 1)]
COLUMNS = [*HISTORY, "constant", "unknown", "visits"]

counts = st.integers(0, 20)
outcomes = st.sampled_from(["mixed", "all", "none"])
kinds = st.sampled_from(["varied", "alike"])


def customers(n: int, outcome: str, kind: str) -> pl.DataFrame:
    """So many customers at each of two cutoffs, with a constant and an unknown column."""
    draw = np.random.default_rng(n)
    size = n * len(DAYS)
    gaps = draw.poisson(2, size) if kind == "varied" else np.full(size, 1)
    span = np.where(gaps > 0, 40, 0)
    churned = {"mixed": np.arange(size) % 2 == 0, "all": np.ones(size), "none": np.zeros(size)}
    return pl.DataFrame(
        {
            "customer_id": [str(k % max(n, 1)) for k in range(size)],
            "as_of": pl.Series([day for day in DAYS for _ in range(n)], dtype=pl.Date),
            "value_gaps": gaps, "value_span_days": span, "days_since_first_value": span + 20,
            "constant": np.ones(size), "unknown": pl.Series([None] * size, dtype=pl.Float64),
            "visits": draw.poisson(3, size) if kind == "varied" else np.full(size, 3),
            "value_days": gaps + 1, "order_cents": (gaps + 1) * 1000,
            "churned": churned[outcome].astype(bool),
            "value_days_next": 1 - churned[outcome].astype(int),
            "value_next_cents": (1 - churned[outcome].astype(int)) * 1000,
        }
    )  # fmt: skip


def examples(rows: pl.DataFrame) -> Examples:
    x = pd.DataFrame(rows.select(COLUMNS).cast(pl.Float64).to_numpy(), columns=COLUMNS)
    days = rows["as_of"].to_numpy().astype("datetime64[D]")
    return Examples(x, rows["churned"].cast(pl.Int64).to_numpy(), days)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(n=counts, outcome=outcomes, kind=kinds)
def test_churn_of_few_customers_has_finite_risks_or_a_reason_why_not(n, outcome, kind):
    rows = examples(customers(n, outcome, kind))
    why_not = too_few(rows.y, TRAIN.min_per_class)
    if outcome != "mixed" or n == 0:
        assert why_not is not None
        assert "at least 1 of each are needed" in why_not
        return
    assert why_not is None
    read = rows._replace(x=rows.x[churn_columns(rows.x)])
    bought = dict.fromkeys([*DAYS, DAYS[-1] + timedelta(days=30)], histories(read.x))
    model = fit_churn(Task(read, bought, CHURN, TRAIN, 0))
    risk = model.predict_proba(read.x)[:, 1]
    assert ((risk >= 0) & (risk <= 1)).all()
    assert model.attributions(read.x).sum(axis=1) == pytest.approx(model.decision_function(read.x))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(n=counts, outcome=outcomes, kind=kinds)
def test_value_of_few_customers_is_finite_and_never_negative(n, outcome, kind):
    rows = customers(n, outcome, kind)
    fitted = worth.fit(rows, rows.filter(pl.col("as_of") == DAYS[-1]), COLUMNS, CHURN, VALUE, 0)
    if rows.height < VALUE.min_customers or outcome == "all" or kind == "alike":
        assert fitted is None
        return
    assert fitted is not None
    money = worth.forecast_of(fitted, rows)
    for cents in (money.cents, money.low_cents, money.high_cents):
        assert np.isfinite(cents).all()
        assert (cents >= 0).all()


@settings(deadline=None, max_examples=30, derandomize=True)
@given(n=st.integers(1, 20), classes=st.integers(2, 4), kind=kinds)
def test_next_stage_of_few_customers_is_a_probability_of_each(n, classes, kind):
    rows = customers(n, "mixed", kind)
    size = rows.height
    now = np.array([STAGES[k % 4 if kind == "varied" else 0] for k in range(size)])
    following = np.array([STAGES[k % classes] for k in range(size)])
    x = with_current(examples(rows).x, now, STAGES)
    model = fit_standing(x.loc[:, standing_columns(x)], following, TRAIN, 0)
    p = probabilities(model, x, STAGES)
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert (p >= 0).all()
    assert not p[:, classes:].any()
