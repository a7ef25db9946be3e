"""What happened next: silence is churn, for those who had something to lose."""

from datetime import date

import narwhals as nw
import polars as pl
import pytest

from features.labels import label_table
from features.params import ChurnParams

AS_OF = date(2026, 11, 1)
CHURN = ChurnParams(horizon_days=30, gap_days=7, lookback_days=90)


@pytest.fixture
def labels(daily):
    """Label customers, named with the days since their last value event."""

    def of(*rows, churn: ChurnParams = CHURN, **last_value_days: int | None) -> dict[str, dict]:
        now = pl.DataFrame(
            {
                "customer_id": list(last_value_days),
                "as_of": AS_OF,
                "days_since_last_value": pl.Series(list(last_value_days.values()), dtype=pl.Int64),
            }
        )
        later = now.select("customer_id", stage=pl.lit("engagement"), level=pl.lit("interest"))
        frames = (nw.from_native(frame, eager_only=True) for frame in (now, later))
        table = label_table(*frames, daily(*rows), AS_OF, churn)
        return {row["customer_id"]: row for row in table.rows(named=True)}

    return of


def churned(labels: dict[str, dict]) -> dict[str, bool]:
    return {customer: row["churned"] for customer, row in labels.items()}


def days_later(days: int, **values) -> tuple[int, dict]:
    return (-days, values)


def test_everybody_silent_churned_and_everybody_who_bought_did_not(labels):
    bought = [days_later(20, customer_id=name) for name in ("bob", "eve")]
    rows = labels(*bought, ann=5, bob=5, eve=80, kim=80)
    assert churned(rows) == {"ann": True, "bob": False, "eve": False, "kim": True}


@pytest.mark.parametrize(("days", "expected"), [(6, True), (7, False), (36, False), (37, True)])
def test_only_an_order_from_the_first_to_the_last_day_of_the_window_counts(labels, days, expected):
    assert churned(labels(days_later(days), ann=5)) == {"ann": expected}


def test_order_in_the_gap_does_not_save(labels):
    assert churned(labels(days_later(0), days_later(3), ann=5)) == {"ann": True}


def test_without_a_gap_an_order_on_the_as_of_date_saves(labels):
    churn = CHURN.model_copy(update={"gap_days": 0})
    assert churned(labels(days_later(0), ann=5, churn=churn)) == {"ann": False}


def test_order_before_the_as_of_date_does_not_save(labels):
    churn = CHURN.model_copy(update={"gap_days": 0})
    assert churned(labels(1, ann=1, churn=churn)) == {"ann": True}


@pytest.mark.parametrize("role", ["visit", "intent", "exposure", "service", "advocacy", "cancel"])
def test_only_value_events_save(labels, role):
    assert churned(labels(days_later(20, role=role), ann=5)) == {"ann": True}


def test_order_that_was_loaded_late_saves(labels):
    assert churned(labels(days_later(20, loaded_days_ago=-60), ann=5)) == {"ann": False}


def test_population_had_an_order_in_the_look_back(labels):
    rows = labels(ann=1, bob=90, eve=91, kim=None)
    inside = {customer: row["in_population"] for customer, row in rows.items()}
    assert inside == {"ann": True, "bob": True, "eve": False, "kim": False}


def test_money_of_the_window_nets_refunds_and_leaves_the_rest_out(labels):
    rows = labels(
        days_later(6, value_cents=100),
        days_later(7, value_cents=3000),
        days_later(36, value_cents=-500, role="service"),
        days_later(37, value_cents=10_000),
        ann=5,
        bob=5,
    )
    assert (rows["ann"]["value_next_cents"], rows["bob"]["value_next_cents"]) == (2500, 0)


def test_next_standing_is_the_later_snapshots(labels):
    row = labels(ann=5)["ann"]
    assert (row["stage_next"], row["level_next"]) == ("engagement", "interest")


def test_one_row_for_each_customer_now_and_none_for_strangers(labels):
    rows = labels(days_later(20, customer_id="zoe"), eve=5, ann=5)
    assert list(rows) == ["ann", "eve"]
