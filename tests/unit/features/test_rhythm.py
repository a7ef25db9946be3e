"""Decayed counts, strengths, best times."""

from math import log

import pytest


def test_decay_halves_with_every_half_life(features):
    weights = [features(ago)["value_events_decay_15d"] for ago in (1, 16, 31)]
    assert weights == [2**20, 2**19, 2**18]


def test_event_long_ago_decays_to_nothing(features):
    assert features(600)["value_events_decay_15d"] == 0


def test_event_beyond_the_history_is_not_read(features):
    assert features(731)["active_days_decay_15d"] == 0


def test_strength_adds_the_logs_of_each_kind(features):
    shown = {"engagement_type": "social"}
    row = features((1, shown), (31, shown), (1, shown | {"role": "advocacy"}))
    assert row["social_strength"] == pytest.approx(log(1 + 1.5) + log(1 + 1))
    assert row["emotional_strength"] == 0.0


def test_best_hour_is_when_most_days_begin(features):
    row = features((9, {"hour": 20}), (8, {"hour": 9}), (8, {"hour": 21}), (7, {"hour": 20}))
    assert row["best_hour"] == 20


def test_of_two_equal_hours_the_earlier_is_best(features):
    assert features((9, {"hour": 20}), (8, {"hour": 9}))["best_hour"] == 9


def test_best_hour_is_unknown_where_the_source_knows_days_only(features):
    assert features(9, 8)["best_hour"] is None


def test_best_weekday_is_that_of_most_active_days(features, as_of):
    sunday = as_of.isoweekday()
    assert features(7, 14, 3)["best_weekday"] == sunday
