import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from features.feature import Feature
from models.reasons import in_points, reasons


def feature(name, low="", high="", family="own"):
    return Feature(name, "days", name, "lifetime", None, low, high, family)


SILENT = feature("silent", high="silent for {x} days", family="silence")
LATE = feature("late", high="late by {x} times", family="silence")
FEW = feature("few", low="{x} orders", family="orders")
VISITS = feature("visits", low="{x} visits", family="visits")
CASES = feature("cases", high="{x} cases", family="service")
UNSPOKEN = feature("unspoken")
EVERY = [SILENT, LATE, FEW, VISITS, CASES, UNSPOKEN]

# Three customers: the middle one is the median of every feature.
VALUES = pl.DataFrame(
    {
        "silent": [90, 30, 10],
        "late": [3.04, 2.0, 1.0],
        "few": [0, 2, 4],
        "visits": [1, 5, 9],
        "cases": [2, 1, 0],
        "unspoken": [9, 5, 1],
    }
)


@pytest.fixture
def first():
    """Reasons of the first customer, whose shares of the log-odds are given; others have none."""

    def of(shares, *, values=VALUES, population=(True, True, True)):
        table = np.zeros((len(values), len(shares)))
        table[0] = list(shares.values())
        middles = values.filter(pl.Series(population)).median().row(0, named=True)
        found = reasons(list(shares), table, values, EVERY, middles)
        words = found.select("reason_1", "reason_2", "reason_3")
        assert words[1:].null_count().row(0) == (len(values) - 1,) * 3
        return list(words.row(0))

    return of


def test_strongest_reasons_come_first_with_their_value(first):
    shares = {"few": 0.2, "cases": 0.3, "silent": 0.9}
    assert first(shares) == ["silent for 90 days", "2 cases", "0 orders"]


def test_phrase_that_names_no_value_shows_none():
    fewer = feature("few", low="fewer orders than before", family="orders")
    shares, middles = np.array([[0.5]] * 3), {"few": 2.0}
    found = reasons(["few"], shares, VALUES.select("few"), [fewer], middles)
    assert found["reason_1"].to_list() == ["fewer orders than before", None, None]


def test_there_are_three_at_most(first):
    shares = {"silent": 0.4, "few": 0.3, "visits": 0.2, "cases": 0.1}
    assert first(shares) == ["silent for 90 days", "0 orders", "1 visits"]


def test_fewer_reasons_leave_null(first):
    assert first({"few": 0.2, "cases": 0.0}) == ["0 orders", None, None]
    assert first({"few": -0.2, "cases": -0.1}) == [None, None, None]


def test_only_the_strongest_of_a_family_is_said(first):
    assert first({"silent": 0.3, "late": 0.5, "few": 0.1}) == ["late by 3 times", "0 orders", None]


def test_feature_without_a_phrase_is_never_a_reason(first):
    assert first({"unspoken": 0.9, "few": 0.1}) == ["0 orders", None, None]


def test_phrase_must_be_on_its_side_of_the_median(first):
    values = VALUES.with_columns(silent=pl.Series([10, 30, 90]), few=pl.Series([2, 2, 4]))
    shares = {"silent": 0.9, "few": 0.5, "cases": 0.1}
    assert first(shares, values=values) == ["2 cases", None, None]


def test_unknown_value_is_no_reason(first):
    values = VALUES.with_columns(silent=pl.Series([None, 30, 10]))
    assert first({"silent": 0.9, "few": 0.1}, values=values) == ["0 orders", None, None]


def test_effects_are_parts_of_the_risk_with_their_signs():
    """From 0.5 (log-odds 0) to 0.8 (log 4) in all: a share counts 0.3 / log 4 times itself."""
    quarter = np.log(4) / 4
    shares = np.array([[3 * quarter, 2 * quarter, -quarter, 0.0]])
    said = pl.DataFrame(
        {"reason_1": ["a"], "reason_1_effect": [3 * quarter],
         "reason_2": ["b"], "reason_2_effect": [2 * quarter],
         "reason_3": [None], "reason_3_effect": [0.0]},
        schema_overrides={"reason_3": pl.String},
    )  # fmt: skip
    (row,) = in_points(said, shares, np.array([0.8])).to_dicts()
    assert (row["risk_start"], row["reason_1_effect"], row["reason_2_effect"]) == (0.5, 0.225, 0.15)
    assert (row["reason_3_effect"], row["risk_rest"]) == (None, -0.075)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(shares=st.lists(st.floats(-4, 4), min_size=4, max_size=4), constant=st.floats(-4, 4))
def test_start_effects_and_rest_add_up_to_the_risk(shares, constant):
    strongest = sorted((max(s, 0.0) for s in shares), reverse=True)
    said = pl.DataFrame(
        {f"reason_{k + 1}{end}": [value if end else "x"] for k, value in enumerate(strongest[:3])
         for end in ("", "_effect")}
    )  # fmt: skip
    whole = np.array([[*shares, constant]])
    risk = expit(whole.sum(axis=1)).round(6)
    (row,) = in_points(said, whole, risk).to_dicts()
    effects = [row[f"reason_{k}_effect"] for k in (1, 2, 3)]
    assert row["risk_start"] + sum(effects) + row["risk_rest"] == pytest.approx(risk[0], abs=1e-9)
    assert all(effect >= 0 for effect in effects)
    assert effects == sorted(effects, reverse=True)


def test_median_is_that_of_the_population(first):
    """Of the two in the population, the first bought less; customers gone long ago count not."""
    values = pl.DataFrame({"few": [1, 5, 0, 0, 0]})
    everybody, population = (True,) * 5, (True, True, False, False, False)
    assert first({"few": 0.5}, values=values, population=population) == ["1 orders", None, None]
    assert first({"few": 0.5}, values=values, population=everybody) == [None, None, None]


def test_value_at_the_median_is_no_reason(first):
    alike = VALUES.with_columns(silent=pl.lit(30), few=pl.lit(2))
    assert first({"silent": 0.9, "few": 0.5}, values=alike) == [None, None, None]
