from datetime import date

import pytest

from actions.decisions import Provenance, decide
from actions.funnel import ContactRecord

AS_OF = date(2018, 1, 1)
PROVENANCE = Provenance("run", "data", "churn 3", "catalogue")


@pytest.fixture
def decided(customers, permitted, contacts, complaints, catalogue, params, effects):
    """Decide for customers, all of whom may get an e-mail unless said otherwise."""

    def of(*rows, sent=(), allowed=None, actions=({},), channels=None, **changes):
        who = customers(*rows)
        may = [(c, "email") for c in who["customer_id"]] if allowed is None else allowed
        offers = catalogue(*actions, channels=channels)
        record = ContactRecord(permitted(*may), permitted(), contacts(*sent), complaints())
        return decide(
            who, record, offers, effects(), params(**changes),
            as_of=AS_OF, horizon_days=30, provenance=PROVENANCE,
        ).table  # fmt: skip

    return of


def ids(*names):
    return [{"customer_id": name} for name in names]


def test_exported_decision_says_what_when_and_for_how_much(decided):
    (row,) = decided({"customer_id": "a"}).to_dicts()
    said = {
        "customer_id": "a",
        "as_of": AS_OF,
        "outcome": "exported",
        "exit_reason": None,
        "action_id": "offer",
        "channel": "email",
        "arm": "policy",
        "propensity": 1.0,
        "basis": "assumed",
        "uplift": 0.1,
        "sensitivity": 2.0,
        "expected_net_value_cents": 99,  # 0.2 x 1000 x 0.5 - 1
        "cost_cents": 1,
        "expires_on": date(2018, 1, 15),
        "run_id": "run",
        "data_hash": "data",
        "model_version": "churn 3",
        "catalogue_hash": "catalogue",
    }
    assert {name: row[name] for name in said} == said


def test_everybody_without_an_action_has_a_reason_and_costs_nothing(decided):
    some = {"value_events": 1}
    rule = {"all": [{"feature": "value_events", "op": ">=", "value": 1}]}
    table = decided(
        some | {"customer_id": "1 best", "order_value_cents": 5000},
        some | {"customer_id": "2 after the capacity"},
        some | {"customer_id": "3 worth nothing", "order_value_cents": 0},
        some | {"customer_id": "4 another stage", "stage": "awareness"},
        {"customer_id": "5 no order yet", "value_events": 0},
        some | {"customer_id": "6 had a mail"},
        some | {"customer_id": "7 had the offer"},
        some | {"customer_id": "8 never agreed"},
        actions=[{"when": rule, "capacity": 1, "cooldown_days": 9}],
        channels={"email": {"consent": True, "cap": {"count": 1, "days": 3}}},
        sent=[("6 had a mail", "email", None, 2), ("7 had the offer", "email", "offer", 8)],
        allowed=[
            ("1 best", "email"),
            ("2 after the capacity", "email"),
            ("3 worth nothing", "email"),
            ("4 another stage", "email"),
            ("5 no order yet", "email"),
            ("6 had a mail", "email"),
            ("7 had the offer", "email"),
        ],
    )
    assert table.select("customer_id", "outcome", "exit_reason").rows() == [
        ("1 best", "exported", None),
        ("2 after the capacity", "no_action", "capacity"),
        ("3 worth nothing", "no_action", "no_gain"),
        ("4 another stage", "no_action", "not_applicable"),
        ("5 no order yet", "no_action", "not_eligible"),
        ("6 had a mail", "suppressed", "contact_cap"),
        ("7 had the offer", "suppressed", "cool_down"),
        ("8 never agreed", "suppressed", "no_consent"),
    ]
    rest = table[1:]
    plan = ["action_id", "channel", "basis", "uplift", "expires_on"]
    assert rest.select(plan).null_count().row(0) == (7,) * 5
    assert rest.select("cost_cents", "expected_net_value_cents").unique().rows() == [(0, 0)]


def test_spent_budget_is_a_reason(decided):
    table = decided(*ids("a", "b"), budget_cents=1)
    assert table["exit_reason"].to_list() == [None, "budget"]


# SHA-256 of salt and id puts "c2" at 0.39, and "c1" and "c3" at 0.42 and 0.85.
HELD = {"holdout_share": 0.4}


def test_held_out_customer_gets_nothing_and_keeps_the_arm_and_its_probability(decided):
    table = decided(*ids("c1", "c2", "c3"), **HELD)
    assert table.select("outcome", "exit_reason", "arm", "propensity").rows() == [
        ("exported", None, "policy", 0.6),
        ("held_out", "holdout", "holdout", 0.4),
        ("exported", None, "policy", 0.6),
    ]
    assert table["action_id"].to_list() == ["offer", None, "offer"]


def test_holdout_uses_no_capacity_and_no_budget(decided):
    dear = {"customer_id": "c2", "order_value_cents": 9000}
    table = decided(dear, *ids("c1", "c3"), actions=[{"capacity": 2}], budget_cents=2, **HELD)
    assert sorted(table["outcome"]) == ["exported", "exported", "held_out"]


def test_customer_without_consent_may_be_held_out_too(decided):
    """So that arms are compared over everybody, whatever the funnel says."""
    (row,) = decided(*ids("c2"), allowed=[], **HELD).to_dicts()
    assert (row["outcome"], row["exit_reason"]) == ("held_out", "holdout")


def test_outcomes_add_up(decided):
    many = [{"customer_id": f"c{k:03}", "p_value": k % 2 / 2} for k in range(200)]
    allowed = [(f"c{k:03}", "email") for k in range(150)]
    table = decided(*many, allowed=allowed, budget_cents=40, **HELD)
    counts = dict(table["outcome"].value_counts().rows())
    assert set(counts) == {"exported", "held_out", "suppressed", "no_action"}
    assert sum(counts.values()) == 200
    assert counts["exported"] == 40


def test_one_decision_a_customer_sorted_by_id(decided):
    assert decided(*ids("b", "c", "a"))["customer_id"].to_list() == ["a", "b", "c"]


def test_decision_id_is_of_customer_date_and_catalogue_and_stays(decided):
    first, again = decided(*ids("a", "b")), decided(*ids("b", "a", "c"), budget_cents=0)
    assert first["decision_id"].n_unique() == 2
    assert again["decision_id"][:2].to_list() == first["decision_id"].to_list()


def test_better_paid_channel_is_chosen(decided):
    both = [{"channels": {"email": 5, "web": 2}}]
    (row,) = decided(*ids("a"), actions=both).to_dicts()
    assert (row["channel"], row["cost_cents"], row["expected_net_value_cents"]) == ("web", 2, 98)
