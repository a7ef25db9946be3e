"""The horizon that a history suggests, against figures counted by hand."""

import datetime as dt

import narwhals as nw
import polars as pl
import pytest

from features.horizon import pauses_of, suggest
from features.minimum import gates, outcomes
from features.time import EPOCH


def days_of(**customers):
    rows = [(name, day) for name, days in customers.items() for day in days]
    table = pl.DataFrame(rows, schema={"customer_id": pl.String, "day": pl.Int64}, orient="row")
    return nw.from_native(table, eager_only=True)


def test_customers_with_a_longer_pause_would_have_been_called_churned():
    pauses = pauses_of(days_of(ann=[0, 10, 20], bob=[0, 50], cid=[0]), 400)
    assert (pauses.customers, pauses.returning) == (3, 2)
    wrong = pauses.at(30)
    assert (wrong.customers, wrong.share) == (1, 0.5)


def test_share_on_an_ordinary_day_counts_the_days_that_lie_too_far_before_the_return():
    pauses = pauses_of(days_of(ann=[0, 40]), 400)
    assert pauses.at(30).daily_share == 10 / 40


def test_pause_of_exactly_the_horizon_is_not_misjudged():
    assert pauses_of(days_of(ann=[0, 30]), 400).at(30).customers == 0


def test_weekly_customers_suggest_a_short_horizon():
    pauses = pauses_of(days_of(ann=range(0, 700, 7), bob=range(3, 700, 7)), 700)
    assert suggest(pauses).churn.horizon_days == 7


def test_horizon_is_at_most_a_quarter_of_the_history():
    pauses = pauses_of(days_of(ann=[0, 180, 365]), 366)
    fit = suggest(pauses)
    assert fit.churn.horizon_days == 90
    assert "too short" in fit.why


def test_nobody_came_back():
    pauses = pauses_of(days_of(ann=[0], bob=[5]), 10)
    assert (pauses.returning, pauses.median_days) == (0, 0.0)
    assert suggest(pauses).churn.horizon_days == 7


def test_no_value_event_at_all():
    assert pauses_of(days_of(), 10) is None


@pytest.mark.parametrize("history", [30, 90, 366, 546, 730, 2000])
def test_cutoffs_fit_the_history(history):
    pauses = pauses_of(days_of(ann=range(0, history, 11)), history)
    fit = suggest(pauses)
    last = 2 * fit.churn.horizon_days
    earliest = history - last - (fit.cutoffs.count - 1) * fit.cutoffs.step_days
    assert earliest >= fit.cutoffs.min_history_days
    assert fit.churn.lookback_days >= fit.churn.horizon_days


def test_outcomes_are_counted_at_the_past_cutoffs_by_the_label_itself():
    days = days_of(ann=range(0, 120, 3), bob=[0, 3, 6])
    fit = suggest(pauses_of(days, 120), 30)
    as_of = EPOCH + dt.timedelta(days=120)
    one = fit.cutoffs.model_copy(update={"count": 1, "min_history_days": 1})
    assert outcomes(days, as_of, fit._replace(cutoffs=one)) == (1, 1)


def test_gates_say_what_is_missing():
    assert [g.met for g in gates(days_of(), EPOCH, None, None, 100)] == [False]
    days = days_of(ann=range(0, 400, 5))
    pauses = pauses_of(days, 400)
    judged = gates(days, EPOCH + dt.timedelta(days=400), pauses, suggest(pauses), 100)
    assert [g.met for g in judged] == [True, False, False]
