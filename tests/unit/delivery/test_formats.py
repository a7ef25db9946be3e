"""Numbers, money and codes as a reader prints them."""

import pytest

from delivery import formats, words


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (123456, "USD", "$1,234.56"),
        (5, "GBP", "£0.05"),
        (-105, "EUR", "\N{MINUS SIGN}€1.05"),
        (100, "XTS", "XTS 1.00"),
    ],
)
def test_money_has_symbol_sign_and_separators(cents, currency, text):
    assert formats.money(cents, currency) == text


def test_whole_money_rounds_half_up_and_has_no_negative_zero():
    assert formats.money(150, "USD", whole=True) == "$2"
    assert formats.money(-20, "USD", whole=True) == "$0"


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0.1334, "13.3%"), (0, "0.0%"), (0.0001, "<0.1%"), (1, "100.0%"), (None, formats.DASH)],
)
def test_rates_are_percentages(rate, text):
    assert formats.percent(rate) == text


def test_lists_end_in_and():
    assert formats.listing(["a"]) == "a"
    assert formats.listing(["a", "b", "c"]) == "a, b and c"


def test_no_code_is_left_in_the_words_of_the_gate():
    said = words.sentence("does not beat rfm_logistic: log_loss +0.1 (95 % interval)")
    assert "_" not in said
    assert "recency, frequency and spend" in said
