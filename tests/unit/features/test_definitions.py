"""The declarations: unique and speakable."""

import re

import pytest

from features.definitions import all_features
from features.feature import Feature


def test_names_are_unique(definitions):
    names = [feature.name for feature in all_features(definitions)]
    assert len(names) == len(set(names)) > 100


def test_every_feature_says_its_unit_and_meaning(definitions):
    assert [f.name for f in all_features(definitions) if not (f.unit and f.meaning)] == []


def test_every_phrase_formats_with_its_value_alone(definitions):
    phrases = [p for f in all_features(definitions) for p in (f.low, f.high) if p]
    said = [phrase.format(x=3) for phrase in phrases]
    assert len(said) > 10
    assert [text for text in said if re.search(r"[{}]", text)] == []


def test_every_feature_with_a_phrase_has_a_family(definitions):
    spoken = [f for f in all_features(definitions) if f.actionable]
    assert spoken
    assert [f.name for f in spoken if not f.family] == []


def test_no_feature_speaks_on_both_sides(definitions):
    assert [f.name for f in all_features(definitions) if f.low and f.high] == []


def test_feature_of_another_module_has_no_expression_of_its_own():
    with pytest.raises(ValueError, match="usual_gap_days is computed by a module of its own"):
        _ = Feature("usual_gap_days", "days", "a pause", "population").column
