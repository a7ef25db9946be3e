import numpy as np
import polars as pl
import pytest

from actions.effects import option_cost_cents
from actions.effects import worth as believed_worth
from actions.funnel import options

NOTHING = pl.DataFrame(
    schema=dict.fromkeys(("action_id", "stage", "basis"), pl.String) | {"points": pl.Float64}
)


def worth(who, every, params, horizon_days):
    """Worth where nothing was measured."""
    return believed_worth(who, every, NOTHING, params, horizon_days)


def test_uplift_is_the_effect_times_what_moves_the_customer(catalogue, customers, params):
    """10 points at a toss-up: 2 (1 - p) for an order, 2 sqrt(p (1 - p)) for staying.

    The prompted orders themselves, .2 a customer, are as many whatever the customer buys anyway.
    """
    offers = catalogue({}, {"id": "recovery", "goal": "retain"})
    who = customers({"customer_id": "a", "p_value": 0.1}, {"customer_id": "b", "p_value": 0.9})
    belief = worth(who, options(offers), params(), 30).belief
    assert belief.uplift(0) == pytest.approx([0.18, 0.02])
    assert belief.successes(0) == pytest.approx([0.2, 0.2])
    assert belief.uplift(1) == pytest.approx([0.06, 0.06])


def test_order_is_moved_by_liking_the_kind_of_action_and_staying_is_not(
    catalogue, customers, params
):
    """Of two customers the middles of their ranks are 1/4 and 3/4: -log of 3/4 and 1/4."""
    offers = catalogue({"tactic": "gamification"}, {"id": "recovery", "goal": "retain"})
    who = customers({"customer_id": "a", "experiential_score": 10.0}, {"customer_id": "b"})
    belief = worth(who, options(offers), params(), 30).belief
    low, high = np.log(4 / 3), np.log(4)
    assert belief.uplift(0) == pytest.approx(0.1 * np.array([low, high]) / ((low + high) / 2))
    assert belief.uplift(1) == pytest.approx([0.1, 0.1])


def test_action_prompts_no_more_than_one_order(catalogue, customers, params):
    """4 x 50 points at a toss-up would be two orders for the fondest of 40 customers."""
    offer = catalogue({"effect": {"points": 50, "sd": 1, "source": "assumption"}})
    rows = [{"customer_id": f"c{k:02d}", "transactional_score": float(k)} for k in range(40)]
    further = worth(customers(*rows), options(offer), params(), 30).belief.successes(0)
    assert further.max() == 1
    assert 0 < further.min() < 0.1


def test_net_is_further_orders_times_margin_minus_contact_and_expected_incentive(
    catalogue, customers, params
):
    offer = catalogue({"channels": {"email": 3}, "incentive_cents": 50, "take_up": 0.1})
    who = customers({"customer_id": "a", "order_value_cents": 2000})
    value = worth(who, options(offer), params(), 30)
    assert value.cost_cents.tolist() == [8]  # 3 + 0.1 x 50
    assert value.net_cents.tolist() == [[192]]  # 0.2 x 2000 x 0.5 - 8


def test_net_is_negative_where_the_contact_costs_more_than_it_brings(catalogue, customers, params):
    call = catalogue({"channels": {"email": 900}})
    value = worth(customers({"customer_id": "a"}), options(call), params(), 30)
    assert value.net_cents.tolist() == [[-800]]  # 0.2 x 1000 x 0.5 - 900


def test_negative_effect_never_pays(catalogue, customers, params):
    harm = catalogue(
        {"channels": {"email": 0}, "effect": {"points": -10, "sd": 1, "source": "assumption"}}
    )
    value = worth(customers({"customer_id": "a"}), options(harm), params(), 30)
    assert value.net_cents.tolist() == [[-100]]


def test_kept_customer_is_worth_what_they_spend_in_the_days_that_count(
    catalogue, customers, params
):
    """Another order is worth that order, whatever a customer who stays goes on to spend."""
    keep = catalogue({"goal": "retain", "channels": {"email": 0}},
                     {"id": "other", "goal": "next_value", "channels": {"email": 0}})  # fmt: skip
    who = customers({"customer_id": "a", "expected_value_cents": 600})
    for days, net in ((30, 60), (90, 180), (180, 360)):  # 0.1 x 600 / 0.5 x days / 30 x 0.5
        value = worth(who, options(keep), params(kept_value_days=days), 30)
        assert value.net_cents.tolist() == [[net, 100]]


def test_kept_customer_is_worth_at_least_an_order(catalogue, customers, params):
    keep = catalogue({"goal": "retain", "channels": {"email": 0}})
    who = customers({"customer_id": "a", "expected_value_cents": 0, "order_value_cents": 1000})
    value = worth(who, options(keep), params(), 30)
    assert value.net_cents.tolist() == [[50]]  # 0.1 x 1000 x 0.5


def test_first_order_does_not_depend_on_the_days_that_a_kept_customer_counts(
    catalogue, customers, params
):
    who, every = customers({"customer_id": "a"}), options(catalogue({"goal": "first_value"}))
    short, long = (worth(who, every, params(kept_value_days=days), 30) for days in (1, 365))
    assert short.net_cents.tolist() == long.net_cents.tolist()


@pytest.mark.parametrize(
    ("take_up", "incentive_cents", "cost"),
    [
        (0.0, 500, 1),
        (0.1, 500, 51),
        (0.07, 100, 8),
        (0.29, 100, 30),
        (0.001, 100, 2),
        (1, 500, 501),
    ],
)
def test_cost_is_contact_plus_expected_incentive_rounded_up(
    catalogue, take_up, incentive_cents, cost
):
    offer = catalogue({"take_up": take_up, "incentive_cents": incentive_cents})
    assert option_cost_cents(options(offer)[0]) == cost


def test_measured_effect_takes_the_place_of_the_prior_in_its_stage(
    catalogue, customers, params, effects
):
    offers = catalogue({"stages": ["engagement", "retention"]}, {"id": "other"})
    who = customers({"customer_id": "a"}, {"customer_id": "b", "stage": "retention"})
    value = believed_worth(who, options(offers), effects(("offer", "retention", 4)), params(), 30)
    found = value.belief.of(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    assert found["uplift"].to_list() == pytest.approx([0.1, 0.1, 0.04, 0.1])
    assert found["basis"].to_list() == ["assumed", "assumed", "measured", "assumed"]
    assert found["sensitivity"].to_list() == pytest.approx([2.0] * 4)
