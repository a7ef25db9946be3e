from itertools import product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from actions.allocation import NO_GAIN, NONE, allocate, shortages
from actions.limits import Limits
from features.errors import ConfigurationError

PLENTY = 10**6


def limits(cost, *, budget=PLENTY, capacity=()):
    """A budget, and capacities as (options that share it, places)."""
    rows = [[int(k in options) for k in range(len(cost))] for options, _ in capacity]
    names = ["budget", *(f"capacity:{k}" for k in range(len(rows)))]
    most = [budget, *(places for _, places in capacity)]
    return Limits(names, np.array([cost, *rows]), np.array(most))


def run(worth, cost, **kept):
    worth, limit = np.array(worth), limits(cost, **kept)
    plan = allocate(worth, limit)
    codes = [
        name.partition(":")[0]
        for name in shortages(worth, np.arange(worth.shape[1]), limit, plan.chosen)
    ]
    return plan.chosen.tolist(), codes


def test_each_customer_gets_the_option_of_most_value():
    assert run([[5, 9], [7, 2]], [1, 1]) == ([1, 0], ["", ""])


def test_dear_call_wins_over_cheap_e_mail_where_there_is_money():
    """$190 call bringing $400 net, $5 e-mail bringing $20: greedy by return would send the mail."""
    assert run([[40000, 2000]], [19000, 500], budget=20000)[0] == [0]


@pytest.mark.parametrize("worth", [0, -1])
def test_nothing_is_done_that_brings_nothing(worth):
    assert run([[worth]], [0]) == ([NONE], [NO_GAIN])


def test_capacity_goes_to_the_customers_of_most_value():
    places = [((0,), 2)]
    assert run([[3], [5], [4]], [1], capacity=places) == ([NONE, 0, 0], ["capacity", "", ""])


def test_options_share_a_capacity():
    chosen, reason = run([[5, 1], [1, 4]], [1, 1], capacity=[((0, 1), 1)])
    assert (chosen, reason) == ([0, NONE], ["", "capacity"])


def test_scarce_place_goes_to_whom_the_second_best_would_cost_more():
    assert run([[9, 1], [8, 7]], [1, 1], capacity=[((0,), 1)]) == ([0, 1], ["", ""])
    assert run([[9, 8], [8, 1]], [1, 1], capacity=[((0,), 1)]) == ([1, 0], ["", ""])


def test_budget_may_be_spent_to_the_last_cent_and_not_beyond():
    assert run([[9], [8]], [10], budget=20) == ([0, 0], ["", ""])
    assert run([[9], [8]], [10], budget=19) == ([0, NONE], ["", "budget"])


def test_options_that_cost_nothing_need_no_budget():
    assert run([[9]], [0], budget=0) == ([0], [""])


def test_option_that_cannot_be_paid_at_all_gives_way_to_one_that_can():
    assert run([[9, 5]], [30, 20], budget=25) == ([1], [""])


def test_what_a_plan_is_made_from_stays_as_it_is():
    worth = np.array([[9], [8]])
    allocate(worth, limits([10], budget=5))
    assert worth.tolist() == [[9], [8]]


def test_equal_values_go_to_the_first_customer_and_option():
    assert run([[5, 5], [5, 5]], [1, 1], budget=1) == ([0, NONE], ["", "budget"])


def test_negative_limit_is_refused_and_named():
    with pytest.raises(ConfigurationError, match=r"allocation, budget: .* Got -1\."):
        run([[5]], [1], budget=-1)


def test_negative_cost_is_refused_and_named():
    with pytest.raises(ConfigurationError, match=r"allocation, budget: .* Got -2\."):
        run([[5]], [-2])


def test_shadow_price_is_what_one_more_cent_brings():
    """Worth 2 a cent for the first customer, 3 for the second, 1 for the third: two can be paid."""
    worth, cost = np.array([[200], [300], [100]]), [100]
    plan = allocate(worth, limits(cost, budget=200))
    assert plan.chosen.tolist() == [0, 0, NONE]
    assert 1 <= plan.prices[0] <= 2


