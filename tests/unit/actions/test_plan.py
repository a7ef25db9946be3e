from datetime import date

import numpy as np
import polars as pl
import pytest

from actions.allocation import NONE
from actions.curve import Offer, budget_curve
from actions.exploration import chances, drawn_options, within
from actions.funnel import options
from actions.limits import Limits
from actions.plan import make_plan, run_limits
from actions.rules import cost_of_rules

AS_OF = date(2018, 1, 1)
IDS = pl.Series([f"c{k:05}" for k in range(6000)])


# ----- the plan for everybody, and the policy arm


def planned(catalogue, worth, in_policy, *, budget=10**6, actions=({},)):
    every = options(catalogue(*actions))
    costs = np.array([1] * len(every))
    limits = run_limits(every, catalogue(*actions), costs, budget)
    share = float(np.mean(in_policy))
    return make_plan(np.array(worth), np.array(in_policy), share, limits, every)


def test_customers_of_other_arms_have_a_plan_but_are_given_nothing(catalogue):
    plan = planned(catalogue, [[5], [5]], [True, False])
    assert plan.planned.tolist() == [0, 0]
    assert plan.given.chosen.tolist() == [0, NONE]


def test_plan_for_everybody_has_room_for_everybody(catalogue):
    worth = [[9], [8], [7], [6]]
    plan = planned(catalogue, worth, [True, False, True, False], actions=[{"capacity": 1}])
    assert plan.planned.tolist() == [0, 0, NONE, NONE]
    assert plan.given.chosen.tolist() == [0, NONE, NONE, NONE]


@pytest.mark.parametrize(("fixed", "closed"), [(10, set()), (12, {"offer"})])
def test_action_that_would_not_earn_its_fixed_cost_is_left_out(catalogue, fixed, closed):
    plan = planned(catalogue, [[6], [5]], [True, True], actions=[{"fixed_cents": fixed}])
    assert plan.closed == closed
    assert (plan.given.chosen == NONE).all() == bool(closed)


def test_limits_name_the_action_or_channel_that_they_are_for(catalogue):
    offers = catalogue(
        {"capacity": 3, "channels": {"email": 1, "web": 0}},
        channels={"email": {"consent": True, "capacity": 5}, "web": {"consent": False}},
    )
    limits = run_limits(options(offers), offers, np.array([7, 0]), 100)
    assert limits.names == ["budget", "capacity:offer", "channel_capacity:email"]
    assert limits.use.tolist() == [[7, 0], [1, 1], [1, 0]]
    assert limits.most.tolist() == [100, 3, 5]


# ----- the random arm


def world(budget):
    allowed = np.random.default_rng(0).random((len(IDS), 3)) < 0.6
    limits = Limits(["budget"], np.array([[1, 40, 900]]), np.array([budget]))
    return allowed, limits, np.ones(len(IDS), dtype=bool)


@pytest.mark.parametrize("budget", [0, 3000, 50_000, 10**9])
def test_random_arm_stays_within_its_share_of_every_limit(budget):
    allowed, limits, everybody = world(budget)
    by = chances(allowed, everybody, limits)
    for day in range(1, 20):
        drawn = drawn_options(IDS, allowed, by.kept, salt="s", as_of=date(2018, 1, day))
        assert (limits.used(within(drawn, limits)) <= limits.most).all()
        assert np.array_equal(within(drawn, limits), drawn)


def test_options_are_drawn_as_often_as_their_probability_says():
    allowed, limits, everybody = world(50_000)
    by = chances(allowed, everybody, limits)
    drawn = drawn_options(IDS, allowed, by.kept, salt="s", as_of=AS_OF)
    for option in (NONE, 0, 1, 2):
        expected = by.of(np.full(len(IDS), option), allowed)
        seen = float((drawn == option).mean())
        assert seen == pytest.approx(expected.mean(), abs=4 * np.sqrt(expected.mean() / len(IDS)))
    total = sum(by.of(np.full(len(IDS), option), allowed) for option in (NONE, 0, 1, 2))
    assert total == pytest.approx(np.ones(len(IDS)))


def test_nobody_draws_what_the_funnel_does_not_allow():
    allowed, limits, everybody = world(10**9)
    by = chances(allowed, everybody, limits)
    drawn = drawn_options(IDS, allowed, by.kept, salt="s", as_of=AS_OF)
    some = drawn != NONE
    assert allowed[np.flatnonzero(some), drawn[some]].all()
    assert (some == allowed.any(axis=1)).all()


# ----- budget curve and cost of rules


@pytest.fixture
def offer(catalogue):
    """Ten customers worth 10, 20, ... 100 cents; one e-mail costs 5 and there is money for 4."""
    every = options(catalogue({"channels": {"email": 5}}))
    worth = np.arange(10, 101, 10)[:, None]
    return Offer(worth, Limits(["budget"], np.array([[5]]), np.array([20])), every)


def test_budget_curve_rises_ever_less_steeply(offer, catalogue):
    given = make_plan(offer.worth, np.ones(10, bool), 1.0, offer.limits, offer.every).given
    curve = budget_curve(offer, given)
    worth = dict(curve.select("budget_cents", "net_value_cents").iter_rows())
    assert (worth[0], worth[10], worth[20], worth[30]) == (0, 190, 340, 450)
    assert worth[200] == 550
    now = curve.filter("is_current").row(0, named=True)
    assert (now["spent_cents"], now["actions"], now["marginal_net_cents"]) == (20, 4, 70)
    assert 60 / 5 <= now["shadow_price"] <= 70 / 5


def test_cost_of_each_rule_is_what_it_keeps_from_the_plan(offer):
    given = make_plan(offer.worth, np.ones(10, bool), 1.0, offer.limits, offer.every).given
    net = np.vstack([offer.worth, [[200], [80]]])
    consent = np.ones((12, 1), bool)
    consent[10] = False
    arm = np.array(["policy"] * 11 + ["holdout"], dtype=object)
    own = Offer(np.vstack([offer.worth, [[0], [0]]]), offer.limits, offer.every)
    chosen = np.append(given.chosen, [NONE, NONE])
    planned = np.append(given.chosen, [NONE, 0])
    given = given._replace(chosen=chosen)
    table = cost_of_rules(own, given, {"no_consent": consent}, net, arm, planned, np.full(12, NONE))
    rows = {row["rule"]: row for row in table.iter_rows(named=True)}
    price = float(given.prices[0])
    assert rows["no_consent:email"]["forgone_cents"] == round(200 - 5 * price)
    assert (rows["budget"]["customers"], rows["budget"]["forgone_cents"]) == (6, 550 - 340)
    assert (rows["holdout"]["customers"], rows["holdout"]["forgone_cents"]) == (1, 80)
