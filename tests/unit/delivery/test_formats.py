"""Numbers, money and codes as a reader prints them."""

import pytest

from delivery import formats, words


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (123456, "USD", "$1,234.56"),
        (5, "GBP", "£0.05"),
        (-105, "EUR", "\N{MINUS SIGN}€1.05"),
        (100, "XTS", "XTS\N{NO-BREAK SPACE}1.00"),
        (1250, "JPY", "\N{YEN SIGN}13"),
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
    said = words.sentence("surely better than past_rate; against mbg_nbd AUC +0.015")
    assert said == (
        "surely better than “Rule that the past year's rate goes on”; against “Simple model of the "
        "purchase history alone (MBG/NBD)” AUC +0.015"
    )


@pytest.mark.parametrize(
    ("code", "money", "share"),
    [
        ("en", "$1,234,567.89", "12.3%"),
        ("de-DE", "1.234.567,89\N{NO-BREAK SPACE}$", "12,3\N{NO-BREAK SPACE}%"),
        ("fr-FR", "1\u202f234\u202f567,89\N{NO-BREAK SPACE}$US", "12,3\N{NO-BREAK SPACE}%"),
        ("en-IN", "$12,34,567.89", "12.3%"),
    ],
)
def test_locale_decides_separators_and_where_the_symbol_stands(code, money, share):
    with formats.written_in(code):
        assert formats.money(123456789, "USD") == money
        assert formats.percent(0.1234) == share
    assert formats.money(100, "USD") == "$1.00"


@pytest.mark.parametrize(
    ("code", "currency", "shape"),
    [
        ("en", "USD", '"$"#,##0.00;[Red]-"$"#,##0.00'),
        ("en", "JPY", '"\N{YEN SIGN}"#,##0;[Red]-"\N{YEN SIGN}"#,##0'),
        ("de-DE", "EUR", '#,##0.00"\u00a0\u20ac";[Red]-#,##0.00"\u00a0\u20ac"'),
    ],
)
def test_workbook_has_the_currency_where_the_locale_has_it(code, currency, shape):
    with formats.written_in(code):
        assert formats.excel_money(currency) == shape


def test_unknown_locale_is_refused():
    with pytest.raises(ValueError, match="xx"):
        formats.locale("xx-XX")
