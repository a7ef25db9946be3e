import numpy as np
import polars as pl
import pytest

from actions.arms import held_out

IDS = pl.Series([f"c{k}" for k in range(20_000)])


def test_same_customers_are_held_out_in_every_run():
    """The first 64 bits of SHA-256 of salt, zero byte and id: 0.02, 0.42, 0.38, 0.77, 0.60."""
    drawn = held_out(pl.Series(["c1", "c2", "c3", "c5", "c8"]), 0.5, "keepwell")
    assert drawn.tolist() == [True, True, True, False, False]


def test_order_and_company_of_the_customers_do_not_matter():
    shuffled = np.random.default_rng(0).permutation(len(IDS))[:5000]
    assert np.array_equal(held_out(IDS, 0.1, "s")[shuffled], held_out(IDS[shuffled], 0.1, "s"))


def test_larger_share_keeps_everybody_of_a_smaller_one():
    small, large = held_out(IDS, 0.05, "s"), held_out(IDS, 0.2, "s")
    assert small.sum() < large.sum()
    assert not (small & ~large).any()


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_share_is_right_within_four_standard_errors(share):
    error = np.sqrt(share * (1 - share) / len(IDS))
    assert held_out(IDS, share, "s").mean() == pytest.approx(share, abs=4 * error)


def test_nobody_is_held_out_at_share_zero():
    assert not held_out(IDS, 0.0, "s").any()


def test_another_salt_draws_independently():
    one, other = held_out(IDS, 0.5, "s"), held_out(IDS, 0.5, "t")
    assert (one & other).mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / len(IDS)))
