"""The action file: who is in it, and cells that no spreadsheet runs."""

import csv
import io

import polars as pl
import pytest

from delivery.bands import BandLimits
from delivery.canonical import action_columns, action_rows
from delivery.csv_cells import csv_text
from delivery.dictionary import dictionary_text
from features import schemas
from features.errors import DataError


def read(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@cmd", "'@cmd"),
        ("\t=1", "'=1"),
        ("\tplain", "plain"),
        ("'=1", "''=1"),
        ("\N{ZERO WIDTH SPACE}=1", "'\N{ZERO WIDTH SPACE}=1"),
        ("\r=1", "'=1"),
        ("\x00=1", "'=1"),
        (" =1", "' =1"),
        ("\N{FULLWIDTH EQUALS SIGN}1", "'\N{FULLWIDTH EQUALS SIGN}1"),
        ("a=1", "a=1"),
        ("Zoë", "Zoë"),
    ],
)
def test_formula_leads_are_neutralised(cell, written):
    text = csv_text(pl.DataFrame({"name": [cell, "other"]}))
    assert read(text)[0]["name"] == written


@pytest.mark.parametrize(
    ("phone", "written"),
    [("+442070313000", "+442070313000"), ("+44 20", "'+44 20"), ("=1", "'=1")],
)
def test_only_a_whole_telephone_number_keeps_its_plus(phone, written):
    assert read(csv_text(pl.DataFrame({"phone": [phone]})))[0]["phone"] == written
    assert read(csv_text(pl.DataFrame({"note": [phone]})))[0]["note"].startswith("'")


def test_negative_money_stays_a_number():
    rows = pl.DataFrame({"cost": ["-0.05", "-1+1"], "name": ["-0.05", "b"]})
    written = read(csv_text(rows))
    assert [row["cost"] for row in written] == ["-0.05", "'-1+1"]
    assert written[0]["name"] == "'-0.05"


def test_ids_keep_leading_zeros():
    assert csv_text(pl.DataFrame({"customer_id": ["007"]})) == "customer_id\n007\n"


def test_commas_and_quotes_are_quoted_and_line_breaks_become_a_space():
    text = csv_text(pl.DataFrame({"brief": ['Say "hi",\nthen\x07 stop.']}))
    assert text == 'brief\n"Say ""hi"", then stop."\n'


def test_null_and_empty_text_are_both_blank():
    assert csv_text(pl.DataFrame({"a": [None, ""], "b": ["x", "y"]})) == "a,b\n,x\n,y\n"


def test_small_probabilities_are_written_without_an_exponent():
    assert csv_text(pl.DataFrame({"churn_risk": [0.0001]})) == "churn_risk\n0.0001\n"


def test_only_exported_decisions_are_rows_sorted_by_customer(
    scores, decisions, exported, catalogue
):
    who = scores(*({"customer_id": name} for name in ("2", "01", "3")))
    held = {"customer_id": "3", "outcome": "held_out", "exit_reason": "holdout"}
    rows = action_rows(who, decisions(exported("2"), exported("01"), held), catalogue=catalogue)
    assert rows["customer_id"].to_list() == ["01", "2"]


def test_row_says_what_to_do_in_full(scores, decisions, exported, catalogue):
    who = scores({"customer_id": "1", "churn_risk": 0.51239, "reason_1": "Silent"})
    what = decisions(exported("1", expected_net_value_cents=-5, cost_cents=100))
    row = action_rows(who, what, catalogue=catalogue).row(0, named=True)
    assert row["churn_risk"] == 0.5124
    assert row["churn_band"] == "high"
    assert row["action_name"] == "Thank-you letter"
    assert row["brief"] == "For regular customers. Thank them, and sell nothing."
    assert (row["expected_net_value"], row["cost"]) == ("-0.05", "1.00")
    assert row["send_after"] == row["as_of"]
    assert row["catalogue_version"] == "0123456789ab"


@pytest.mark.parametrize(
    ("risk", "band"),
    [(0.1999, "low"), (0.2, "medium"), (0.4999, "medium"), (0.5, "high"), (None, "")],
)
def test_bands_start_at_their_limit_and_none_is_blank(
    scores, decisions, exported, catalogue, risk, band
):
    who = scores({"customer_id": "1", "churn_risk": risk})
    rows = action_rows(who, decisions(exported("1")), catalogue=catalogue)
    assert rows["churn_band"].to_list() == [band]


