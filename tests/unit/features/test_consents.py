"""Consent as of a date: a refusal wins a tie, and what is not known is no."""

from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pytest

from features.consents import objected, permissions, refusals

AS_OF = date(2026, 11, 1)
SCHEMA = {
    "customer_id": pl.String,
    "channel": pl.String,
    "purpose": pl.String,
    "status": pl.String,
    "basis": pl.String,
    "since": pl.Date,
    "until": pl.Date,
}


def consent(status: str, days_ago: int, *, until_days_ago: int | None = None, **values) -> dict:
    until = None if until_days_ago is None else AS_OF - timedelta(days=until_days_ago)
    return {
        "customer_id": "ann",
        "channel": "email",
        "purpose": "marketing",
        "status": status,
        "basis": "opt_in",
        "since": AS_OF - timedelta(days=days_ago),
        "until": until,
    } | values


def lazy(rows: tuple[dict, ...]) -> nw.LazyFrame:
    return nw.from_native(pl.DataFrame(list(rows), schema=SCHEMA, orient="row").lazy())


@pytest.fixture
def allowed(events):
    """Build the channels that are allowed, from consents and opt-out events."""

    def of(*consents: dict, opt_outs: tuple = ()) -> list[str]:
        left = events(*((days_ago, {"role": "opt_out"} | v) for days_ago, v in opt_outs))
        rows = permissions(lazy(consents), left, AS_OF).collect()
        return sorted(rows["channel"].to_list())

    return of


def profiling(status: str, days_ago: int, **values) -> dict:
    return consent(status, days_ago, purpose="profiling", channel="any", **values)


@pytest.fixture
def objectors(events):
    """Build the customers who object, from consents and events of the type ``objected``."""

    def of(*consents: dict, days_ago: tuple[int, ...] = ()) -> list[str]:
        said = events(*((d, {"role": "opt_out", "event_type": "objected"}) for d in days_ago))
        return sorted(objected(lazy(consents), said, AS_OF).collect()["customer_id"].to_list())

    return of


@pytest.fixture
def refused(events):
    """Build the channels whose last word is a refusal."""

    def of(*consents: dict, opt_outs: tuple = ()) -> list[str]:
        left = events(*((days_ago, {"role": "opt_out"} | v) for days_ago, v in opt_outs))
        return sorted(refusals(lazy(consents), left, AS_OF).collect()["channel"].to_list())

    return of


def test_event_that_says_objected_is_an_objection(objectors):
    assert objectors(days_ago=(5,)) == ["ann"]
    assert objectors(profiling("granted", 3), days_ago=(5,)) == []


def test_channel_is_refused_by_its_last_word(refused):
    assert refused(consent("denied", 9)) == ["email"]
    assert refused(consent("denied", 9), consent("granted", 4)) == []
    assert refused(opt_outs=((3, {"channel": "store"}),)) == ["store"]
    assert refused(opt_outs=((3, {"channel": None}),)) == ["any"]
    assert refused(consent("unknown", 9)) == []


def test_granted_channel_is_allowed_and_no_other(allowed):
    assert allowed(consent("granted", 10)) == ["email"]


@pytest.mark.parametrize("status", ["denied", "revoked", "unknown"])
def test_whatever_is_not_granted_is_no(allowed, status):
    assert allowed(consent(status, 10)) == []


def test_without_a_row_nothing_is_allowed(allowed):
    assert allowed() == []


def test_grant_for_profiling_is_none_for_marketing(allowed):
    assert allowed(consent("granted", 10, purpose="profiling")) == []


def test_refusal_after_a_grant_ends_it(allowed):
    assert allowed(consent("granted", 10), consent("revoked", 5)) == []


def test_later_grant_wins(allowed):
    assert allowed(consent("denied", 10), consent("granted", 5)) == ["email"]


def test_refusal_of_the_same_day_wins(allowed):
    assert allowed(consent("granted", 5), consent("denied", 5)) == []


def test_refusal_of_one_channel_leaves_the_others(allowed):
    rows = [consent("granted", 10), consent("granted", 10, channel="sms")]
    assert allowed(*rows, consent("revoked", 5)) == ["sms"]


