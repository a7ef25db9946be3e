import polars as pl
import pytest

from models.rates import risk_by_rule, value_rates
from models.value import expected_orders, expected_value_cents, order_value_cents


def test_order_value_is_shrunk_to_the_population_by_two_orders():
    rows = pl.DataFrame({"value_events": [1, 3, 0], "order_cents": [1000, 7000, None]})
    # The population's mean is 8000 / 4 = 2000: (1000 + 4000) / 3, (7000 + 4000) / 5, 4000 / 2.
    assert rows.select(order_value_cents()).to_series().to_list() == [1667, 2200, 2000]


def test_order_value_is_never_negative():
    rows = pl.DataFrame({"value_events": [1, 1], "order_cents": [-9000, 1000]})
    assert rows.select(order_value_cents()).to_series().to_list() == [0, 0]


def test_order_value_is_nothing_where_nobody_ever_bought():
    rows = pl.DataFrame({"value_events": [None, 0], "order_cents": [None, 0]}).cast(pl.Int64)
    assert rows.select(order_value_cents()).to_series().to_list() == [0, 0]


@pytest.mark.parametrize(
    ("since_first", "events", "orders"),
    [
        (400, 73, 6.0),  # 73 in 365 days, for 30 days
        (60, 6, 3.0),
        (10, 5, 5.0),  # the first 30 days count as 30: no rate from a few days
        (365, 1, 1.0),  # somebody who orders, orders at least once
        (None, 0, 1.0),
        (None, None, 1.0),
    ],
)
def test_expected_orders_follow_the_past_years_rate_and_are_at_least_one(
    since_first, events, orders
):
    rows = pl.DataFrame(
        {"days_since_first_value": [since_first], "value_events_365d": [events]},
        schema_overrides={"days_since_first_value": pl.Int64, "value_events_365d": pl.Int64},
    )
    assert rows.select(expected_orders(30)).item() == pytest.approx(orders)


def test_expected_value_is_probability_times_orders_times_order():
    rows = pl.DataFrame(
        {
            "p_value": [0.5, 0.0],
            "days_since_first_value": [60, 60],
            "value_events_365d": [6, 6],
            "order_value_cents": [1000, 1000],
        }
    )
    expected = rows.select(expected_value_cents(pl.col("p_value"), 30))
    assert expected.to_series().to_list() == [1500, 0]


def test_rates_are_shrunk_to_those_of_their_population_by_twenty():
    labelled = pl.DataFrame(
        {
            "stage": ["engagement"] * 10 + ["retention"] * 30 + ["awareness"] * 10,
            "in_population": [True] * 40 + [False] * 10,
            "churned": [True] * 10 + [False] * 30 + [True] * 10,
        }
    )
    rates = {(r["stage"], r["in_population"]): r["rate"] for r in value_rates(labelled).to_dicts()}
    assert rates == {
        ("awareness", False): 0.0,
        ("engagement", True): pytest.approx((0 + 20 * 0.75) / 30),
        ("retention", True): pytest.approx((30 + 20 * 0.75) / 50),
    }


def test_rates_come_in_a_fixed_order():
    labelled = pl.DataFrame(
        {
            "stage": ["b", "a", "b", "a"] * 10,
            "in_population": [True, True, False, False] * 10,
            "churned": [True, False] * 20,
        }
    )
    groups = value_rates(labelled).select("stage", "in_population").rows()
    assert groups == [("a", False), ("a", True), ("b", False), ("b", True)]


@pytest.mark.parametrize(("ratio", "risk"), [(0.0, 0.0), (2.0, 0.5), (6.0, 0.75)])
def test_risk_by_rule_is_even_at_twice_the_usual_pause(ratio, risk):
    rows = pl.DataFrame({"recency_ratio": [ratio]})
    assert rows.select(risk_by_rule()).item() == pytest.approx(risk)
