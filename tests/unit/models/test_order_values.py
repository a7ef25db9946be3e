import numpy as np
import pytest
from scipy.stats import gamma

from models.order_values import (
    OrderValues,
    expected_order_value,
    fit_order_values,
    log_likelihoods,
)

# Fader and Hardie, 2013, of the CDNOW sample.
PUBLISHED = OrderValues(p=6.25, q=3.74, v=15.44)


def test_an_order_is_worth_more_or_less_between_the_own_mean_and_everybodys():
    everybody = 6.25 * 15.44 / 2.74
    one, many = expected_order_value(PUBLISHED, np.array([1.0, 100.0]), np.array([100.0, 100.0]))
    assert everybody < one < many < 100
    assert one == pytest.approx(6.25 * (15.44 + 100) / (6.25 + 2.74))


def test_the_density_is_that_of_a_gamma_mixed_over_inverse_gamma_means():
    p, q, v = PUBLISHED
    rates = gamma(q, scale=1 / v).rvs(400_000, random_state=0)
    mixed = gamma.pdf(30.0, 3 * p, scale=1 / (3 * rates)).mean()
    density = np.exp(log_likelihoods(PUBLISHED, np.array([3.0]), np.array([30.0])))
    assert density == pytest.approx(mixed, rel=0.01)


def test_parameters_are_found_again():
    draw = np.random.default_rng(0)
    orders = draw.integers(1, 20, 20_000).astype(float)
    rates = draw.gamma(4.0, 1 / 15.0, 20_000)
    means = draw.gamma(5.0 * orders) / (orders * rates)
    found, true = fit_order_values(orders, means), OrderValues(5.0, 4.0, 15.0)
    assert found.q == pytest.approx(true.q, rel=0.1)
    assert found.p * found.v == pytest.approx(true.p * true.v, rel=0.1)  # alone they trade off
    likelihoods = [log_likelihoods(values, orders, means).sum() for values in (found, true)]
    assert likelihoods[0] >= likelihoods[1]


def test_where_nobody_paid_anything_an_order_is_worth_nothing():
    found = fit_order_values(np.array([2.0, 3.0]), np.zeros(2))
    assert expected_order_value(found, np.array([2.0]), np.zeros(1)) == 0