def test_bands_can_be_set(scores, decisions, exported, catalogue):
    who = scores({"customer_id": "1", "churn_risk": 0.15})
    what = decisions(exported("1"))
    rows = action_rows(who, what, catalogue=catalogue, bands=BandLimits(0.05, 0.1))
    assert rows["churn_band"].to_list() == ["high"]


def test_identities_come_only_when_given(scores, decisions, exported, catalogue):
    who, what = scores({"customer_id": "1"}), decisions(exported("1"))
    names = dict.fromkeys(schemas.IDENTITIES.names, pl.String)
    known = pl.DataFrame(
        [("1", "a@example.com", "+15551234567", "=Ann", "Lee", "US")], schema=names, orient="row"
    )
    without = action_rows(who, what, catalogue=catalogue)
    with_them = action_rows(who, what, catalogue=catalogue, identities=known)
    assert "email" not in without.columns
    assert with_them["email"].to_list() == ["a@example.com"]
    assert read(csv_text(with_them))[0]["first_name"] == "'=Ann"
    assert read(csv_text(with_them))[0]["phone"] == "+15551234567"


def test_columns_are_those_declared(scores, decisions, exported, catalogue):
    rows = action_rows(scores({"customer_id": "1"}), decisions(exported("1")), catalogue=catalogue)
    assert rows.columns == [column.name for column in action_columns()]


def test_no_exported_decision_gives_a_header_alone(scores, decisions, catalogue):
    held = {"customer_id": "1", "outcome": "held_out", "exit_reason": "holdout"}
    rows = action_rows(scores({"customer_id": "1"}), decisions(held), catalogue=catalogue)
    assert csv_text(rows).count("\n") == 1


def test_action_that_the_catalogue_lacks_is_refused(scores, decisions, exported, catalogue):
    what = decisions(exported("1", action_id="gone"))
    with pytest.raises(DataError, match="action of the catalogue"):
        action_rows(scores({"customer_id": "1"}), what, catalogue=catalogue)


def test_exported_decision_without_a_score_is_refused(scores, decisions, exported, catalogue):
    with pytest.raises(DataError, match="without a score"):
        action_rows(scores({"customer_id": "1"}), decisions(exported("2")), catalogue=catalogue)


def test_customer_twice_in_identities_is_refused(scores, decisions, exported, catalogue):
    twice = pl.DataFrame({name: ["1", "1"] for name in schemas.IDENTITIES.names})
    what = decisions(exported("1"))
    with pytest.raises(DataError, match="twice"):
        action_rows(scores({"customer_id": "1"}), what, catalogue=catalogue, identities=twice)


def test_same_rows_in_any_order_give_the_same_bytes(scores, decisions, exported, catalogue):
    who = scores({"customer_id": "1"}, {"customer_id": "2"})
    what = decisions(exported("1"), exported("2"))
    first = csv_text(action_rows(who, what, catalogue=catalogue))
    assert csv_text(action_rows(who.reverse(), what.reverse(), catalogue=catalogue)) == first


def test_dictionary_names_every_column():
    columns = action_columns(identities=True)
    text = dictionary_text(columns, version=7)
    assert all(f"| `{column.name}` | {column.kind} |" in text for column in columns)
    assert text.endswith("|\n")


def test_interval_of_a_measured_effect_is_that_of_what_was_measured(
    scores, decisions, exported, catalogue
):
    effects = pl.DataFrame(
        {"action_id": ["thank_you"], "stage": ["retention"], "points": [2.0], "sd": [0.5]}
    )
    row = exported("1", basis="measured", stage="retention")
    made = action_rows(
        scores({"customer_id": "1"}), decisions(row), catalogue=catalogue, effects=effects
    )
    # (12.05 + 0.05) x (1 -+ 1.2816 x 0.5 / 2) - 0.05
    assert made.select("net_value_low", "net_value_high").row(0) == ("8.17", "15.93")


def test_effect_that_is_learned_for_each_customer_has_no_interval(
    scores, decisions, exported, catalogue
):
    what = decisions(exported("1", basis="randomised"))
    made = action_rows(scores({"customer_id": "1"}), what, catalogue=catalogue)
    assert made.select("net_value_low", "net_value_high").row(0) == (None, None)
