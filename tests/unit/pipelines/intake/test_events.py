"""Normalised rows become events: known, once, with orders put together."""

from datetime import date

import polars as pl
import pytest

NOON, LATER = "2024-01-05T12:00:00Z", "2024-01-05T18:00:00Z"


def rows_of(*rows, columns=("customer_id", "event_id", "event_type", "occurred_at", "value")):
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


@pytest.fixture
def kept():
    def events(intake, *columns):
        return intake.accepted.sort("event_id").select(columns).rows()

    return events


def test_names_are_compared_in_snake_case_and_aliases_are_followed(take_in, kept):
    intake = take_in(
        rows_of(
            ("1", "a", "Order Completed", NOON, "1"),
            ("1", "b", "page-viewed", NOON, None),
            ("1", "c", "Purchase", NOON, "2"),
        )
    )
    assert kept(intake, "event_type", "role", "engagement_type") == [
        ("order_completed", "value", "transactional"),
        ("page_viewed", "visit", None),
        ("order_completed", "value", "transactional"),
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("teleported", "unknown_event_type"), ("", "missing_event_type")]
)
def test_event_of_an_unknown_type_is_rejected(take_in, reasons, name, code):
    assert reasons(take_in(rows_of(("1", "a", name, NOON, "1")))) == {code: 1}


def test_usual_channel_is_used_only_where_the_source_does_not_say(take_in, kept):
    columns = ("customer_id", "event_id", "event_type", "occurred_at", "channel")
    intake = take_in(
        rows_of(
            ("1", "a", "page_viewed", NOON, None),
            ("1", "b", "page_viewed", NOON, "app"),
            columns=columns,
        )
    )
    assert kept(intake, "channel") == [("web",), ("app",)]


@pytest.mark.parametrize(
    ("event_type", "value", "code"),
    [
        ("order_completed", None, "missing_value"),
        ("order_completed", "cheap", "bad_value"),
        ("order_completed", "-5.00", "negative_value"),
        ("page_viewed", "cheap", "bad_value"),
    ],
)
def test_amount_that_cannot_be_is_rejected(take_in, reasons, event_type, value, code):
    assert reasons(take_in(rows_of(("1", "a", event_type, NOON, value)))) == {code: 1}


@pytest.mark.parametrize(
    ("event_type", "value", "cents"),
    [
        ("order_completed", "0.00", 0),
        ("page_viewed", None, 0),
        ("order_refunded", "12.50", -1250),
        ("order_refunded", "-12.50", -1250),
    ],
)
def test_money_of_a_refund_is_negative_however_it_is_written(
    take_in, kept, event_type, value, cents
):
    intake = take_in(rows_of(("1", "a", event_type, NOON, value)))
    assert kept(intake, "value_cents") == [(cents,)]


def test_exact_duplicate_is_counted_and_not_quarantined(take_in, reasons, kept):
    row = ("1", "a", "order_completed", NOON, "5")
    intake = take_in(rows_of(row, row, row))
    assert kept(intake, "event_id", "value_cents") == [("a", 500)]
    assert reasons(intake) == {"duplicate": 2}


def test_of_two_different_events_with_one_id_neither_is_believed(take_in, reasons, kept):
    intake = take_in(
        rows_of(
            ("1", "a", "order_completed", NOON, "5"),
            ("1", "a", "order_completed", NOON, "6"),
            ("1", "b", "order_completed", NOON, "7"),
        )
    )
    assert kept(intake, "event_id") == [("b",)]
    assert reasons(intake) == {"conflicting_duplicate": 2}


def test_rejected_row_does_not_put_another_with_its_id_in_doubt(take_in, reasons, kept):
    intake = take_in(
        rows_of(
            ("1", "a", "order_completed", NOON, "5"),
            ("1", "a", "order_completed", "never", "5"),
        )
    )
    assert kept(intake, "event_id") == [("a",)]
    assert reasons(intake) == {"bad_time": 1}


def test_events_without_an_id_get_one_from_their_content(take_in):
    rows = rows_of(
        ("1", None, "order_completed", NOON, "5"),
        ("2", None, "order_completed", NOON, "5"),
        ("3", "c", "order_completed", NOON, "5"),
    )
    intake = take_in(rows)
    ids = intake.accepted.sort("customer_id")["event_id"].to_list()
    assert ids[2] == "c"
    assert len({*ids}) == 3
    turned = take_in(rows.reverse()).accepted.sort("customer_id")["event_id"].to_list()
    assert ids == turned


def test_lines_of_an_order_become_one_event(take_in, kept):
    intake = take_in(
        rows_of(
            ("1", "a", "order_completed", LATER, "5.10"),
            ("1", "a", "order_completed", NOON, "4.95"),
            ("1", "a", "order_completed", NOON, "-0.05"),
        ),
        lines=True,
    )
    hour = pl.col("occurred_at").dt.hour().alias("hour")
    assert kept(intake, "event_id", "value_cents", hour) == [("a", 1000, 12)]
    assert not intake.rejected.height


@pytest.mark.parametrize(
    "other", [("2", "a", "order_completed", NOON, "1"), ("1", "a", "order_refunded", NOON, "1")]
)
def test_lines_of_different_customers_or_types_are_no_order(take_in, reasons, kept, other):
    intake = take_in(
        rows_of(
            ("1", "a", "order_completed", NOON, "100"),
            other,
            ("1", "b", "order_completed", NOON, "7"),
        ),
        lines=True,
    )
    assert kept(intake, "event_id") == [("b",)]
    assert reasons(intake) == {"conflicting_lines": 2}


def test_line_without_an_order_is_rejected(take_in, reasons):
    rows = rows_of(
        ("1", None, "order_completed", NOON, "1"), ("1", "a", "order_completed", NOON, "1")
    )
    assert reasons(take_in(rows, lines=True)) == {"missing_event_id": 1}


def test_order_whose_lines_take_more_than_they_bring_is_rejected_whole(take_in, reasons, kept):
    intake = take_in(
        rows_of(
            ("1", "a", "order_completed", NOON, "5"),
            ("1", "a", "order_completed", NOON, "-6"),
            ("1", "b", "order_completed", NOON, "5"),
            ("1", "b", "order_completed", NOON, "-5"),
        ),
        lines=True,
    )
    assert kept(intake, "event_id", "value_cents") == [("b", 0)]
    assert reasons(intake) == {"negative_value": 2}


def test_business_day_is_that_of_the_company(take_in, kept):
    rows = rows_of(("1", "a", "order_completed", "2024-01-01T03:00:00Z", "1"))
    intake = take_in(rows, zone="America/New_York")
    assert kept(intake, "on", "day") == [(date(2023, 12, 31), 19722)]


@pytest.mark.parametrize(
    ("loaded", "day"),
    [("2024-01-08T00:00:00Z", 19730), ("2024-01-01T00:00:00Z", 19727), (None, 19727)],
)
def test_event_is_seen_from_the_later_of_happening_and_loading(take_in, kept, loaded, day):
    columns = ("customer_id", "event_id", "event_type", "occurred_at", "loaded_at")
    rows = rows_of(("1", "a", "page_viewed", NOON, loaded), columns=columns)
    assert kept(take_in(rows), "visible_day") == [(day,)]
