"""Random customers who share addresses, refuse, object, are suppressed or held out."""

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.catalogue import ActionCatalogue
from delivery.canonical import action_rows
from delivery.checks import check_file
from delivery.clearance import Clearances, addresses, cleared, of_known
from delivery.exports import platform_export
from delivery.identifiers import sha256
from delivery.manifest import manifest
from delivery.platforms import PlatformCatalogue
from features import schemas
from pipelines.tables import polars_schema

AS_OF = date(2026, 1, 1)
CHANNELS = ("email", "sms", "push", "web", "ad")
CATALOGUE = ActionCatalogue.model_validate(
    {
        "channels": {name: {"consent": name not in ("web", "ad")} for name in CHANNELS},
        "all_channels": {"count": 4, "days": 30},
        "actions": [
            {
                "id": "thanks", "name": "Thanks", "tactic": "targeted_email", "goal": "retain",
                "stages": ["retention"], "levels": ["loyalty"], "activities": ["active"],
                "channels": dict.fromkeys(CHANNELS, 1), "cooldown_days": 1, "expires_days": 1,
                "effect": {"points": 1, "sd": 1, "source": "assumption"},
                "brief": "Say thank you. " * 2,
            }
        ],
    }
)  # fmt: skip
PLATFORMS = PlatformCatalogue.model_validate(
    yaml.safe_load((Path(__file__).parents[2] / "catalogue" / "platforms.yaml").read_text("utf-8"))
)
examples = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


class World(NamedTuple):
    """Decisions, and what is known when the files are written."""

    scores: pl.DataFrame
    decisions: pl.DataFrame
    known: Clearances
    customers: pl.DataFrame


def table(schema: schemas.Table, rows: list[dict]) -> pl.DataFrame:
    types = polars_schema(schema)
    blanks = {"text": "x", "integer": 0, "float": 0.5, "date": AS_OF, "boolean": False}
    blank = {c.name: None if c.nullable else blanks[c.kind] for c in schema.columns}
    return pl.DataFrame([blank | row for row in rows], schema=types, orient="row")


@st.composite
def worlds(draw) -> World:
    ids = draw(st.lists(st.sampled_from([f"{n:03d}" for n in range(12)] + ["=1", "a,b", "NA"]),
                        min_size=1, max_size=12, unique=True))  # fmt: skip
    mails = st.sampled_from(["A@example.org", "a@example.org ", "b@example.org", "nothing", None])
    phones = st.sampled_from(["+44 20 7031 3000", "+442070313000", "+15550000001", "12", None])
    outcomes = st.sampled_from(["exported", "exported", "exported", "held_out", "no_action"])
    channel, several = st.sampled_from(CHANNELS), lambda one: st.lists(one, max_size=3)
    people, rows = [], []
    for customer in ids:
        country = draw(st.sampled_from(["DE", "us", None]))
        mail, phone = draw(mails), draw(phones)
        people.append({"customer_id": customer, "email": mail, "phone": phone, "country": country})
        outcome = draw(outcomes)
        done = {"action_id": "thanks", "channel": draw(channel), "basis": "assumed",
                "expires_on": AS_OF}  # fmt: skip
        rows.append(
            {"customer_id": customer, "decision_id": f"d{customer}", "outcome": outcome,
             "expected_net_value_cents": draw(st.integers(0, 3))}
            | (done if outcome == "exported" else {"exit_reason": "holdout"})
        )  # fmt: skip
    who = st.sampled_from(ids)
    pairs = {"customer_id": pl.String, "channel": pl.String}
    refused = draw(several(st.tuples(who, st.sampled_from([*CHANNELS, "any"]))))
    granted = [
        (c, ch, "opt_in") for c in ids for ch in CHANNELS if draw(st.integers(0, 4)) > 0
        and (c, ch) not in refused
    ]  # fmt: skip
    listed = draw(several(st.tuples(
        st.sampled_from([("email", "a@example.org"), ("phone", "+15550000001"),
                         ("customer_id", "003"),
                         ("email_sha256", sha256(pl.Series(["b@example.org"]))[0])]),
        st.sampled_from([*CHANNELS, "any"]))))  # fmt: skip
    suppressions = [
        {"kind": kind, "identifier": value, "channel": ch} for (kind, value), ch in set(listed)
    ]
    known = Clearances(
        permitted=pl.DataFrame(granted, pairs | {"basis": pl.String}, orient="row"),
        refused=pl.DataFrame(list(set(refused)), pairs, orient="row"),
        objected=pl.DataFrame(
            {"customer_id": draw(several(who))}, {"customer_id": pl.String}
        ).unique(),
        suppressions=table(schemas.SUPPRESSIONS, suppressions),
        identities=table(schemas.IDENTITIES, people),
    )
    standing = {"stage": "retention", "level": "loyalty", "activity": "active",
                "reported_stage": "retention", "reported_level": "loyalty"}  # fmt: skip
    scores = table(schemas.SCORES, [{"customer_id": c} | standing for c in ids])
    erased = set(draw(several(who)))
    customers = pl.DataFrame(
        {"customer_id": [c for c in ids if c not in erased]}, {"customer_id": pl.String}
    )
    return World(scores, table(schemas.DECISIONS, rows), known, customers)


