"""People: one row a key, the restrictive one first, everybody known once."""

from datetime import date

import polars as pl
import pytest

from features.schemas import CUSTOMERS
from pipelines.intake.people import complete, everybody
from pipelines.tables import polars_schema

CONSENT = {
    "customer_id": "1",
    "channel": "email",
    "purpose": "marketing",
    "status": "granted",
    "basis": "opt_in",
    "since": "2024-01-01",
}


def consents(*changes):
    return pl.DataFrame([CONSENT | change for change in changes])


@pytest.mark.parametrize("order", [("granted", "denied"), ("denied", "granted")])
def test_of_two_words_of_one_day_the_refusal_counts(take_people, reasons, order):
    intake = take_people("consents", consents(*({"status": status} for status in order)))
    assert intake.accepted["status"].to_list() == ["denied"]
    assert reasons(intake) == {"duplicate": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"status": "yes"},
        {"purpose": "fun"},
        {"basis": "hope"},
        {"channel": ""},
        {"status": None},
        {"channel": "any"},  # nobody allows every channel at once
    ],
)
def test_consent_in_unknown_words_is_rejected(take_people, reasons, change):
    assert reasons(take_people("consents", consents(change, {}))) == {"unknown_consent": 1}


def test_consent_without_a_beginning_is_rejected(take_people, reasons):
    assert reasons(take_people("consents", consents({"since": "soon"}))) == {"bad_date": 1}


def test_first_row_of_a_customer_is_kept(take_people, reasons):
    rows = {"customer_id": ["7", "7"], "email": ["first@example.org", "second@example.org"]}
    intake = take_people("identities", rows)
    assert intake.accepted["email"].to_list() == ["first@example.org"]
    assert reasons(intake) == {"duplicate": 1}


def test_columns_that_a_source_lacks_are_empty(take_people):
    intake = take_people("identities", {"customer_id": ["7"], "email": ["a@example.org"]})
    assert intake.accepted.row(0) == ("7", "a@example.org", None, None, None, None)


def test_everybody_is_known_since_the_earlier_of_list_and_first_event_seen():
    days = {"1": date(2024, 1, 5), "2": date(2024, 1, 5)}
    listed = pl.DataFrame(
        {"customer_id": [*days], "known_since": [*days.values()]}, schema=polars_schema(CUSTOMERS)
    )
    events = pl.LazyFrame(
        {
            "customer_id": ["2", "2", "3"],
            "on": [date(2024, 1, 2), date(2024, 1, 9), date(2024, 1, 3)],
            "visible_day": [19724, 19731, 19727],  # the last one was loaded two days later
        }
    )
    assert everybody(listed, events).rows() == [
        ("1", date(2024, 1, 5)),
        ("2", date(2024, 1, 2)),
        ("3", date(2024, 1, 5)),
    ]


def test_nobody_listed_is_an_empty_table_of_the_right_columns():
    assert complete(pl.DataFrame(), CUSTOMERS).schema == polars_schema(CUSTOMERS)
