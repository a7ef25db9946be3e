from datetime import date

import numpy as np
import pytest

from actions.funnel import ContactRecord, exits, masks, options

AS_OF = date(2018, 1, 1)


@pytest.fixture
def left_at(customers, permitted, contacts, complaints, catalogue):
    """Where customer 'a' leaves the funnel; '' where an option is left."""

    def of(
        *sent, customer=None, actions=({},), allowed=(("a", "email"),), refused=(), filed=(), **rest
    ):
        who = customers({"customer_id": "a"} | (customer or {}))
        record = ContactRecord(
            permitted(*allowed), permitted(*refused), contacts(*sent), complaints(*filed)
        )
        return exits(masks(who, record, catalogue(*actions, **rest), AS_OF))[1][0]

    return of


def test_option_is_an_action_in_one_of_its_channels(catalogue):
    two = catalogue({"id": "one", "channels": {"web": 0, "email": 1}}, {"id": "two"})
    named = [(o.action.id, o.channel, o.contact_cents) for o in options(two)]
    assert named == [("one", "web", 0), ("one", "email", 1), ("two", "email", 1)]


# ----- consent


def test_channel_with_consent_needs_a_permission_for_that_channel(left_at):
    assert left_at(allowed=[("a", "email")]) == ""
    assert left_at(allowed=[("a", "sms")]) == "no_consent"
    assert left_at(allowed=[("b", "email")]) == "no_consent"
    assert left_at(allowed=[]) == "no_consent"


def test_channel_to_which_they_come_needs_no_consent(left_at):
    assert left_at(actions=[{"channels": {"web": 0}}], allowed=[]) == ""


@pytest.mark.parametrize(("channel", "reason"), [("web", "no_consent"), ("any", "suppression")])
def test_refusal_closes_a_channel_that_needs_no_consent(left_at, channel, reason):
    web = [{"channels": {"web": 0}}]
    assert left_at(actions=web, refused=[("a", channel)]) == reason
    assert left_at(actions=web, refused=[("b", channel), ("a", "email")]) == ""


def test_one_permitted_channel_of_two_is_enough_and_the_only_one_left(
    customers, permitted, contacts, complaints, catalogue
):
    both = catalogue(
        {"channels": {"email": 1, "sms": 4}},
        channels={"email": {"consent": True}, "sms": {"consent": True}},
    )
    who = customers({"customer_id": "a"}, {"customer_id": "b"})
    allowed = permitted(("a", "sms"), ("b", "email"))
    remaining, reason = exits(
        masks(who, ContactRecord(allowed, permitted(), contacts(), complaints()), both, AS_OF)
    )
    assert remaining.tolist() == [[False, True], [True, False]]
    assert reason.tolist() == ["", ""]


# ----- whom it fits


@pytest.mark.parametrize(
    "other", [{"stage": "retention"}, {"level": "loyalty"}, {"activity": "lapsed"}]
)
def test_stage_level_and_activity_must_all_fit(left_at, other):
    assert left_at(customer=other) == "not_applicable"


def test_rule_of_the_action_must_hold(left_at):
    rule = {"when": {"all": [{"feature": "value_events", "op": ">=", "value": 2}]}}
    assert left_at(customer={"value_events": 2}, actions=[rule]) == ""
    assert left_at(customer={"value_events": 1}, actions=[rule]) == "not_eligible"


def test_unknown_feature_satisfies_no_rule(left_at):
    rule = {"when": {"all": [{"feature": "days_since_last_value", "op": "<", "value": 9}]}}
    customer = {"days_since_last_value": None}
    assert left_at(customer=customer, actions=[rule]) == "not_eligible"


def test_any_needs_one_of_its_conditions(left_at):
    conditions = [{"feature": f, "op": ">=", "value": 1} for f in ("visits", "mentions")]
    rule = {"when": {"any": conditions}}
    assert left_at(customer={"visits": 0, "mentions": 1}, actions=[rule]) == ""
    assert left_at(customer={"visits": 0, "mentions": 0}, actions=[rule]) == "not_eligible"


# ----- caps: at most `count` contacts in [as_of - days, as_of)

CAPPED = {"email": {"consent": True, "cap": {"count": 2, "days": 7}}, "web": {"consent": False}}


@pytest.mark.parametrize(
    ("days_ago", "reason"),
    [
        ((1, 7), "contact_cap"),  # the 25th is the window's first day
        ((1, 8), ""),
        ((1,), ""),
        ((0, 0), ""),  # the as-of date itself is not seen
        ((-1, 1), ""),
        ((3, 3), "contact_cap"),
    ],
)
def test_cap_of_the_channel_counts_its_window(left_at, days_ago, reason):
    sent = [("a", "email", None, day) for day in days_ago]
    assert left_at(*sent, channels=CAPPED) == reason


def test_contacts_of_others_and_in_other_channels_do_not_fill_the_cap(left_at):
    sent = [("b", "email", None, 1), ("b", "email", None, 2), ("a", "sms", None, 1)]
    assert left_at(*sent, ("a", "email", None, 1), channels=CAPPED) == ""