def test_bound_is_met_where_nothing_binds():
    plan = allocate(np.array([[5, 9], [7, 2]]), limits([1, 1]))
    assert (plan.worth_cents, plan.bound_cents, plan.gap) == (16, 16.0, 0.0)


# ----- against every possible plan, on tiny instances

CAPACITIES = [(0, 1), (2,)]


def instance(seed):
    """Four customers, three options of two actions: worth, cost, places."""
    draw = np.random.default_rng(seed)
    worth = draw.integers(-3, 12, (4, 3)) * (draw.random((4, 3)) < 0.8)
    return worth, draw.integers(0, 6, 3), draw.integers(0, 4, 2).tolist()


def tiny(seed):
    worth, cost, places = instance(seed)
    return worth, limits(cost, budget=8, capacity=list(zip(CAPACITIES, places, strict=True)))


def feasible(chosen, kept):
    return bool((kept.used(np.array(chosen)) <= kept.most).all())


def total(chosen, worth):
    return sum(worth[row, option] for row, option in enumerate(chosen) if option != NONE)


@pytest.mark.parametrize("seed", range(60))
def test_limits_hold_and_nobody_is_left_out_who_could_be_added(seed):
    worth, kept = tiny(seed)
    chosen = allocate(worth, kept).chosen.tolist()
    assert feasible(chosen, kept)
    for row, option in product(range(4), range(3)):
        if chosen[row] == NONE and worth[row, option] > 0:
            assert not feasible([*chosen[:row], option, *chosen[row + 1 :]], kept)


@pytest.mark.parametrize("seed", range(60))
def test_worth_is_between_most_of_the_best_plan_and_the_bound(seed):
    worth, kept = tiny(seed)
    plan = allocate(worth, kept)
    every = product((NONE, 0, 1, 2), repeat=4)
    best = max(total(c, worth) for c in every if feasible(c, kept))
    assert plan.worth_cents == total(plan.chosen.tolist(), worth)
    assert 0.6 * best <= plan.worth_cents <= best <= plan.bound_cents + 1e-6


# ----- against an exact solver


def exact(worth, kept):
    """Best possible worth, by HiGHS."""
    n, m = worth.shape
    one_each = np.kron(np.eye(n), np.ones(m))
    shared = np.tile(kept.use, n)
    rows = np.vstack([one_each, shared])
    most = np.concatenate([np.ones(n), kept.most])
    found = milp(
        -np.maximum(worth, 0).ravel(),
        constraints=LinearConstraint(rows, ub=most),
        bounds=Bounds(0, (worth > 0).ravel().astype(float)),
        integrality=np.ones(n * m),
        options={"mip_rel_gap": 1e-9},
    )
    return -found.fun


@pytest.mark.parametrize("seed", range(8))
def test_two_hundred_customers_are_within_half_a_percent_of_the_exact_optimum(seed):
    draw = np.random.default_rng(seed)
    cost = np.array([1, 5, 40, 300])
    worth = (draw.lognormal(5, 1, (200, 1)) * draw.uniform(0, 2, (200, 4)) - cost).astype(int)
    kept = limits(cost, budget=2500, capacity=[((3,), 5), ((0, 1), 60)])
    plan, best = allocate(worth, kept), exact(worth, kept)
    assert plan.worth_cents >= 0.995 * best
    assert best <= plan.bound_cents + 1e-6
    assert plan.gap <= 0.01


def test_customers_who_are_all_alike_fill_the_limit_exactly():
    """At the shadow price everybody is indifferent: the repair alone decides."""
    worth = np.tile([110, 100], (50_000, 1))
    plan = allocate(worth, limits([7, 7], budget=70_000, capacity=[((0,), 4_000)]))
    assert np.bincount(plan.chosen + 1).tolist() == [40_000, 4_000, 6_000]
    assert plan.gap <= 1e-9
