"""Features of every family, counted by hand from a few events."""

from math import log, sqrt

import pytest

from features.definitions import all_features
from features.schemas import ENGAGEMENT_TYPES, ROLES

TABLE = """
    customer | event            | days ago | value  | channel | discount | hour
    ann      | order_completed  | 400      | 50.00  | store   | 5.00     | 10
    ann      | order_completed  | 340      | 30.00  | web     |          | 20
    ann      | order_refunded   | 46       | -10.00 |         |          | 9
    ann      | email_delivered  | 20       |        | email   |          | 6
    ann      | order_completed  | 16       | 20.00  | store   | 2.00     | 20
    ann      | review_submitted | 3        |        |         |          | 20
"""
WINDOWS = (7, 28, 56, 90, 180, 365)
CHANNELS = ("email", "sms", "push", "mail", "phone", "ad", "web", "app", "store", "social", "event")
BY_WINDOW = {
    "events_{}d": (1, 2, 3, 3, 3, 4),
    "active_days_{}d": (1, 2, 3, 3, 3, 4),
    "exposure_events_{}d": (0, 1, 1, 1, 1, 1),
    "value_events_{}d": (0, 1, 1, 1, 1, 2),
    "advocacy_events_{}d": (1, 1, 1, 1, 1, 1),
    "service_events_{}d": (0, 0, 1, 1, 1, 1),
    "transactional_events_{}d": (0, 1, 1, 1, 1, 2),
    "emotional_events_{}d": (1, 1, 1, 1, 1, 1),
    "value_cents_{}d": (0, 2000, 1000, 1000, 1000, 4000),
    "order_cents_{}d": (0, 2000, 2000, 2000, 2000, 5000),
    "discount_cents_{}d": (0, 200, 200, 200, 200, 200),
    "refund_events_{}d": (0, 0, 1, 1, 1, 1),
    "value_events_trend_{}d": (0 - 0, 1 - 0, 1 - 0, 1 - 0, 1 - 1, 2 - 1),
    "active_days_trend_{}d": (1 - 0, 2 - 1, 3 - 0, 3 - 0, 3 - 1, 4 - 1),
}


def decayed(half_life: int, *ages: int) -> int:
    """Each age's weight is rounded to 2**-20 before it is added."""
    return sum(round(2**20 * 0.5 ** ((age - 1) / half_life)) for age in ages)


EXPECTED = {
    "recency": {
        "days_since_known": 500,
        "days_since_first_event": 400,
        "days_since_last_event": 3,
        "days_since_first_value": 400,
        "days_since_last_value": 16,
        "days_since_last_exposure": 20,
        "days_since_last_service": 46,
        "days_since_last_advocacy": 3,
        "days_since_last_transactional": 16,
        "days_since_last_emotional": 3,
    },
    "totals": {
        "value_events": 3,
        "value_days": 3,
        "value_cents": 5000 + 3000 - 1000 + 2000,
        "order_cents": 5000 + 3000 + 2000,
        "active_days": 5,
        "advocacy_events": 1,
    },
    "orders": {
        "max_order_cents": 5000,
        "first_order_cents": 5000,
        "last_order_cents": 2000,
        "mean_order_cents": 10_000 / 3,
        "value_span_days": 400 - 16,
        "first_value_month": 9,
        "discount_share_365d": 200 / (5000 + 200),
    },
    "windows": {
        pattern.format(days): number
        for pattern, numbers in BY_WINDOW.items()
        for days, number in zip(WINDOWS, numbers, strict=True)
    },
    "weeks and seasons": {
        "active_weeks_56d": 3,
        "value_events_same_season_30d": 1,
        "value_events_same_season_90d": 1,
        "value_cents_same_season_30d": 3000,
        "value_cents_same_season_90d": 3000,
    },
    "decays": {
        **{f"value_events_decay_{h}d": decayed(h, 400, 340, 16) for h in (15, 45, 120, 300)},
        **{f"active_days_decay_{h}d": decayed(h, 400, 340, 46, 16, 3) for h in (15, 45, 120, 300)},
    },
    "breadth": {
        **{f"channel_{c}_events_90d": int(c == "store") for c in CHANNELS},
        **{f"channel_{c}_exposures_90d": int(c == "email") for c in CHANNELS},
        "channels_90d": 1,
        "types_90d": 2,
    },
    "pauses": {
        "value_gaps": 2,
        "value_mean_gap_days": (60 + 324) / 2,
        "value_sd_gap_days": 132.0,
        "value_median_gap_days": 192.0,
        "value_max_gap_days": 324,
        "value_last_gap_days": 324,
        "event_gaps": 4,
        "event_mean_gap_days": (60 + 294 + 30 + 13) / 4,
        "event_sd_gap_days": sqrt((60**2 + 294**2 + 30**2 + 13**2) / 4 - 99.25**2),
        "event_median_gap_days": (30 + 60) / 2,
        "event_max_gap_days": 294,
        "event_last_gap_days": 13,
    },
    "best times": {
        "best_weekday": 3,  # the days 46 and 340 ago were Wednesdays
        "best_hour": 20,
    },
    "own": {
        "own_recency_days": 16,
        "own_age_days": 400,
        "own_gaps": 2,
        "own_median_gap_days": 192.0,
        "own_last_gap_days": 324,
    },
    "strengths": {
        "transactional_strength": log(1 + decayed(30, 400, 340, 16) / 2**20),
        "emotional_strength": log(1 + decayed(30, 3) / 2**20),
        "social_strength": 0.0,
        "experiential_strength": 0.0,
    },
    "population": {
        "usual_gap_days": 192.0,
        "recency_ratio": 16 / 192,
        "last_gap_ratio": 324 / 192,
        "inactivity_window_days": 180.0,
        "is_active": 1,
        "transactional_score": 100.0,
        "emotional_score": 100.0,
        "social_score": 0.0,
        "experiential_score": 0.0,
        "engagement_types_above_median": 2,
        "rfm_recency": 3,
        "rfm_frequency": 3,
        "rfm_money": 3,
    },
}
OF_A_ROLE = {
    "exposure": "email_delivered",
    "visit": "page_view",
    "intent": "cart_viewed",
    "value": "order_completed",
    "feedback": "csat_submitted",
    "advocacy": "product_shared",
    "service": "order_refunded",
    "opt_out": "unsubscribed",
    "cancel": "account_deleted",
}
OF_A_TYPE = {
    "transactional": "order_completed",
    "emotional": "add_to_wishlist",
    "social": "product_shared",
    "experiential": "tutorial_complete",
}
THREE_TIMES = (1, 1, 3, 3, 3, 3)  # 3, 40 and 41 days ago, by window