def test_refusal_of_any_channel_ends_them_all(allowed):
    rows = [consent("granted", 10), consent("granted", 10, channel="sms")]
    assert allowed(*rows, consent("revoked", 5, channel="any")) == []


def test_grant_after_a_refusal_of_any_channel_wins_for_its_own(allowed):
    rows = [consent("granted", 10), consent("granted", 2, channel="sms")]
    assert allowed(*rows, consent("revoked", 5, channel="any")) == ["sms"]


def test_grant_of_the_as_of_date_holds_and_a_later_one_does_not_yet(allowed):
    rows = [consent("granted", 0), consent("granted", -1, channel="sms")]
    assert allowed(*rows) == ["email"]


def test_grant_holds_until_the_day_before_its_end(allowed):
    ended, running = consent("granted", 10, until_days_ago=0), {"channel": "sms"}
    assert allowed(ended, consent("granted", 10, until_days_ago=-1, **running)) == ["sms"]


def test_refusal_that_ended_no_longer_counts(allowed):
    rows = [consent("granted", 10), consent("denied", 5, until_days_ago=2)]
    assert allowed(*rows) == ["email"]


def test_opt_out_event_ends_its_channel(allowed):
    rows = [consent("granted", 10), consent("granted", 10, channel="sms")]
    assert allowed(*rows, opt_outs=((5, {"channel": "email"}),)) == ["sms"]


def test_opt_out_event_without_a_channel_ends_them_all(allowed):
    rows = [consent("granted", 10), consent("granted", 10, channel="sms")]
    assert allowed(*rows, opt_outs=((5, {"channel": None}),)) == []


def test_opt_out_event_of_the_day_of_the_grant_wins(allowed):
    assert allowed(consent("granted", 5), opt_outs=((5, {"channel": "email"}),)) == []


def test_grant_after_an_opt_out_event_wins(allowed):
    assert allowed(consent("granted", 4), opt_outs=((5, {"channel": "email"}),)) == ["email"]


def test_opt_out_event_that_is_not_seen_yet_changes_nothing(allowed):
    late = (5, {"channel": "email", "loaded_days_ago": 0})
    assert allowed(consent("granted", 10), opt_outs=(late,)) == ["email"]


def test_other_customers_opt_out_changes_nothing(allowed):
    left = (5, {"channel": "email", "customer_id": "bob"})
    assert allowed(consent("granted", 10), opt_outs=(left,)) == ["email"]


def test_basis_of_the_newest_grant_is_kept(events):
    rows = lazy((consent("granted", 10), consent("granted", 5, basis="contract")))
    permitted = permissions(rows, events(), AS_OF).collect()
    assert permitted.to_dict(as_series=False) == {
        "customer_id": ["ann"],
        "channel": ["email"],
        "basis": ["contract"],
    }


@pytest.mark.parametrize("status", ["denied", "revoked"])
def test_refused_profiling_is_an_objection(status, objectors):
    assert objectors(profiling(status, 5)) == ["ann"]


@pytest.mark.parametrize("status", ["granted", "unknown"])
def test_profiling_that_was_not_refused_is_no_objection(status, objectors):
    assert objectors(profiling(status, 5)) == []


def test_refused_marketing_is_no_objection(objectors):
    assert objectors(consent("denied", 5)) == []


def test_objection_counts_from_its_own_date(objectors):
    assert objectors(profiling("denied", 0)) == ["ann"]
    assert objectors(profiling("denied", -1)) == []


def test_objection_is_lifted_by_a_later_grant_only(objectors):
    assert objectors(profiling("denied", 5), profiling("granted", 4)) == []
    assert objectors(profiling("granted", 5), profiling("denied", 4)) == ["ann"]
    assert objectors(profiling("granted", 5), profiling("denied", 5)) == ["ann"]


def test_objector_is_listed_once(objectors):
    assert objectors(profiling("denied", 9), profiling("revoked", 5)) == ["ann"]


def test_objection_is_one_customers_own(objectors):
    rows = [profiling("denied", 5), profiling("granted", 3, customer_id="bob")]
    assert objectors(*rows) == ["ann"]
