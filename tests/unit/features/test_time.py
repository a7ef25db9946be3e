"""Who is seen when: every window is half-open."""

from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pytest

from features.errors import DataError
from features.params import ChurnParams, CutoffParams
from features.time import (
    cutoffs,
    day_number,
    in_label_window,
    in_window,
    labelled_dates,
    refuse_after,
    snapshot_dates,
    visible,
)

CHURN = ChurnParams(horizon_days=30, gap_days=7, lookback_days=90)
PAST = CutoffParams(count=4, step_days=37, min_history_days=90)
START = date(2026, 1, 1)
AS_OF = date(2026, 11, 1)
THIRD = AS_OF - 4 * CHURN.reach


def ages_in(window: nw.Expr, ages: range) -> list[int]:
    rows = nw.from_native(pl.DataFrame({"age": list(ages)}))
    return rows.filter(window)["age"].to_list()


def days_in(window: nw.Expr, days: list[date]) -> list[date]:
    rows = nw.from_native(pl.DataFrame({"on": days, "day": [day_number(d) for d in days]}))
    return rows.filter(window)["on"].to_list()


def test_day_numbers_count_from_1970():
    assert day_number(date(1970, 1, 1)) == 0
    assert day_number(date(1972, 3, 1)) == 365 + 365 + 31 + 29


def test_event_on_the_as_of_date_is_not_seen(daily, as_of):
    rows = visible(daily(2, 1, 0, -1), as_of).collect()
    assert sorted(rows["age"].to_list()) == [1, 2]


def test_event_loaded_on_the_as_of_date_is_not_seen(daily, as_of):
    late = (20, {"loaded_days_ago": 0})
    in_time = (10, {"loaded_days_ago": 1})
    assert visible(daily(late, in_time), as_of).collect()["age"].to_list() == [10]


def test_window_of_seven_days_holds_the_seven_days_before_the_as_of_date():
    assert ages_in(in_window(7), range(1, 12)) == [1, 2, 3, 4, 5, 6, 7]


def test_window_before_a_window_starts_where_that_one_ends():
    assert ages_in(in_window(7, ending_days_ago=7), range(1, 20)) == list(range(8, 15))


def test_label_window_holds_its_first_day_but_not_the_day_after_its_last():
    start = AS_OF + timedelta(days=7)
    days = [start + timedelta(days=k) for k in (-1, 0, 29, 30)]
    assert days_in(in_label_window(AS_OF, CHURN), days) == days[1:3]


def test_label_window_without_a_gap_starts_on_the_as_of_date():
    churn = CHURN.model_copy(update={"gap_days": 0})
    days = [AS_OF - timedelta(days=1), AS_OF]
    assert days_in(in_label_window(AS_OF, churn), days) == [AS_OF]


def test_the_tests_label_window_ends_on_the_as_of_date():
    assert cutoffs(AS_OF, START, AS_OF, CHURN, PAST).test == date(2026, 9, 25)
    assert date(2026, 9, 25) + CHURN.reach == AS_OF


def test_every_training_label_window_ends_at_or_before_the_test():
    dates = cutoffs(AS_OF, START, AS_OF, CHURN, PAST)
    assert dates.train
    assert dates.test is not None
    assert max(dates.train) + CHURN.reach == dates.test


def test_training_cutoffs_are_steps_apart_and_oldest_first():
    train = cutoffs(AS_OF, START, AS_OF, CHURN, PAST).train
    assert train == [date(2026, 4, 30), date(2026, 6, 6), date(2026, 7, 13), date(2026, 8, 19)]


def test_label_windows_of_a_step_as_long_as_the_reach_never_overlap():
    dates = labelled_dates(cutoffs(AS_OF, START, AS_OF, CHURN, PAST))
    ends = [d + CHURN.reach for d in dates]
    assert all(end <= start for end, start in zip(ends[:-1], dates[1:], strict=True))


def test_cutoff_with_exactly_the_least_history_is_kept():
    start = THIRD - timedelta(days=90)
    assert cutoffs(AS_OF, start, AS_OF, CHURN, PAST).train[0] == THIRD


def test_cutoff_with_a_day_less_than_the_least_history_is_dropped():
    start = THIRD - timedelta(days=89)
    assert THIRD not in cutoffs(AS_OF, start, AS_OF, CHURN, PAST).train


def test_history_too_short_for_a_cutoff_gives_neither_training_nor_test():
    dates = cutoffs(AS_OF, AS_OF - timedelta(days=120), AS_OF, CHURN, PAST)
    assert (dates.train, dates.test, dates.now) == ([], None, AS_OF)
    assert labelled_dates(dates) == []


def test_each_cutoff_and_the_end_of_its_label_window_need_a_snapshot():
    dates = cutoffs(AS_OF, START, AS_OF, CHURN, PAST)
    needed = snapshot_dates(dates, CHURN)
    assert {d + k * CHURN.reach for d in labelled_dates(dates) for k in (0, 1)} <= set(needed)
    assert needed == sorted(set(needed))
    assert needed[-1] == AS_OF


def test_the_last_date_is_compared_with_the_one_a_reach_before_also_without_history():
    short = cutoffs(AS_OF, AS_OF, AS_OF, CHURN, PAST)
    assert snapshot_dates(short, CHURN) == [AS_OF - CHURN.reach, AS_OF]


def test_days_after_the_data_end_are_in_no_label_window():
    data_end = AS_OF - timedelta(days=5)
    dates = cutoffs(AS_OF, START, data_end, CHURN, PAST)
    assert [dates.test, dates.before] == [data_end - CHURN.reach] * 2
    assert dates.now == AS_OF


def test_date_on_the_last_tolerated_day_is_accepted():
    last = date(2026, 10, 24)
    refuse_after(date(2026, 11, 1), last_day=last, slack_days=7)
    refuse_after(date(2026, 10, 25), last_day=last, slack_days=0)


def test_date_a_day_further_is_refused_with_the_latest_one_that_would_do():
    with pytest.raises(DataError, match=r"Got 2026-11-01\. Expected at most 2026-10-31"):
        refuse_after(date(2026, 11, 1), last_day=date(2026, 10, 23), slack_days=7)
