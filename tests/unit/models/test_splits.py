from datetime import date, timedelta

import pytest

from models.splits import Fold, folds

JAN, FEB, MAR, APR = (date(2018, month, 1) for month in range(1, 5))
CUTOFFS = [JAN, FEB, MAR, APR]


def after(days):
    return timedelta(days=days)


def test_each_held_out_cutoff_learns_from_all_earlier_ones_whose_windows_have_ended():
    assert folds(CUTOFFS, after(28), 9) == [
        Fold([JAN], FEB),
        Fold([JAN, FEB], MAR),
        Fold([JAN, FEB, MAR], APR),
    ]


@pytest.mark.parametrize(
    ("reach_days", "fit"),
    [
        (31, [JAN, FEB, MAR]),  # March's window is [1 March, 1 April): ends where April begins
        (32, [JAN, FEB]),
        (59, [JAN, FEB]),
        (60, [JAN]),
    ],
)
def test_no_label_window_reaches_past_the_held_out_cutoff(reach_days, fit):
    assert folds(CUTOFFS, after(reach_days), 1) == [Fold(fit, APR)]


def test_the_latest_cutoffs_are_held_out_whatever_the_order():
    assert [f.held_out for f in folds([APR, JAN, MAR, FEB], after(28), 2)] == [MAR, APR]


def test_nothing_is_held_out_where_every_window_overlaps():
    assert folds(CUTOFFS, after(91), 3) == []
    assert folds([JAN], after(28), 3) == []