@pytest.fixture(scope="module")
def rows(customers):
    return customers(TABLE, ann=500, bob=50)


@pytest.mark.parametrize("family", EXPECTED)
def test_features_are_what_a_person_counts(rows, family):
    ann = {name: rows["ann"][name] for name in EXPECTED[family]}
    assert ann == pytest.approx(EXPECTED[family], rel=1e-9)


@pytest.mark.parametrize(("name", "event"), [*OF_A_ROLE.items(), *OF_A_TYPE.items()])
def test_every_role_and_type_is_counted_by_window_and_dated(customers, name, event):
    table = f"customer | event | days ago\n kim | {event} | 3, 40, 41"
    kim = customers(table, kim=100)["kim"]
    counts = tuple(kim[f"{name}_events_{days}d"] for days in WINDOWS)
    assert counts == THREE_TIMES
    assert kim[f"days_since_last_{name}"] == 3


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_counts_acts_exposures_and_responses(customers, channel):
    table = f"""
        customer | event           | days ago | channel
        kim      | email_delivered | 9, 30    | {channel}
        kim      | page_view       | 8        | {channel}
        kim      | page_view       | 91       | {channel}
    """
    kim = customers(table, kim=100)["kim"]
    names = ("channel_{}_events_90d", "channel_{}_exposures_90d", "response_rate_{}_90d")
    assert [kim[name.format(channel)] for name in names] == [1, 2, 0.5]


def test_every_feature_has_a_case_here(definitions):
    cases = {name for family in EXPECTED.values() for name in family}
    cases |= {f"{n}_events_{d}d" for n in (*ROLES, *ENGAGEMENT_TYPES) for d in WINDOWS}
    cases |= {f"days_since_last_{n}" for n in (*ROLES, *ENGAGEMENT_TYPES)}
    cases |= {f"response_rate_{c}_90d" for c in CHANNELS}
    custom = {f.name for f in definitions.custom.declared} if definitions.custom else set()
    assert {f.name for f in all_features(definitions)} - custom - cases == set()


def test_role_that_never_happened_has_no_last_day(rows):
    assert rows["ann"]["days_since_last_visit"] is None


def test_customer_without_an_event_has_zeros_where_nothing_is_a_number(rows):
    names = ["value_events", "value_cents_28d", "channels_90d", "active_weeks_56d", "is_active"]
    assert {name: rows["bob"][name] for name in names} == dict.fromkeys(names, 0)


def test_silence_of_a_customer_without_an_event_begins_when_they_became_known(rows):
    assert (rows["bob"]["own_recency_days"], rows["bob"]["own_age_days"]) == (50, 50)


def test_customer_without_an_event_has_nothing_where_0_would_be_a_claim(rows):
    names = ["days_since_last_value", "max_order_cents", "mean_order_cents",
             "value_median_gap_days", "rfm_money", "best_hour"]  # fmt: skip
    assert {name: rows["bob"][name] for name in names} == dict.fromkeys(names)
