"""Files that a platform would refuse, each named by the rule that it breaks."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from delivery.checks import check_file
from delivery.platforms import PlatformCatalogue
from delivery.rules import RULES

TODAY = date(2026, 1, 1)
HASH = "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674"
OTHER = "f3d7e96c73fb0de1b66acfce541d7af758fbd4f3fa3af0ea4e10110000d3625e"
GOOD = {
    "braze": "external_id,email_subscribe,keepwell_action,keepwell_channel,keepwell_expires_on,"
    "keepwell_consent_basis\n001,opted_in,thanks,email,2026-01-15,opt_in\n"
    "002,subscribed,thanks,email,2026-01-15,contract\n",
    "klaviyo": "Email,Phone Number,Email Marketing Consent,loves\na@example.org,+442070313000,"
    "Subscribe,cats\nb@example.org,,Unsubscribed,\n",
    "hubspot": "First Name,Email,Lifecycle Stage,keepwell_send_after\nAda,a@example.org,Lead,"
    "2026-01-01\nBo,b@example.org,Customer,2026-01-02\n",
    "mailchimp": "Email Address,First Name,OPTIN_TIME\na@example.org,Ada,2025-01-01 10:00:00\n"
    "b@example.org,Bo,2025-01-02\n",
    "salesforce_mc": "Subscriber Key,Subscriber Status,Email Address\n001,Active,a@example.org\n"
    "002,Unsubscribed,b@example.org\n",
    "customer_io": "id,email,unsubscribed\n001,a@example.org,true\n002,b@example.org,false\n",
    "iterable": "email,userId,signupDate,phoneNumber\na@example.org,001,2025-01-01 10:00:00,"
    "+442070313000\nb@example.org,002,2025-01-02,+442070313001\n",
    "google_customer_match": f"Email,First Name,Last Name,Country,Zip,Phone\n{HASH},{HASH},{HASH},"
    f"GB,AB1 2CD,{OTHER}\n{OTHER},,,,,\n",
    "meta": f"email,phone,country\n{HASH},{OTHER},GB\n{OTHER},,DE\n",
    "linkedin": "email,firstname,country\n"
    + "".join(f"p{n}@example.org,P,GB\n" for n in range(300)),
}


@pytest.fixture(scope="module")
def catalogue(request):
    path: Path = request.config.rootpath / "catalogue" / "platforms.yaml"
    return PlatformCatalogue.model_validate(yaml.safe_load(path.read_text("utf-8")))


@pytest.fixture(scope="module")
def rules_broken(catalogue):
    def by(platform: str, content: bytes, name: str = "list.csv") -> set[str]:
        found = check_file(name, content, catalogue.platforms[platform], catalogue, TODAY)
        return {finding.rule for finding in found}

    return by


def test_every_platform_has_a_good_file_that_passes(catalogue, rules_broken):
    assert GOOD.keys() == catalogue.platforms.keys()
    broken = {name: rules_broken(name, text.encode()) for name, text in GOOD.items()}
    assert broken == {name: set() for name in GOOD}


# platform, rule, text of the good file, text in its place
CELLS = [
    ("braze", "value_unknown", "opted_in", "opted_in "),
    ("braze", "value_unknown", "opted_in", "Opted_In"),
    ("braze", "value_unknown", "opt_in\n", "assumed\n"),
    ("braze", "consent_missing", "opt_in\n", "\n"),
    ("braze", "consent_missing", ",contract", ", "),
    ("braze", "cell_comma_or_quote", "001,", '"0,01",'),
    ("braze", "cell_comma_or_quote", "001,", '"0""1",'),
    ("braze", "date_form", "email,2026-01-15,opt_in", "email,15.01.2026,opt_in"),
    ("braze", "date_form", "email,2026-01-15,opt_in", "email,2026-02-30,opt_in"),
    ("braze", "cell_empty", "email,2026-01-15,opt_in", ",2026-01-15,opt_in"),
    ("braze", "identifier_duplicate", "002,", "001,"),
    ("braze", "identifier_missing", "002,", ","),
    ("braze", "identifier_missing", "002,", "  ,"),
    ("braze", "formula_lead", "001,", "=1+1,"),
    ("braze", "formula_lead", "thanks,email,2026-01-15,opt_in", "@sum,email,2026-01-15,opt_in"),
    ("braze", "formula_lead", "001,", "\uff1d1,"),
    ("klaviyo", "email_form", "a@example.org", "a;b@example.org"),
    ("klaviyo", "email_form", "a@example.org", "a@example"),
    ("klaviyo", "email_form", "a@example.org", " a@example.org"),
    ("klaviyo", "email_form", "a@example.org", "a@@example.org"),
    ("klaviyo", "email_form", "a@example.org", "=a@example.org"),
    ("klaviyo", "phone_form", "+442070313000", "020 7031 3000"),
    ("klaviyo", "phone_form", "+442070313000", "442070313000"),
    ("klaviyo", "phone_form", "+442070313000", "+44 2070313000"),
    ("klaviyo", "value_unknown", "Subscribe,cats", "subscribed,cats"),
    ("klaviyo", "identifier_duplicate", "b@example.org", "a@example.org"),
    ("klaviyo", "formula_lead", "cats", "-cats"),
    ("klaviyo", "cell_line_break", "cats", '"cats\ndogs"'),
    ("hubspot", "value_unknown", "Lead", "lead"),
    ("hubspot", "identifier_missing", "Bo,b@example.org", "Bo,"),
    ("hubspot", "date_form", "Lead,2026-01-01", "Lead,01/01/2026"),
    ("mailchimp", "future_time", "2025-01-01 10:00:00", "2026-01-02 10:00:00"),
    ("mailchimp", "time_form", "2025-01-01 10:00:00", "yesterday"),
    ("mailchimp", "cell_bytes", "Ada", "\N{FACE WITH TEARS OF JOY}" * 64),
    ("mailchimp", "cell_empty", "b@example.org", ""),
    ("mailchimp", "control_character", "Ada", "A\x00da"),
    ("mailchimp", "control_character", "Ada", "A\x1bda"),
    ("salesforce_mc", "value_unknown", "Active", "active"),
    ("salesforce_mc", "cell_empty", "b@example.org", ""),
    ("customer_io", "boolean_form", "true", "TRUE"),
    ("customer_io", "identifier_duplicate", "002,b@example.org", "003,a@example.org"),
    ("iterable", "time_form", "2025-01-01 10:00:00", "1.1.25"),
    ("iterable", "identifier_duplicate", "b@example.org,002", "c@example.org,001"),
    ("google_customer_match", "hash_case", f"{OTHER},,", f"{OTHER.upper()},,"),
    ("google_customer_match", "hash_form", f"{OTHER},,", f"{OTHER[:-1]},,"),
    ("google_customer_match", "hash_form", f"{OTHER},,", f"{OTHER[:-1]}g,,"),
    ("google_customer_match", "hash_form", f"{OTHER},,", f"{HASH[:32]},,"),
    ("google_customer_match", "not_hashed", f"{OTHER},,", "b@example.org,,"),
    ("google_customer_match", "not_hashed", f"2CD,{OTHER}", "2CD,+442070313000"),
    ("google_customer_match", "must_not_be_hashed", ",GB,", f",{OTHER},"),
    ("google_customer_match", "must_not_be_hashed", ",AB1 2CD,", f",{OTHER},"),
    ("google_customer_match", "country_form", ",GB,", ",UK1,"),
    ("google_customer_match", "incomplete_group", ",AB1 2CD,", ",,"),
    ("google_customer_match", "identifier_duplicate", f"{OTHER},,", f"{HASH},,"),
    ("meta", "mixed_hashing", f"{OTHER},,DE", "b@example.org,,DE"),
    ("meta", "country_form", ",DE", ",Germany"),
    ("meta", "phone_form", f",{OTHER},", ",0207 031,"),
    ("meta", "hash_form", f"{OTHER},,DE", "x" * 64 + ",,DE"),
    ("linkedin", "too_few_rows", "p0@example.org,P,GB\n", ""),
    ("linkedin", "identifier_duplicate", "p1@", "p0@"),
]  # fmt: skip

HEADERS = [
    ("braze", "identifier_several", "email_subscribe", "phone"),
    ("braze", "identifier_header", "external_id", "customer"),
    ("braze", "header_case", "external_id", "External_ID"),
    ("braze", "header_space", "email_subscribe", "email_subscribe "),
    ("braze", "header_duplicate", "email_subscribe", "external_id"),
    ("braze", "header_empty", "email_subscribe", ""),
    ("braze", "private_column", "email_subscribe", "reason_1"),
    ("braze", "consent_missing", ",keepwell_consent_basis", ",basis"),
    ("braze", "header_missing", ",keepwell_channel", ",channel"),
    ("klaviyo", "identifier_place", "Email,Phone Number", "name,Email"),
    ("klaviyo", "header_case", "Phone Number", "phone number"),
    ("salesforce_mc", "identifier_place", "Subscriber Status,Email Address",
     "Email Address,Subscriber Status"),
    ("customer_io", "header_case", "id,", "ID,"),
    ("iterable", "header_case", "userId", "userID"),
    ("google_customer_match", "header_unknown", "Country", "Land"),
    ("google_customer_match", "header_case", "Email", "email"),
    ("google_customer_match", "header_duplicate", "First Name,Last Name", "First Name,First Name"),
    ("meta", "header_unknown", "phone", "keepwell_action"),
    ("linkedin", "header_unknown", "firstname", "first"),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "rule", "good", "bad"), [*CELLS, *HEADERS])
def test_changed_text_is_refused_by_name(rules_broken, platform, rule, good, bad):
    text = GOOD[platform]
    assert good in text
    assert rule in rules_broken(platform, text.replace(good, bad, 1).encode())


BYTES = [
    ("klaviyo", "encoding", lambda text: text.encode("utf-16")),
    ("klaviyo", "encoding", lambda text: text.encode("utf-16-be")),
    ("hubspot", "encoding", lambda text: text.replace("Ada", "Zo\xeb").encode("latin-1")),
    ("google_customer_match", "encoding", lambda text: text.encode("utf-16")),
    ("meta", "byte_order_mark", lambda text: text.encode("utf-8-sig")),
    ("braze", "line_ends", lambda text: text.replace("\n", "\r\n", 1).encode()),
    ("braze", "line_ends", lambda text: text.replace("\n", "\r").encode()),
    ("mailchimp", "quoting", lambda text: text.replace("Ada", '"Ada').encode()),
    ("mailchimp", "quoting", lambda text: text.replace("Ada", '"A"da').encode()),
    ("customer_io", "delimiter", lambda text: text.replace(",", ";").encode()),
    ("customer_io", "delimiter", lambda text: text.replace(",", "\t").encode()),
    ("iterable", "no_header", lambda _: b""),
    ("iterable", "no_header", lambda text: b"\n" + text.encode()),
    ("iterable", "no_rows", lambda text: text.partition("\n")[0].encode()),
    ("hubspot", "cell_count", lambda text: text.replace("Bo,", "Bo,,").encode()),
    ("hubspot", "cell_count", lambda text: text.replace(",2026-01-02", "").encode()),
    ("hubspot", "file_bytes", lambda text: text.encode() + b"\n" * 20_000_001),
    ("hubspot", "column_count",
     lambda text: "".join(line + ",x" * 996 + "\n" for line in text.splitlines()).encode()),
    ("linkedin", "too_many_rows", lambda text: (text + "a@example.org,P,GB\n" * 300_000).encode()),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "rule", "spoilt"), BYTES)
def test_changed_bytes_are_refused_by_name(rules_broken, platform, rule, spoilt):
    assert rule in rules_broken(platform, spoilt(GOOD[platform]))


def test_file_of_another_kind_is_refused(rules_broken):
    assert rules_broken("klaviyo", GOOD["klaviyo"].encode(), "list.xlsx") == {"extension"}


def test_tab_separated_text_is_taken_where_the_platform_takes_it(rules_broken):
    text = GOOD["mailchimp"].replace(",", "\t").encode()
    assert rules_broken("mailchimp", text, "list.txt") == set()


def test_held_out_customer_in_a_file_is_refused(rules_broken):
    text = "id,arm\n001,policy\n002,holdout\n"
    assert rules_broken("customer_io", text.encode()) == {"held_out"}


def test_number_with_a_zero_in_front_is_refused_because_it_may_be_read_as_octal(rules_broken):
    text = "id,keepwell_best_hour\n001,09\n"
    assert rules_broken("customer_io", text.encode()) == {"leading_zero"}


def test_there_are_at_least_sixty_cases_and_every_rule_has_one():
    cases = [*CELLS, *HEADERS, *BYTES]
    assert len(cases) >= 60
    elsewhere = {"extension", "held_out", "leading_zero", "number_form", "language_form"}
    assert {case[1] for case in cases} | elsewhere == RULES.keys()


@pytest.mark.parametrize(
    ("header", "cell", "rule"),
    [("language", "english", "language_form"), ("keepwell_best_hour", "nine", "number_form")],
)
def test_cell_of_the_wrong_form_is_refused(rules_broken, header, cell, rule):
    assert rules_broken("braze", f"external_id,{header}\n1,{cell}\n".encode()) == {rule}


def test_finding_says_where_and_how_often_but_not_what(catalogue):
    text = "id,email\n1,a x.org\n2,b x.org\n"
    (found,) = check_file(
        "l.csv", text.encode(), catalogue.platforms["customer_io"], catalogue, TODAY
    )
    assert found.sentence.startswith("email_form: line 2, email: ")
    assert found.sentence.endswith("(2 times)")
    assert "x.org" not in found.sentence
