import numpy as np
import pytest

from actions.intervals import (
    Group,
    adjusted,
    effective_size,
    holm,
    mean_difference,
    newcombe,
    rate_difference,
    wilson,
)


def group(values, customers=None):
    values = np.array(values, dtype=float)
    return Group(values, np.arange(len(values)) if customers is None else np.array(customers))


def test_wilson_interval_is_that_of_the_paper():
    """81 of 263, Newcombe 1998 (single proportion), method 3: 0.2553 to 0.3662."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "interval"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_newcombe_interval_is_that_of_the_paper(one, other, interval):
    """Newcombe 1998, table II, method 10."""
    sizes = one[1], other[1]
    assert newcombe((one[0] / one[1], other[0] / other[1]), sizes) == pytest.approx(
        interval, abs=5e-5
    )


def test_customer_counted_twice_tells_no_more_than_once():
    once = group([1, 0, 0, 1, 1])
    twice = group([1, 0, 0, 1, 1] * 2, [0, 1, 2, 3, 4] * 2)
    assert effective_size(twice) == pytest.approx(effective_size(once)) == 5
    assert mean_difference(twice, twice).error == pytest.approx(mean_difference(once, once).error)


def test_rates_without_any_success_have_an_error_all_the_same():
    found = rate_difference(group([0] * 50), group([0] * 20))
    assert found.difference == 0
    assert found.error > 0
    assert found.low < 0 < found.high


def test_adjusting_for_what_was_known_keeps_the_difference_and_narrows_its_interval():
    draw = np.random.default_rng(0)
    before, treated = draw.normal(size=4000), np.arange(4000) % 2 == 0
    after = 3 * before + treated + draw.normal(size=4000)
    plain = mean_difference(group(after[treated]), group(after[~treated]))
    sharp = adjusted(after, before, treated)
    sharper = mean_difference(group(sharp[treated]), group(sharp[~treated]))
    assert sharper.difference == pytest.approx(1, abs=3 * sharper.error)
    assert sharper.error < plain.error / 2


def test_holm_multiplies_the_smallest_by_all_and_never_falls():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