def exported(world):
    """Decisions after the last gate, and the action rows."""
    passed = cleared(of_known(world.decisions, world.customers), world.known, CATALOGUE)
    rows = action_rows(
        of_known(world.scores, world.customers), passed, catalogue=CATALOGUE,
        identities=world.known.identities, granted=world.known.permitted,
    )  # fmt: skip
    return passed, rows


def identifiers(content: bytes) -> set[str]:
    """Everything in a file that names a person."""
    rows = csv.DictReader(io.StringIO(content.decode()))
    named = ("external_id", "id", "email", "phone", "userid", "subscriber key", "email address")
    return {v for row in rows for k, v in row.items() if k.lower() in named and v}


def spellings(customers: pl.DataFrame, world) -> set[str]:
    """Ids, addresses and their hashes of customers."""
    where = addresses(world.known.identities).join(customers, on="customer_id", how="semi")
    plain = [t for t in [*customers["customer_id"], *where["email"], *where["phone"]] if t]
    digits = [t.lstrip("+") for t in plain]
    return set(plain) | set(sha256(pl.Series([*plain, *digits], dtype=pl.String)))


@examples
@given(worlds(), st.sampled_from(list(PLATFORMS.platforms)))
def test_no_send_file_names_who_objected_is_erased_held_out_or_did_not_pass(world, name):
    passed, rows = exported(world)
    made = platform_export(name, PLATFORMS, actions=rows, decisions=passed, known=world.known)
    held = passed.filter(pl.col("outcome") == "held_out").select("customer_id")
    barred = spellings(held, world) | spellings(world.known.objected, world)
    sent = [identifiers(text) for file, text in made.files.items() if file.startswith(name)]
    away = [identifiers(t) for file, t in made.files.items() if file.startswith("suppress_")]
    for names in sent:
        assert not names & barred
        assert all(not names & others for others in away)
    withheld = passed.filter(pl.col("outcome") == "suppressed")["customer_id"]
    assert not set(withheld) & set(rows["customer_id"])
    assert set(rows["customer_id"]) <= set(world.customers["customer_id"])
    ids = pl.DataFrame({"customer_id": world.scores["customer_id"]})
    erased = set(ids.join(world.customers, on="customer_id", how="anti")["customer_id"])
    assert all(not names & erased for names in [*sent, *away])


@examples
@given(worlds())
def test_nobody_is_written_to_by_a_channel_that_they_refused_or_that_is_suppressed(world):
    _, rows = exported(world)
    where = {c: (mail, phone) for c, mail, phone in addresses(world.known.identities).iter_rows()}
    refused = set(world.known.refused.iter_rows())
    granted = {(c, ch) for c, ch, _ in world.known.permitted.iter_rows()}
    listed = {(k, v, ch) for k, v, ch in world.known.suppressions.drop("listed_on").iter_rows()}
    for customer, channel in rows.select("customer_id", "channel").iter_rows():
        mail, phone = where[customer]
        own = [("customer_id", customer), ("email", mail), ("phone", phone)]
        own += [(f"{kind}_sha256", sha256(pl.Series([v], dtype=pl.String))[0]) for kind, v in own]
        assert not {(k, v, ch) for k, v in own for ch in (channel, "any")} & listed
        assert (customer, channel) not in refused
        assert (customer, channel) in granted or not CATALOGUE.channels[channel].consent
        address = {"email": mail, "ad": mail, "sms": phone}.get(channel)
        kind = 1 if channel == "sms" else 0
        same = {c for c, both in where.items() if address and both[kind] == address}
        assert not {(c, ch) for c in same for ch in (channel, "any")} & refused


@examples
@given(worlds())
def test_everybody_decided_on_is_counted_once_and_an_address_is_reached_once(world):
    passed, rows = exported(world)
    left = of_known(world.decisions, world.customers)
    assert passed["decision_id"].to_list() == left["decision_id"].to_list()
    gone = world.decisions.height - left.height
    told = manifest(
        as_of=AS_OF, run_id="r", scored=left.height, decisions=passed, files={}, versions={},
        hashes={}, erased=gone,
    )["counts"]  # fmt: skip
    assert told["exported"] == rows.height
    outcomes = ("exported", "held_out", "suppressed", "no_action", "erased")
    assert sum(told[name] for name in outcomes) == world.decisions.height
    assert sum(told["by_exit_reason"].values()) + told["exported"] == told["scored"]
    where = {c: mail for c, mail, _ in addresses(world.known.identities).iter_rows()}
    mailed = [where[c] for c in rows.filter(pl.col("channel") == "email")["customer_id"]]
    assert max(Counter(mail for mail in mailed if mail).values(), default=1) == 1


@examples
@given(worlds(), st.sampled_from([n for n in PLATFORMS.platforms if n != "linkedin"]))
def test_every_file_that_is_written_passes_its_own_check(world, name):
    passed, rows = exported(world)
    made = platform_export(name, PLATFORMS, actions=rows, decisions=passed, known=world.known)
    for file, content in made.files.items():
        assert check_file(file, content, PLATFORMS.platforms[name], PLATFORMS, AS_OF) == []
    channels = PLATFORMS.platforms[name].channels
    mine = rows.filter(pl.col("channel").is_in(channels)).height
    sent = sum(count for file, count in made.rows.items() if file.startswith(name))
    assert sent + sum(made.left_out.values()) == mine
