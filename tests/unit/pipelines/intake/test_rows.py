"""Raw values become canonical ones exactly, or the row is rejected with its reason."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from features.errors import ConfigurationError, DataError
from pipelines.intake.rows import content_ids

ORDER = {"constant": "order_completed"}
EVENT = {"customer_id": None, "occurred_at": None, "event_type": ORDER}
NOON = "2024-01-05T12:00:00Z"


def at(*moment):
    return datetime(*moment, tzinfo=UTC)


def orders(values):
    n = len(values)
    return {
        "customer_id": ["1"] * n,
        "occurred_at": [NOON] * n,
        "event_type": ["order_completed"] * n,
        "value": values,
    }


@pytest.fixture
def moments(normalised):
    def read(texts, *, format=None, zone="UTC", timezone=None):
        rows = {"customer_id": ["1"] * len(texts), "occurred_at": texts}
        columns = EVENT | {"occurred_at": {"column": "occurred_at", "format": format}}
        return normalised(rows, columns=columns, zone=zone, timezone=timezone)

    return read


@pytest.mark.parametrize("text", ["001", "NA", "null", "1e3", "-", "Ærø"])
def test_id_stays_the_text_that_it_is(normalised, text):
    rows = normalised(
        {"customer_id": [text], "occurred_at": [NOON], "event_type": ["order_completed"]}
    )
    assert rows["customer_id"].to_list() == [text]
    assert rows["reason"].to_list() == [None]


def test_whole_numbers_become_ids_of_the_same_digits(normalised):
    rows = normalised({"customer_id": [17850], "occurred_at": [NOON]}, columns=EVENT)
    assert rows["customer_id"].to_list() == ["17850"]


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_row_without_a_customer_is_rejected(normalised, empty):
    given = pl.DataFrame(
        {"customer_id": [empty], "occurred_at": [NOON]}, schema_overrides={"customer_id": pl.String}
    )
    assert normalised(given, columns=EVENT)["reason"].to_list() == ["missing_id"]


@pytest.mark.parametrize("column", ["customer_id", "event_id"])
def test_id_that_is_a_number_with_fractions_is_refused(normalised, column):
    given = {"customer_id": ["1"], "event_id": ["a"], "occurred_at": [NOON]} | {column: [17850.0]}
    with pytest.raises(DataError, match=rf"shop, {column}: an id must not be a number with frac"):
        normalised(given, columns=EVENT | {"event_id": None})


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-05T10:30:00Z",
        "2024-01-05 10:30:00Z",
        "2024-01-05T10:30Z",
        "2024-01-05T10:30:00.000Z",
        "2024-01-05 10:30:00 UTC",
        "2024-01-05 10:30:00+00",
        "2024-01-05T12:30:00+02:00",
        "2024-01-05 12:30:00+0200",
        "2024-01-05 12:30:00 +02:00",
    ],
)
def test_time_with_a_zone_needs_no_zone_of_the_source(moments, text):
    assert moments([text])["occurred_at"].to_list() == [at(2024, 1, 5, 10, 30)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-05T12:00:00Z", at(2024, 1, 5, 12)),  # the row's own zone wins
        ("2024-01-05T12:00:00", at(2024, 1, 5, 17)),
        ("2024-01-05 12:00", at(2024, 1, 5, 17)),
        ("2024-01-05", at(2024, 1, 5, 5)),
        (" 2024-07-05 12:00:00.5 ", at(2024, 7, 5, 16, 0, 0, 500_000)),
    ],
)
def test_time_without_a_zone_takes_that_of_the_source(moments, text, expected):
    rows = moments([text], timezone="America/New_York")
    assert rows["occurred_at"].to_list() == [expected]


@pytest.mark.parametrize("text", ["2024-01-05T12:00:00", "2024-01-05"])
def test_time_without_a_zone_is_rejected_where_the_source_has_none(moments, text):
    assert moments([text])["reason"].to_list() == ["bad_time"]


def test_naive_column_is_refused_where_the_source_has_no_zone(moments):
    with pytest.raises(ConfigurationError, match=r"the times have no zone\. Add `timezone:`"):
        moments([datetime(2024, 1, 5, 12)])  # noqa: DTZ001


def test_own_format_without_a_zone_is_refused_where_the_source_has_none(moments):
    with pytest.raises(ConfigurationError, match=r"the times have no zone\. Add `timezone:`"):
        moments(["05/01/2024"], format="%d/%m/%Y")


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("05/01/2024 12:00", "%d/%m/%Y %H:%M", at(2024, 1, 5, 17)),
        ("05-01-2024", "%d-%m-%Y", at(2024, 1, 5, 5)),  # "-2024" is a year and no offset
        ("05/01/2024 12:00 +0100", "%d/%m/%Y %H:%M %z", at(2024, 1, 5, 11)),
        ("20240105T120000Z", "%Y%m%dT%H%M%SZ", at(2024, 1, 5, 12)),
    ],
)
def test_own_format_says_whether_there_is_a_zone(moments, text, form, expected):
    rows = moments([text], format=form, timezone="America/New_York")
    assert rows["occurred_at"].to_list() == [expected]


def test_hour_that_a_clock_change_skips_is_rejected(moments):
    rows = moments(["2024-03-31 01:30:00"], timezone="Europe/London")
    assert rows["reason"].to_list() == ["bad_time"]


def test_hour_that_occurs_twice_means_the_first(moments):
    rows = moments(["2024-10-27 01:30:00"], timezone="Europe/London")
    assert rows["occurred_at"].to_list() == [at(2024, 10, 27, 0, 30)]


@pytest.mark.parametrize("text", ["soon", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z", None])
def test_time_that_is_none_is_rejected(moments, text):
    rows = moments(pl.Series([text], dtype=pl.String))
    assert rows["reason"].to_list() == ["bad_time"]


@pytest.mark.parametrize("text", ["1900-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_time_far_outside_of_history_is_rejected(moments, text):
    assert moments([text])["reason"].to_list() == ["time_out_of_range"]


@pytest.mark.parametrize(
    "number", [1704456000, 1704456000000, 1704456000000000, 1704456000000000000, 1704456000.0]
)
@pytest.mark.parametrize("as_text", [False, True])
def test_size_of_a_number_tells_seconds_from_milliseconds(moments, number, as_text):
    rows = moments([f"{number:.0f}" if as_text else number])
    assert rows["occurred_at"].to_list() == [at(2024, 1, 5, 12)]


def test_declared_unit_of_a_number_wins_over_its_size(moments):
    rows = moments(["86400000"], format="epoch_ms")
    assert rows["occurred_at"].to_list() == [at(1970, 1, 2)]


def test_truth_value_is_no_time(moments):
    with pytest.raises(DataError, match=r"not a time\. Got column 'occurred_at' of type Boolean"):
        moments([True])


@pytest.mark.parametrize("where", ["source", "business"])
def test_unknown_zone_is_refused(moments, where):
    zones = {"timezone": "Mars/Olympus"} if where == "source" else {"zone": "Mars/Olympus"}
    with pytest.raises(ConfigurationError, match=r"unknown time zone. Got 'Mars/Olympus'"):
        moments([NOON], **zones)


@pytest.mark.parametrize(
    ("amount", "cents"),
    [
        ("0.285", 29),
        ("1.005", 101),
        ("2.675", 268),
        ("-1.005", -101),
        ("0.0049", 0),
        ("19.99", 1999),
        (" 12.30 ", 1230),
        ("1e2", 10000),
        ("99999999999.99", 9999999999999),
        (0.285, 29),
        (1.1, 110),
        (7, 700),
    ],
)
def test_amount_is_rounded_to_the_cent_half_away_from_zero(normalised, amount, cents):
    rows = normalised(orders([amount]))
    assert rows["value"].to_list() == [cents]


def test_product_of_quantity_and_price_is_exact_to_the_cent(normalised):
    given = orders([None, None]) | {"quantity": [3, -12], "price": [0.095, 0.85]}
    columns = EVENT | {"value": {"product": ["quantity", "price"]}}
    assert normalised(given, columns=columns)["value"].to_list() == [29, -1020]


@pytest.mark.parametrize("amount", ["a lot", "nan", "inf", "1e30", "12,50"])
def test_amount_that_is_no_number_is_rejected(normalised, amount):
    assert normalised(orders([amount]))["reason"].to_list() == ["bad_value"]


@pytest.mark.parametrize("amount", ["", "  ", None])
def test_empty_amount_is_no_amount_and_not_a_wrong_one(normalised, amount):
    rows = normalised(orders(pl.Series([amount], dtype=pl.String)))
    assert rows.select("value", "reason").rows() == [(None, None)]


def test_load_time_that_cannot_be_read_is_rejected_and_never_means_at_once(normalised):
    given = orders(["1", "1"]) | {"loaded_at": ["yesterday", ""]}
    assert normalised(given)["reason"].to_list() == ["bad_time", None]


def test_end_of_a_consent_that_cannot_be_read_is_rejected_and_never_means_for_ever(normalised):
    given = {
        "customer_id": ["1", "2"],
        "channel": ["email"] * 2,
        "purpose": ["marketing"] * 2,
        "status": ["granted"] * 2,
        "basis": ["opt_in"] * 2,
        "since": ["2024-01-01"] * 2,
        "until": ["31.12.2024", ""],
    }
    assert normalised(given, table="consents")["reason"].to_list() == ["bad_date", None]


def test_date_of_a_moment_is_the_business_day(normalised):
    given = pl.DataFrame({"customer_id": ["1"], "known_since": [at(2024, 1, 5, 3)]})
    rows = normalised(given, table="customers", zone="America/New_York")
    assert rows["known_since"].to_list() == [date(2024, 1, 4)]


def test_first_exception_that_fits_wins(normalised):
    given = {"customer_id": ["1"] * 3, "occurred_at": [NOON] * 3, "event_id": ["C12", "C1", "536"]}
    when = [
        {"column": "event_id", "starts_with": "C12", "then": "order_refunded"},
        {"column": "event_id", "starts_with": "C", "then": "page_viewed"},
    ]
    columns = EVENT | {"event_id": None, "event_type": ORDER | {"when": when}}
    assert normalised(given, columns=columns)["event_type"].to_list() == [
        "order_refunded",
        "page_viewed",
        "order_completed",
    ]


def test_content_ids_do_not_depend_on_the_order_of_rows():
    rows = pl.DataFrame({"a": ["1", "2", None], "b": ["x", "y", "z"]})
    ids, turned = content_ids("shop", rows), content_ids("shop", rows.reverse())
    assert ids.to_list() == turned.to_list()[::-1]
    assert ids.n_unique() == 3


def test_content_ids_tell_sources_and_columns_apart():
    rows = pl.DataFrame({"a": ["1", "12", None, ""], "b": ["23", "3", "x", "x"]})
    ids = [*content_ids("shop", rows), *content_ids("tickets", rows)]
    assert len(set(ids)) == 8


def test_content_ids_stay_the_same_from_release_to_release():
    rows = pl.DataFrame({"customer_id": ["001"], "amount": [1.5]})
    # BLAKE3 of "shop", 0x1F, "amount", 0x1E, "1.5", 0x1F, "customer_id", 0x1E, "001"
    assert content_ids("shop", rows).to_list() == ["ae1474684ef3c2dbc5a1a66c"]


def test_content_id_does_not_change_with_the_order_of_columns_or_an_empty_one():
    rows = pl.DataFrame({"amount": ["5"], "customer_id": ["001"]})
    wider = rows.select("customer_id", pl.lit(None, pl.String).alias("note"), "amount")
    assert content_ids("shop", rows).to_list() == content_ids("shop", wider).to_list()
