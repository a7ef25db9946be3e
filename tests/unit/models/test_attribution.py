import numpy as np
import pandas as pd
import polars as pl
import pytest

from features.feature import DECAYED_UNIT, Feature
from models.attribution import CONSTANT, HISTORY, changes_of, parts_of

SILENCE = Feature(
    "silence", "days", "days since the last order", "lifetime", high="no order for {x} days"
)
VISITS = Feature("visits", "visits", "visits", "lifetime", low="{x} visits")
AGE = Feature("age", "days", "days since known", "lifetime")


class Linear:
    """Log-odds = 0.1 silence - 0.2 visits + 0.01 age + 0.5 (purchases) - 1."""

    feature_names_in_ = np.array(["silence", "visits", "age"], dtype=object)

    def attributions(self, x: pd.DataFrame):
        shares = x.to_numpy() * [0.1, -0.2, 0.01]
        return np.column_stack([shares, np.full(len(x), 0.5), np.full(len(x), -1.0)])

    def predict_proba(self, x: pd.DataFrame):
        risk = 1 / (1 + np.exp(-self.attributions(x).sum(axis=1)))
        return np.column_stack([1 - risk, risk])


ROW = pl.DataFrame({"silence": [84], "visits": [2], "age": [100]})
OTHERS = pl.DataFrame({"silence": [10, 21, 30], "visits": [1, 5, 9], "age": [50, 100, 200]})


def test_parts_add_up_to_the_log_odds_of_the_risk():
    parts = parts_of(Linear(), ROW, [SILENCE, VISITS, AGE], most=2)
    assert sum(part.log_odds for part in parts) == pytest.approx(8.4 - 0.4 + 1.0 + 0.5 - 1.0)
    assert [part.meaning for part in parts] == [
        "days since the last order", "days since known", "2 others together", CONSTANT,
    ]  # fmt: skip
    assert parts[0].log_odds == pytest.approx(8.4)
    assert parts[2].log_odds == pytest.approx(0.1)


def test_a_decayed_count_is_told_in_events():
    decayed = VISITS._replace(unit=DECAYED_UNIT)
    row = ROW.with_columns(visits=3 * 2**19)
    parts = parts_of(Linear(), row, [SILENCE, decayed, AGE], most=4)
    assert {part.meaning: part.value for part in parts}["visits"] == 1.5


def test_the_purchase_history_is_a_part_of_its_own():
    assert HISTORY in [p.meaning for p in parts_of(Linear(), ROW, [SILENCE, VISITS, AGE], most=4)]


def test_a_change_moves_one_actionable_feature_to_the_median():
    lowest, other = changes_of(Linear(), ROW, OTHERS, [SILENCE, VISITS, AGE])
    assert (lowest.value, lowest.median) == (84, 21)
    assert lowest.risk == pytest.approx(1 / (1 + np.exp(-(2.1 - 0.4 + 1 + 0.5 - 1))))
    assert other.meaning == "visits"
