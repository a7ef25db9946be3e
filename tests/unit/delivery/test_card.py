"""The model card says what was measured, in words, the same in Markdown and in HTML."""

import re

import pytest

from delivery.card import card_html, card_markdown, model_card
from delivery.formats import DASH

CHURN = {
    "test_as_of": "2025-11-01", "train_as_of": ["2025-09-01", "2025-10-01"], "horizon_days": 28,
    "gap_days": 0, "population": "customers with a value event in the 365 days before", "n": 1200,
    "promoted": True, "why": "AUC beats recency by 0.05 (0.02 to 0.08)",
    "rows": [
        {"model": "recency", "auc": 0.7, "log_loss": 0.6, "ece": 0.05, "top_decile_lift": 1.5},
        {"model": "keepwell", "auc": 0.75, "log_loss": 0.5, "ece": 0.02, "top_decile_lift": 2.0},
    ],
    "card": {
        "intervals": {"auc": [0.72, 0.78], "log_loss": [0.48, 0.52]},
        "by_expected": [{"predicted": 0.1, "observed": 0.125, "n": 600},
                        {"predicted": 0.6, "observed": 0.55, "n": 600}],
        "groups": [{"by": "stage", "group": "retention", "customers": 40, "actual": 0.25,
                    "expected": 0.3, "loss": 0.4}],
    },
}  # fmt: skip
VALUE = CHURN | {
    "gap_days": 3,
    "rows": [{"model": "keepwell", "mae": 1234.0, "bias": 1.1, "coverage": float("nan")}],
    "card": {
        "intervals": {"mae": [1200.0, 1300.0]},
        "by_expected": [{"predicted": 5000.0, "observed": 4500.0, "n": 1200}],
        "groups": [{"by": "level", "group": "loyalty", "customers": 40, "actual": 100.0,
                    "expected": 250.0, "loss": 150.0}],
    },
}  # fmt: skip


@pytest.fixture
def churn():
    return card_markdown(model_card("churn", "shop-churn@abc", CHURN))


@pytest.mark.parametrize(
    "line",
    [
        "- **Model**: shop-churn@abc",
        "- **Population**: customers with a value event in the 365 days before",
        "- **Label**: no value event in the 28 days after a date: 1, else 0",
        "- **Learned from**: customers as they were on 1 September 2025 and 1 October 2025",
        "- **Data span**: outcomes from 1 September 2025 to 28 November 2025; features read "
        "everything before their date",
        "| AUC | 0.750 | 0.720 to 0.780 |",
        f"| Calibration error | 0.020 | {DASH} |",
        "| Rule of days since the last purchase | 0.700 | 0.600 | 0.050 | 1.500 |",
        "| 1 | 600 | 10.0% | 12.5% |",
        "| Stage: Retention | 40 | 25.0% | 30.0% | 0.400 |",
    ],
)
def test_card_says_what_was_measured(churn, line):
    assert line in churn.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "- **Label**: money of the value events in the 28 days after a date, from 3 days on, "
        "at least 0",
        "| Mean absolute error | 12.34 | 12.00 to 13.00 |",
        f"| Share within the 80% intervals | {DASH} | {DASH} |",
        "| 1 | 1,200 | 50.00 | 45.00 |",
        "| Level: Loyalty | 40 | 1.00 | 2.50 | 1.50 |",
    ],
)
def test_money_is_in_units_of_the_currency(line):
    assert line in card_markdown(model_card("value", "shop-value@abc", VALUE)).splitlines()


def test_model_that_did_not_pass_says_so():
    text = card_markdown(model_card("churn", "x", CHURN | {"promoted": False, "why": "too early"}))
    assert "- **Outcome**: did not replace what is in use: too early" in text


def test_page_says_the_same_and_loads_nothing():
    card = model_card("churn", "shop<churn", CHURN)
    page = card_html(card)
    cells = [cell for table in card.tables for row in table.rows for cell in row]
    assert all(f">{cell}</t" in page for cell in cells)
    assert "shop&lt;churn" in page
    assert not re.search(r"src=|href=|https?:", page)
