from datetime import date

import pytest

from features.params import ChurnParams, Cutoffs
from models.splits import split

JAN, FEB, MAR, APR, MAY = (date(2018, month, 1) for month in range(1, 6))
LABEL = ChurnParams(horizon_days=28, gap_days=0, lookback_days=90)


def cutoffs(*train, test=MAY):
    return Cutoffs(train=list(train), test=test, before=MAY, now=date(2018, 6, 1))


def test_latest_training_cutoff_calibrates_and_the_earlier_ones_fit():
    assert split(cutoffs(JAN, FEB, MAR, APR), LABEL) == ([JAN, FEB, MAR], [APR], MAY)


@pytest.mark.parametrize(
    ("horizon_days", "gap_days", "fit"),
    [
        (31, 0, [JAN, FEB, MAR]),  # March's window is [1 March, 1 April): ends where April begins
        (32, 0, [JAN, FEB]),
        (31, 1, [JAN, FEB]),
        (59, 0, [JAN, FEB]),
        (60, 0, [JAN]),
    ],
)
def test_label_windows_of_the_fit_end_before_the_calibration_begins(horizon_days, gap_days, fit):
    label = ChurnParams(horizon_days=horizon_days, gap_days=gap_days, lookback_days=90)
    assert split(cutoffs(JAN, FEB, MAR, APR), label).fit == fit


def test_single_cutoff_fits_and_nothing_calibrates():
    assert split(cutoffs(JAN), LABEL) == ([JAN], [], MAY)


def test_latest_cutoff_alone_fits_where_every_window_overlaps_it():
    label = ChurnParams(horizon_days=91, gap_days=0, lookback_days=90)
    assert split(cutoffs(JAN, FEB, MAR, APR), label) == ([APR], [], MAY)


@pytest.mark.parametrize("nothing", [cutoffs(), cutoffs(JAN, test=None)])
def test_no_training_cutoff_is_an_error(nothing):
    with pytest.raises(ValueError, match="no training cutoff"):
        split(nothing, LABEL)
