"""The declarations: unique, speakable, and exact."""

import re

import pytest

from features.counts import daily_features, decayed
from features.definitions import all_features
from features.feature import Feature
from features.time import visible


def test_names_are_unique(params):
    names = [feature.name for feature in all_features(params)]
    assert len(names) == len(set(names)) > 100


def test_every_feature_says_its_unit_and_meaning(params):
    assert [f.name for f in all_features(params) if not (f.unit and f.meaning)] == []


def test_every_phrase_formats_with_its_value_alone(params):
    phrases = [p for f in all_features(params) for p in (f.low, f.high) if p]
    said = [phrase.format(x=3) for phrase in phrases]
    assert len(said) > 10
    assert [text for text in said if re.search(r"[{}]", text)] == []


def test_every_feature_with_a_phrase_has_a_family(params):
    spoken = [f for f in all_features(params) if f.actionable]
    assert spoken
    assert [f.name for f in spoken if not f.family] == []


def test_no_feature_speaks_on_both_sides(params):
    assert [f.name for f in all_features(params) if f.low and f.high] == []


def test_sums_are_integers(params, seen):
    features = [f for f in daily_features(params) if f.additive]
    row = seen(100, 40, (12, {"role": "visit", "engagement_type": "social"})).group_by(
        "customer_id"
    )
    made = row.agg(*(f.column for f in features)).collect().to_native().drop("customer_id")
    assert [name for name, dtype in made.schema.items() if not dtype.is_integer()] == []


def test_decay_halves_with_every_half_life(params, seen):
    def weight(days_ago):
        rows = seen(days_ago).group_by("customer_id").agg(x=decayed("role_value", 15))
        return rows.collect()["x"].to_list()

    assert [weight(1), weight(16), weight(31)] == [[2**20], [2**19], [2**18]]


def test_event_long_ago_decays_to_nothing(seen):
    rows = seen(600).group_by("customer_id").agg(x=decayed("role_value", 15)).collect()
    assert rows["x"].to_list() == [0]


def test_feature_of_another_module_has_no_expression_of_its_own():
    with pytest.raises(ValueError, match="usual_gap_days is computed by a module of its own"):
        _ = Feature("usual_gap_days", "days", "a pause", "population").column


def test_window_features_see_the_edges_of_their_windows(params, seen):
    features = [f for f in daily_features(params) if f.name.startswith("events_")]
    row = seen(7, 8, 28, 29, 90, 91).group_by("customer_id").agg(*(f.column for f in features))
    expected = {"events_7d": 1, "events_28d": 3, "events_90d": 5, "events_365d": 6}
    (only,) = row.collect().rows(named=True)
    assert {name: only[name] for name in expected} == expected


def test_weeks_are_counted_once_however_busy(params, daily, as_of):
    weeks = next(f for f in daily_features(params) if f.name == "active_weeks_56d")
    rows = visible(daily(1, 7, 7, 8, 56, 57), as_of).group_by("customer_id").agg(weeks.column)
    assert rows.collect()["active_weeks_56d"].to_list() == [3]


def test_trend_compares_a_window_with_the_one_before(params, seen):
    trend = next(f for f in daily_features(params) if f.name == "value_events_trend_7d")
    rows = seen(7, 8, 9, 14, 15).group_by("customer_id").agg(trend.column)
    assert rows.collect()["value_events_trend_7d"].to_list() == [1 - 3]
