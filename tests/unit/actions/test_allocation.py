from itertools import product

import numpy as np
import pytest

from actions.allocation import BUDGET, CAPACITY, NO_GAIN, NONE, allocate

PLENTY = 10**6


def run(net, cost, *, action_of=None, capacity=None, budget=PLENTY, allowed=None):
    net = np.array(net)
    action_of = np.arange(net.shape[1]) if action_of is None else np.array(action_of)
    capacity = np.full(action_of.max() + 1, PLENTY) if capacity is None else np.array(capacity)
    allowed = np.ones(net.shape, dtype=bool) if allowed is None else np.array(allowed)
    chosen, reason = allocate(
        allowed, net, np.array(cost),
        action_of=action_of, capacity=capacity, budget_cents=budget,
    )  # fmt: skip
    return chosen.tolist(), reason.tolist()


def test_each_customer_gets_the_option_of_most_value():
    assert run([[5, 9], [7, 2]], [1, 1]) == ([1, 0], ["", ""])


def test_option_that_is_not_allowed_is_not_chosen():
    assert run([[5, 9]], [1, 1], allowed=[[True, False]]) == ([0], [""])


@pytest.mark.parametrize("net", [0, -1])
def test_nothing_is_done_that_brings_nothing(net):
    assert run([[net]], [0]) == ([NONE], [NO_GAIN])


def test_customer_with_nothing_allowed_has_no_gain():
    assert run([[9]], [0], allowed=[[False]]) == ([NONE], [NO_GAIN])


def test_capacity_goes_to_the_customers_of_most_value():
    assert run([[3], [5], [4]], [1], capacity=[2]) == ([NONE, 0, 0], [CAPACITY, "", ""])


def test_channels_of_an_action_share_its_capacity():
    chosen, reason = run([[5, 1], [1, 4]], [1, 1], action_of=[0, 0], capacity=[1])
    assert (chosen, reason) == ([0, NONE], ["", CAPACITY])


def test_full_action_leaves_the_next_best():
    assert run([[9, 1], [8, 7]], [1, 1], capacity=[1, 9]) == ([0, 1], ["", ""])


def test_budget_may_be_spent_to_the_last_cent_and_not_beyond():
    assert run([[9], [8]], [10], budget=20) == ([0, 0], ["", ""])
    assert run([[9], [8]], [10], budget=19) == ([0, NONE], ["", BUDGET])


def test_options_that_cost_nothing_need_no_budget():
    assert run([[9]], [0], budget=0) == ([0], [""])


def test_dear_option_is_passed_over_for_one_that_can_be_paid():
    assert run([[9, 5]], [30, 20], budget=25) == ([1], [""])


def test_equal_values_go_to_the_first_customer_and_option():
    assert run([[5, 5], [5, 5]], [1, 1], budget=1) == ([0, NONE], ["", BUDGET])


# ----- against every possible allocation, on tiny instances

INSTANCES = range(60)


def instance(seed):
    """Four customers, three options of two actions: net, cost, capacity, allowed."""
    draw = np.random.default_rng(seed)
    net, cost = draw.integers(-3, 12, (4, 3)), draw.integers(0, 6, 3)
    return net, cost, draw.integers(0, 4, 2), draw.random((4, 3)) < 0.8


ACTION_OF = np.array([0, 0, 1])


def feasible(chosen, cost, capacity, allowed, budget):
    some = [(row, option) for row, option in enumerate(chosen) if option != NONE]
    used = np.bincount([ACTION_OF[option] for _, option in some], minlength=2)
    spent = sum(cost[option] for _, option in some)
    may = all(allowed[row, option] for row, option in some)
    return may and spent <= budget and (used <= capacity).all()


def total(chosen, net):
    return sum(net[row, option] for row, option in enumerate(chosen) if option != NONE)


@pytest.mark.parametrize("seed", INSTANCES)
def test_limits_hold_and_nobody_is_left_out_who_could_be_added(seed):
    net, cost, capacity, allowed = instance(seed)
    limits = {"action_of": ACTION_OF, "capacity": capacity, "budget": 8, "allowed": allowed}
    chosen, reason = run(net, cost, **limits)
    assert feasible(chosen, cost, capacity, allowed, 8)
    for row, option in product(range(4), range(3)):
        if chosen[row] == NONE and allowed[row, option] and net[row, option] > 0:
            more = [*chosen[:row], option, *chosen[row + 1 :]]
            assert not feasible(more, cost, capacity, allowed, 8)
            assert reason[row] in (CAPACITY, BUDGET)


@pytest.mark.parametrize("seed", INSTANCES)
def test_total_is_at_least_half_of_the_best_where_the_budget_does_not_bind(seed):
    net, cost, capacity, allowed = instance(seed)
    limits = {"action_of": ACTION_OF, "capacity": capacity, "allowed": allowed}
    chosen, _ = run(net, cost, **limits)
    every = product((NONE, 0, 1, 2), repeat=4)
    best = max(total(c, net) for c in every if feasible(c, cost, capacity, allowed, PLENTY))
    assert best / 2 <= total(chosen, net) <= best
