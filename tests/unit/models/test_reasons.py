import numpy as np
import polars as pl
import pytest

from features.feature import Feature
from models.reasons import reasons


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
        assert found.columns == ["reason_1", "reason_2", "reason_3"]
        assert found[1:].null_count().row(0) == (len(values) - 1,) * 3
        return list(found.row(0))

    return of


def test_strongest_reasons_come_first_with_their_value(first):
    shares = {"few": 0.2, "cases": 0.3, "silent": 0.9}
    assert first(shares) == ["silent for 90 days", "2 cases", "0 orders"]


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


def test_median_is_that_of_the_population(first):
    """Of the two in the population, the first bought less; customers gone long ago count not."""
    values = pl.DataFrame({"few": [1, 5, 0, 0, 0]})
    everybody, population = (True,) * 5, (True, True, False, False, False)
    assert first({"few": 0.5}, values=values, population=population) == ["1 orders", None, None]
    assert first({"few": 0.5}, values=values, population=everybody) == [None, None, None]


def test_value_at_the_median_is_no_reason(first):
    alike = VALUES.with_columns(silent=pl.lit(30), few=pl.lit(2))
    assert first({"silent": 0.9, "few": 0.5}, values=alike) == [None, None, None]
