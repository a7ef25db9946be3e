"""Times and numbers, read off their values."""

import polars as pl
import pytest

from pipelines.onboarding.formats import number_form, time_form


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["2024-03-01T10:22:33Z"], None),
        (["2024-03-01 10:22:33 +0100"], None),
        (["13/02/2024 10:11", "01/03/2024 09:00"], "%d/%m/%Y %H:%M"),
        (["2/13/2024 3:04 PM", "1/3/2024 3:05 AM"], "%m/%d/%Y %I:%M %p"),
        (["01.02.2024, 10:15"], "%d.%m.%Y, %H:%M"),
        (["02/13/24"], "%m/%d/%y"),
        (["20240101"], "%Y%m%d"),
        (["Feb 1, 2024 3:04 PM"], "%b %d, %Y %I:%M %p"),
        (["1706745600"], "epoch_s"),
        (["1706745600000"], "epoch_ms"),
    ],
)
def test_form_of_times(values, form):
    found = time_form(pl.Series(values))
    assert found is not None
    assert found.format == form
    if form and "%" in form:
        assert pl.Series(values).str.to_datetime(form, strict=False).null_count() == 0


@pytest.mark.parametrize("values", [["12345"], ["10000001"], ["K001"], ["5.00"], [None], []])
def test_ids_and_amounts_are_not_times(values):
    assert time_form(pl.Series(values, dtype=pl.String)) is None


def test_order_of_the_rows_decides_where_no_number_is_beyond_twelve():
    rows = [f"{month:02d}/{day:02d}/2024" for month in range(1, 9) for day in range(1, 12)]
    found = time_form(pl.Series(rows))
    assert found is not None
    assert (found.format, found.other) == ("%m/%d/%Y", None)


@pytest.mark.parametrize(
    ("values", "decimal"),
    [
        (["1.234,50", "12,3"], ","),
        (["€ 12,50", "3,00"], ","),
        (["1,234.50", "3"], "."),
        (["$12.34"], "."),
        (["12.5", "-3"], "."),
    ],
)
def test_decimal_sign(values, decimal):
    found = number_form(pl.Series(values))
    assert found is not None
    assert found.decimal == decimal


def test_words_are_not_numbers():
    assert number_form(pl.Series(["abc", "1"])) is None
