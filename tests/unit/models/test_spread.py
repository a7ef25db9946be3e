import numpy as np
import pytest

from models.spread import Spread, coverage, ends_of, fit_spread, interval


def test_a_tenth_is_left_out_on_each_side_where_money_always_comes():
    assert ends_of(np.arange(1.0, 11.0)) == (1.0, 8.0)  # 1 to 8: eight of ten
    low, high = ends_of(np.arange(1.0, 101.0))
    assert (low, high) == (10.0, 89.0)  # 10 to 89: eighty of a hundred


def test_where_some_bring_nothing_all_that_is_left_out_lies_above():
    assert ends_of(np.array([0, 0, 0, 1, 2, 3, 4, 5, 6, 7])) == (0.0, 5.0)


def test_where_four_in_five_bring_nothing_the_interval_is_zero():
    assert ends_of(np.array([0.0] * 8 + [5.0, 9.0])) == (0.0, 0.0)


def test_the_interval_holds_80_percent_of_those_that_have_one():
    draw = np.random.default_rng(0)
    orders = draw.gamma(1.0, 1.0, 40_000)
    count = draw.poisson(orders)
    cents = np.where(count > 0, draw.gamma(np.maximum(count, 1) * 2.0, 500.0), 0.0)
    expected = orders * 1000.0
    half = slice(20_000)
    low, high = interval(fit_spread(orders[half], expected[half], cents[half]), orders, expected)
    rest = slice(20_000, None)
    inside, _ = coverage(low[rest], high[rest], cents[rest])
    assert inside == pytest.approx(0.8, abs=0.03)


def test_customers_without_an_interval_do_not_count_as_hits():
    low, high, cents = np.array([0.0, 0.0]), np.array([0.0, 10.0]), np.array([0.0, 20.0])
    assert coverage(low, high, cents) == (0.0, 0.5)


def test_ends_grow_with_the_expected_money():
    spread = Spread(np.array([1.0]), np.array([0.5]), np.array([2.0]))
    low, high = interval(spread, np.array([3.0]), np.array([100.0]))
    assert (low.item(), high.item()) == (50.0, 200.0)
