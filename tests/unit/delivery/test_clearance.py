"""Who is withheld at the last gate, and why."""

from datetime import date

import polars as pl
import pytest

from delivery.clearance import check_freshness, cleared
from delivery.identifiers import sha256
from features.errors import RefusedError

AS_OF = date(2026, 1, 1)


def reasons(table):
    """Customer -> reason, of those who do not pass."""
    out = table.filter(pl.col("outcome") == "suppressed")
    return dict(out.select("customer_id", "exit_reason").iter_rows())


def digest(text):
    return sha256(pl.Series([text]))[0]


def listed(kind, identifier, channel="any"):
    return {"kind": kind, "identifier": identifier, "channel": channel, "listed_on": AS_OF}


def test_who_may_be_written_to_passes_unchanged(decisions, exported, known, catalogue):
    table = decisions(exported("1"), exported("2", channel="web"))
    assert cleared(table, known("1"), catalogue).equals(table)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"objected": ["1"]}, "objected"),
        ({"refused": [("1", "email")]}, "no_consent"),
        ({"suppressions": [listed("email", " ONE@example.org")]}, "suppressed"),
        (
            {"suppressions": [listed("email_sha256", digest("one@example.org").upper())]},
            "suppressed",
        ),
        ({"suppressions": [listed("customer_id", "1", "email")]}, "suppressed"),
        ({"suppressions": [listed("customer_id_sha256", digest("1"))]}, "suppressed"),
        ({"suppressions": [listed("customer_id", "1", "sms")]}, None),
        ({"suppressions": [listed("customer_id", "01")]}, None),
        ({"refused": [("2", "email")]}, "address_refused"),
        ({"refused": [("2", "any")]}, "address_refused"),
        ({"refused": [("2", "sms")]}, None),
        ({"objected": ["2"]}, "address_refused"),
    ],
)
def test_refusal_of_the_customer_or_of_the_address_withholds(
    decisions, exported, known, catalogue, changes, reason
):
    people = [{"customer_id": "1", "email": "One@example.org"}]
    people += [{"customer_id": "2", "email": "one@example.org "}]
    table = cleared(
        decisions(exported("1")), known("1", "2", identities=people, **changes), catalogue
    )
    assert reasons(table).get("1") == reason


def test_missing_grant_withholds_where_the_channel_needs_one(decisions, exported, known, catalogue):
    table = decisions(exported("1"), exported("2", channel="web"))
    assert reasons(cleared(table, known(), catalogue)) == {"1": "no_consent"}


def test_refusal_of_all_channels_closes_those_that_need_no_consent(
    decisions, exported, known, catalogue
):
    table = decisions(exported("1", channel="web"))
    assert reasons(cleared(table, known("1", refused=[("1", "any")]), catalogue)) == {
        "1": "no_consent"
    }


def test_address_of_a_held_out_customer_is_left_alone(decisions, exported, known, catalogue):
    people = [{"customer_id": c, "phone": "+44 20 7031 3000"} for c in ("1", "2")]
    table = decisions(
        exported("1"), {"customer_id": "2", "outcome": "held_out", "exit_reason": "holdout"}
    )
    assert reasons(cleared(table, known("1", "2", identities=people), catalogue)) == {
        "1": "address_held_out"
    }


def test_of_one_address_the_most_valuable_then_the_first_id_is_kept(
    decisions, exported, known, catalogue
):
    people = [{"customer_id": c, "email": "same@example.org"} for c in "1234"]
    table = decisions(
        exported("1", expected_net_value_cents=10),
        exported("2", expected_net_value_cents=90),
        exported("3", expected_net_value_cents=90),
        exported("4", expected_net_value_cents=99, channel="web"),
    )
    assert reasons(cleared(table, known(*"1234", identities=people), catalogue)) == {
        "1": "address_repeated",
        "3": "address_repeated",
    }


def test_withheld_row_has_no_action_and_costs_nothing(decisions, exported, known, catalogue):
    table = cleared(decisions(exported("1")), known("1", objected=["1"]), catalogue)
    row = table.row(0, named=True)
    assert [row[name] for name in ("action_id", "channel", "basis", "expires_on")] == [None] * 4
    assert row["cost_cents"] == row["expected_net_value_cents"] == 0


@pytest.mark.parametrize(
    ("days", "refused"), [([3], False), ([30, 3], False), ([8], True), ([], True)]
)
def test_old_or_empty_list_of_suppressions_refuses_the_export(known, days, refused):
    rows = [
        listed("email", f"{d}@example.org") | {"listed_on": date(2025, 12, 32 - d)} for d in days
    ]
    table = known(suppressions=rows).suppressions
    if not refused:
        check_freshness(table, AS_OF, declared=True, max_age_days=7)
        return
    with pytest.raises(RefusedError, match="too old to write to anybody"):
        check_freshness(table, AS_OF, declared=True, max_age_days=7)


def test_without_a_source_of_suppressions_nothing_is_asked(known):
    check_freshness(known().suppressions, AS_OF, declared=False, max_age_days=7)
