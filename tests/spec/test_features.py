"""Features of every family, counted by hand from six events."""

import pytest

TABLE = """
    customer | event            | days ago | value  | channel
    ann      | order_completed  | 106      | 50.00  |
    ann      | order_completed  | 46       | 30.00  |
    ann      | order_refunded   | 46       | -10.00 |
    ann      | product_added    | 18       |        | web
    ann      | order_completed  | 16       | 20.00  | store
    ann      | review_submitted | 3        |        |
"""

EXPECTED = {
    "recency": {
        "days_since_known": 200,
        "days_since_first_event": 106,
        "days_since_last_event": 3,
        "days_since_first_value": 106,
        "days_since_last_value": 16,
        "days_since_last_intent": 18,
        "days_since_last_service": 46,
        "days_since_last_advocacy": 3,
    },
    "totals": {
        "value_events": 3,
        "value_days": 3,
        "value_cents": 5000 + 3000 - 1000 + 2000,
        "order_cents": 5000 + 3000 + 2000,
        "max_order_cents": 5000,
        "mean_order_cents": 10_000 / 3,
        "active_days": 5,
        "advocacy_events": 1,
        "value_span_days": 106 - 16,
    },
    "windows": {
        "events_7d": 1,
        "events_28d": 3,
        "events_56d": 5,
        "events_180d": 6,
        "active_days_56d": 4,
        "value_events_28d": 1,
        "value_events_90d": 2,
        "intent_events_28d": 1,
        "service_events_28d": 0,
        "service_events_56d": 1,
        "transactional_events_56d": 3,
        "emotional_events_7d": 1,
        "social_events_365d": 0,
        "value_cents_28d": 2000,
        "value_cents_56d": 3000 - 1000 + 2000,
        "refund_events_28d": 0,
        "refund_events_56d": 1,
    },
    "trends": {
        "value_events_trend_28d": 1 - 1,
        "value_events_trend_56d": 2 - 1,
        "value_events_trend_90d": 2 - 1,
        "value_events_trend_180d": 3 - 0,
        "value_events_decay_15d": 2**20 // 2 + 2**20 // 8 + 2**20 // 128,
        "active_weeks_56d": 3,
    },
    "breadth": {
        "channel_store_events_90d": 1,
        "channel_web_events_90d": 1,
        "channel_email_events_90d": 0,
        "channels_90d": 2,
        "types_90d": 2,
    },
    "pauses": {
        "value_gaps": 2,
        "value_mean_gap_days": (60 + 30) / 2,
        "value_sd_gap_days": 15.0,
        "value_median_gap_days": 45.0,
        "value_max_gap_days": 60,
        "value_last_gap_days": 30,
        "event_gaps": 4,
        "event_mean_gap_days": (60 + 28 + 2 + 13) / 4,
        "event_median_gap_days": (28 + 13) / 2,
        "event_last_gap_days": 13,
    },
    "own": {
        "own_recency_days": 16,
        "own_age_days": 106,
        "own_gaps": 2,
        "own_median_gap_days": 45.0,
        "own_last_gap_days": 30,
    },
    "population": {
        "usual_gap_days": 45.0,
        "recency_ratio": 16 / 45,
        "last_gap_ratio": 30 / 45,
        "inactivity_window_days": 135.0,
        "is_active": 1,
        "transactional_score": 100.0,
        "social_score": 0.0,
        "engagement_types_above_median": 2,
        "rfm_recency": 3,
    },
}


@pytest.fixture(scope="module")
def rows(customers):
    return customers(TABLE, ann=200, bob=50)


@pytest.mark.parametrize("family", EXPECTED)
def test_features_are_what_a_person_counts(rows, family):
    ann = {name: rows["ann"][name] for name in EXPECTED[family]}
    assert ann == pytest.approx(EXPECTED[family], rel=1e-12)


def test_role_that_never_happened_has_no_last_day(rows):
    assert rows["ann"]["days_since_last_visit"] is None


def test_customer_without_an_event_has_zeros_where_nothing_is_a_number(rows):
    names = ["value_events", "value_cents_28d", "channels_90d", "active_weeks_56d", "is_active"]
    assert {name: rows["bob"][name] for name in names} == dict.fromkeys(names, 0)


def test_silence_of_a_customer_without_an_event_begins_when_they_became_known(rows):
    assert (rows["bob"]["own_recency_days"], rows["bob"]["own_age_days"]) == (50, 50)


def test_customer_without_an_event_has_nothing_where_0_would_be_a_claim(rows):
    names = ["days_since_last_value", "max_order_cents", "mean_order_cents",
             "value_median_gap_days", "rfm_money"]  # fmt: skip
    assert {name: rows["bob"][name] for name in names} == dict.fromkeys(names)
