"""Platform files: who is in which, in what form, split at the limits."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
import yaml

from delivery.canonical import action_rows
from delivery.exports import platform_export, split_csv
from delivery.platforms import Limits, PlatformCatalogue

ADA = {"customer_id": "1", "email": "Ada@Example.org", "phone": "+44 20 7031 3000",
       "first_name": 'B\xf6se, "B"', "country": "gb"}  # fmt: skip


@pytest.fixture(scope="module")
def platforms(request):
    path: Path = request.config.rootpath / "catalogue" / "platforms.yaml"
    return PlatformCatalogue.model_validate(yaml.safe_load(path.read_text("utf-8")))


@pytest.fixture
def export(platforms, scores, decisions, catalogue):
    """Export for a platform of decisions and clearances, with everybody scored."""

    def of(platform, rows, known):
        table = decisions(*rows)
        who = scores(*({"customer_id": row["customer_id"]} for row in rows))
        actions = action_rows(
            who, table, catalogue=catalogue, identities=known.identities, granted=known.permitted
        )
        return platform_export(platform, platforms, actions=actions, decisions=table, known=known)

    return of


def read(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


HELD = {"customer_id": "2", "outcome": "held_out", "exit_reason": "holdout", "arm": "holdout"}


def test_held_out_customer_is_in_the_file_of_those_to_leave_out_alone(export, exported, known):
    made = export("braze", [exported("1"), HELD], known("1", "2"))
    assert [row["external_id"] for row in read(made.files["braze.csv"])] == ["1"]
    assert read(made.files["suppress_braze.csv"]) == [{"external_id": "2"}]
    assert "opt_out_braze.csv" not in made.files


def test_refusals_and_objections_are_in_the_file_of_refusals(export, exported, known):
    told = known("1", "2", "3", refused=[("2", "email"), ("1", "sms")], objected=["3"])
    made = export("braze", [exported("1")], told)
    assert read(made.files["opt_out_braze.csv"]) == [
        {"external_id": "2", "email_subscribe": "unsubscribed"},
        {"external_id": "3", "email_subscribe": "unsubscribed"},
    ]


def test_address_stands_last_where_the_platform_wants_it(export, exported, known):
    made = export("salesforce_mc", [exported("1")], known("1", identities=[ADA]))
    header = made.files["salesforce_mc.csv"].decode().partition("\n")[0].split(",")
    assert header[0] == "Subscriber Key"
    assert header[-1] == "Email Address"


def test_text_has_no_signs_that_separate_cells(export, exported, known):
    made = export("mailchimp", [exported("1")], known("1", identities=[ADA]))
    (row,) = read(made.files["mailchimp.csv"])
    assert (row["Email Address"], row["First Name"]) == ("ada@example.org", "B\xf6se B")
    assert row["keepwell_consent_basis"] == "opt_in"
    assert b'"' not in made.files["mailchimp.csv"]


def test_advertisers_get_hashes_by_state_of_consent(export, exported, known):
    american = {"customer_id": "2", "country": "US"}
    german = {"customer_id": "3", "country": "DE"}
    told = known("1", "2", "3", "4", identities=[ADA, american, german])
    grant = pl.DataFrame([("1", "ad", "opt_in")], told.permitted.schema, orient="row")
    told = told._replace(permitted=grant)
    rows = [exported(c, channel="ad") for c in ("1", "2", "3", "4")]
    made = export("google_customer_match", rows, told)
    (granted,) = read(made.files["google_customer_match_granted.csv"])
    assert granted["Phone"] == "f3d7e96c73fb0de1b66acfce541d7af758fbd4f3fa3af0ea4e10110000d3625e"
    assert len(read(made.files["google_customer_match_unspecified.csv"])) == 1
    assert made.left_out == {"no_grant": 2}  # Germany, and a country that nobody knows


def test_advertisers_learn_of_nobody_who_would_have_to_agree_and_did_not(export, known):
    american = {"customer_id": "2", "country": "US"}
    german = {"customer_id": "3", "country": "DE"}
    told = known("1", "2", "3", identities=[ADA, american, german], refused=[("3", "ad")])
    grant = pl.DataFrame([("1", "ad", "opt_in")], told.permitted.schema, orient="row")
    held = [{"customer_id": c, "outcome": "held_out", "exit_reason": "holdout"} for c in "123"]
    made = export("google_customer_match", held, told._replace(permitted=grant))
    assert list(made.files) == ["suppress_google_customer_match.csv"]
    assert len(read(made.files["suppress_google_customer_match.csv"])) == 2


def test_list_below_the_platform_s_minimum_is_not_written(export, exported, known):
    made = export("linkedin", [exported("1", channel="ad")], known("1", identities=[ADA]))
    assert made.files == {}
    assert made.left_out == {"no_grant": 1}


def test_who_has_no_address_or_an_id_that_no_cell_can_hold_is_counted(export, exported, known):
    nobody = {"customer_id": "2", "email": "not an address"}
    rows = [exported("1"), exported("2")]
    assert export("mailchimp", rows, known("1", "2", identities=[nobody])).left_out == {
        "no_address": 1
    }
    made = export("braze", [exported("=1"), exported("1")], known("=1", "1"))
    assert made.left_out == {"unusable_id": 1}
    assert [row["external_id"] for row in read(made.files["braze.csv"])] == ["1"]


def test_action_of_another_channel_is_in_no_file(export, exported, known):
    assert export("mailchimp", [exported("1", channel="web")], known("1")).files == {}


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [({"rows": 4}, [4, 4, 2]), ({"bytes": 14}, [5, 5]), ({"rows": 4, "min_rows": 3}, [4, 3, 3]),
     ({}, [10])],
)  # fmt: skip
def test_file_is_split_at_the_limits(limits, sizes):
    rows = pl.DataFrame({"id": [str(n) for n in range(10)]})
    parts = list(split_csv("list", rows, Limits(**limits)))
    assert [count for _, _, count in parts] == sizes
    assert b"".join(content.removeprefix(b"id\n") for _, content, _ in parts) == (
        b"".join(b"%d\n" % n for n in range(10))
    )
    single = ["list.csv"]
    assert [name for name, _, _ in parts] == (
        single if len(sizes) == 1 else [f"list_part{n:02d}.csv" for n in range(1, len(sizes) + 1)]
    )
