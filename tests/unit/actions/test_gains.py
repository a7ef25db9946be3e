from datetime import date, timedelta

import polars as pl
import pytest

from actions.gains import ORDERS, STAYS, with_gains

AS_OF = date(2018, 1, 1)


def matured(**changes) -> pl.DataFrame:
    """A customer whom a run looked at: 500 cents expected in the 30 days, a toss-up."""
    row = {
        "customer_id": "a", "as_of": AS_OF, "horizon_days": 30, "value_cents": 0.0, "p_value": 0.5,
        "p_alive": 1.0, "order_value_cents": 1000, "expected_value_cents": 500,
    }  # fmt: skip
    return pl.DataFrame([row | changes])


def expected(*runs: tuple[int, int]) -> pl.DataFrame:
    """What runs so many days later expected of the customer [cents]."""
    return pl.DataFrame(
        [("a", AS_OF + timedelta(days=days), cents) for days, cents in runs],
        schema=["customer_id", "as_of", "expected_value_cents"], orient="row",
    )  # fmt: skip


def test_staying_is_money_beyond_what_was_expected_now_and_later():
    """1,200 now and 2 x 800 later, 3 x 500 expected: 1,300, of 2 x 500 / 0.5."""
    found = with_gains(matured(value_cents=1200.0), expected((0, 500), (30, 800)), 60)
    assert found[STAYS].to_list() == pytest.approx([0.65])


@pytest.mark.parametrize(
    ("p_alive", "gain"),
    # 700 now beyond what was expected, and 2 x 300 later if they had left, of an order of 1,000
    [(1.0, 0.7), (0.5, 1.0), (0.0, 1.3), (None, 0.7)],
)
def test_order_brings_what_follows_only_from_those_who_may_have_left(p_alive, gain):
    rows = matured(value_cents=1200.0, p_alive=p_alive)
    found = with_gains(rows, expected((0, 500), (30, 800)), 60)
    assert found[ORDERS].to_list() == pytest.approx([gain])


def test_customer_who_brings_what_was_expected_gains_nothing():
    found = with_gains(matured(value_cents=500.0), expected((30, 500)), 365)
    assert found.select(ORDERS, STAYS).row(0) == pytest.approx((0, 0))


def test_first_run_on_or_after_the_end_of_the_window_says_what_is_expected():
    found = with_gains(matured(), expected((29, 9000), (31, 500), (40, 7000)), 30)
    assert found[STAYS].to_list() == pytest.approx([-0.5])


def test_customer_whom_no_later_run_looked_at_says_nothing():
    found = with_gains(matured(), expected((0, 500), (29, 900)), 30)
    assert found.select(ORDERS, STAYS).row(0) == (None, None)


def test_customer_who_was_won_back_gains_more_than_one_whose_order_came_early():
    bought = matured(value_cents=1000.0, expected_value_cents=50, p_value=0.1, p_alive=0.1)
    back, early = (with_gains(bought, expected((30, later)), 365) for later in (900, 50))
    for gain in (ORDERS, STAYS):
        assert back[gain][0] > 5 * early[gain][0] > 0