@pytest.mark.parametrize(
    ("days_ago", "reason"), [((1, 30), "contact_cap"), ((1, 31), ""), ((0, 0), "")]
)
def test_cap_over_all_channels_counts_its_window(left_at, days_ago, reason):
    channels = {"email": {"consent": True}, "sms": {"consent": True}}
    sent = [("a", name, None, day) for name, day in zip(("sms", "email"), days_ago, strict=True)]
    assert left_at(*sent, channels=channels, all_channels=(2, 30)) == reason


def test_cap_over_all_channels_neither_counts_nor_stops_channels_to_which_they_come(left_at):
    on_site = [("a", "web", None, 1), ("a", "web", None, 2)]
    assert left_at(*on_site, all_channels=(1, 30)) == ""
    by_mail = ("a", "email", None, 1)
    assert left_at(by_mail, all_channels=(1, 30)) == "contact_cap"
    assert left_at(by_mail, all_channels=(1, 30), actions=[{"channels": {"web": 0}}]) == ""


def test_channel_to_which_they_come_keeps_its_own_cap(left_at):
    channels = {"web": {"consent": False, "cap": {"count": 1, "days": 7}}}
    web = [{"channels": {"web": 0}}]
    assert left_at(("a", "web", None, 7), channels=channels, actions=web) == "contact_cap"
    assert left_at(("a", "web", None, 8), channels=channels, actions=web) == ""


def test_cap_of_nothing_closes_the_channel(left_at):
    closed = {"email": {"consent": True, "cap": {"count": 0, "days": 1}}}
    assert left_at(channels=closed) == "contact_cap"


# ----- cool-down: not the same action again within [as_of - cooldown, as_of)


@pytest.mark.parametrize(
    ("days_ago", "reason"), [(1, "cool_down"), (14, "cool_down"), (15, ""), (0, ""), (-3, "")]
)
def test_cool_down_has_edges(left_at, days_ago, reason):
    sent = ("a", "email", "offer", days_ago)
    assert left_at(sent, actions=[{"cooldown_days": 14}]) == reason


def test_cool_down_holds_in_every_channel_but_only_for_the_same_action_and_customer(left_at):
    actions = [{"cooldown_days": 14}]
    assert left_at(("a", "web", "offer", 1), actions=actions) == "cool_down"
    others = [("a", "email", "other", 1), ("b", "email", "offer", 1), ("a", "email", None, 1)]
    assert left_at(*others, actions=actions) == ""


def test_no_cool_down_allows_the_action_the_next_day(left_at):
    assert left_at(("a", "email", "offer", 1), actions=[{"cooldown_days": 0}]) == ""


# ----- dates, quiet period, and how often one customer may ever get an action


@pytest.mark.parametrize(
    ("dates", "reason"),
    [
        ({"starts_on": AS_OF}, ""),
        ({"starts_on": date(2018, 1, 2)}, "not_eligible"),
        ({"ends_on": date(2018, 1, 2)}, ""),
        ({"ends_on": AS_OF}, "not_eligible"),
    ],
)
def test_action_runs_from_its_first_day_to_the_day_before_its_end(left_at, dates, reason):
    assert left_at(actions=[dates]) == reason


QUIET = {"days": 14, "events": ["complaint_filed"], "allowed_tactics": ["exceptional_service"]}


@pytest.mark.parametrize(
    ("days_ago", "reason"), [(1, "quiet_period"), (14, "quiet_period"), (15, ""), (0, "")]
)
def test_complaint_begins_a_quiet_period(left_at, days_ago, reason):
    assert left_at(filed=[("a", days_ago)], quiet_period=QUIET) == reason
    assert left_at(filed=[("b", days_ago)], quiet_period=QUIET) == ""


def test_putting_it_right_is_allowed_in_the_quiet_period(left_at):
    service = [{"tactic": "exceptional_service"}]
    assert left_at(filed=[("a", 1)], quiet_period=QUIET, actions=service) == ""


@pytest.mark.parametrize(("most", "reason"), [(2, "had_enough"), (3, "")])
def test_action_is_given_no_more_often_than_a_customer_may_ever_get_it(left_at, most, reason):
    sent = [("a", "email", "offer", 300), ("a", "web", "offer", 30), ("a", "email", "offer", 0)]
    assert left_at(*sent, actions=[{"max_per_customer": most}]) == reason


# ----- the reason


def test_reason_is_the_first_step_that_left_nothing():
    passed = {
        "first": np.array([[True, True], [False, False], [True, False], [True, True]]),
        "second": np.array([[True, False], [False, False], [False, True], [True, True]]),
        "third": np.array([[False, True], [True, True], [True, True], [False, True]]),
    }
    remaining, reason = exits(passed)
    assert reason.tolist() == ["third", "first", "second", ""]
    assert remaining.tolist() == [[False, False]] * 3 + [[False, True]]


def test_exits_leave_the_masks_as_they_are():
    passed = {"first": np.array([[True]]), "second": np.array([[False]])}
    exits(passed)
    assert passed["first"].tolist() == [[True]]


def test_options_may_be_emptied_by_different_steps_and_the_last_one_is_the_reason(left_at):
    """E-mail is not allowed, the site's action does not fit: consent alone left something."""
    actions = [{}, {"id": "banner", "channels": {"web": 0}, "stages": ["retention"]}]
    assert left_at(actions=actions, allowed=[]) == "not_applicable"
