"""Lifetime figures: pauses, orders, and folding what lies far back."""

from datetime import date, timedelta

import narwhals as nw
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from features.lifetime import lifetime, merged_lifetime
from features.pauses import with_pauses
from features.time import day_number


def test_pauses_of_three_ten_and_five_days(features):
    row = features(30, 27, 17, 12)
    assert row["value_gaps"] == 3
    assert row["value_mean_gap_days"] == 6.0
    assert row["value_sd_gap_days"] == pytest.approx((26 / 3) ** 0.5)
    assert row["value_median_gap_days"] == 5.0
    assert row["value_max_gap_days"] == 10
    assert row["value_last_gap_days"] == 5


def test_median_of_two_pauses_is_their_middle(features):
    assert features(30, 20, 17)["value_median_gap_days"] == 6.5


def test_equal_pauses_have_no_spread(features):
    assert features(30, 23, 16, 9)["value_sd_gap_days"] == 0.0


def test_single_day_has_no_pause(features):
    row = features(30)
    assert row["value_gaps"] == 0
    names = ("mean", "sd", "median", "max", "last")
    assert [row[f"value_{name}_gap_days"] for name in names] == [None] * 5


def test_two_orders_on_a_day_are_no_pause_of_zero_days(features):
    row = features(30, 30, 20)
    assert (row["value_gaps"], row["value_median_gap_days"]) == (1, 10.0)


def test_late_row_of_a_day_is_no_pause_of_zero_days(features):
    row = features(30, (30, {"loaded_days_ago": 25}), 20)
    assert (row["value_gaps"], row["value_median_gap_days"]) == (1, 10.0)


def test_order_loaded_after_a_later_one_ends_no_pause(features):
    row = features(30, 10, (16, {"loaded_days_ago": 2}))
    assert (row["value_gaps"], row["value_max_gap_days"], row["value_last_gap_days"]) == (1, 20, 20)


def test_log_that_is_loaded_a_day_late_has_the_same_pauses(features):
    late = [(ago, {"loaded_days_ago": ago - 1}) for ago in (30, 27, 17, 12)]
    row, on_time = features(*late), features(30, 27, 17, 12)
    names = [name for name in row if "_gap_days" in name]
    assert [row[n] for n in names] == [on_time[n] for n in names]


def test_visits_interrupt_the_pauses_of_events_only(features):
    row = features(30, (25, {"role": "visit"}), 10)
    assert row["value_median_gap_days"] == 20.0
    assert row["event_median_gap_days"] == 10.0


def test_exposure_is_no_activity_of_the_customers(features):
    row = features(30, (5, {"role": "exposure"}))
    assert (row["days_since_last_event"], row["days_since_last_exposure"]) == (30, 5)
    assert (row["active_days"], row["event_gaps"]) == (1, 0)


def test_first_and_latest_order_keep_their_money(features):
    row = features((40, {"value_cents": 900}), (20, {"value_cents": 100}), (9, {"role": "visit"}))
    assert (row["first_order_cents"], row["last_order_cents"]) == (900, 100)


def test_cohort_is_the_month_of_the_first_order(features, as_of):
    first = as_of - timedelta(days=100)
    assert features((200, {"role": "visit"}), 100, 3)["first_value_month"] == first.month


@pytest.mark.parametrize("cut_days_ago", [5, 20, 33, 60, 200])
def test_folding_the_past_changes_no_figure(daily, dimensions, as_of, cut_days_ago):
    days = daily(200, 61, 60, (60, {"role": "visit"}), 33, (40, {"loaded_days_ago": 10}),
                 (21, {"value_cents": 700}), 20, 6, 5).collect().to_native()  # fmt: skip
    cut = day_number(as_of) - cut_days_ago
    parts = [nw.from_native(days.lazy().filter(c)) for c in
             (pl.col("visible_day") < cut, pl.col("visible_day") >= cut)]  # fmt: skip
    past = lifetime(with_pauses(parts[0]), dimensions)
    rest = lifetime(with_pauses(parts[1], past), dimensions)
    folded = merged_lifetime([past, rest], dimensions).collect().to_native()
    whole = nw.from_native(days.lazy())
    at_once = lifetime(with_pauses(whole), dimensions).collect().to_native()
    assert_frame_equal(folded, at_once, check_column_order=False, check_dtypes=False)


@pytest.mark.parametrize("year", [1970, 1999, 2000, 2024, 2100])
def test_month_of_every_day_of_a_year_is_the_calendars(year):
    from features.time import month_of, weekday_of

    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    rows = nw.from_native(pl.DataFrame({"day": [day_number(d) for d in days]}), eager_only=True)
    made = rows.select(month=month_of(nw.col("day")), weekday=weekday_of(nw.col("day")))
    assert made["month"].to_list() == [d.month for d in days]
    assert made["weekday"].to_list() == [d.isoweekday() for d in days]
