"""Pauses between days of activity, computed by hand."""

import pytest

from features.gaps import gap_table


def only_row(table):
    (row,) = table.collect().rows(named=True)
    return row


def test_pauses_of_three_ten_and_five_days(seen):
    row = only_row(gap_table(seen(30, 27, 17, 12), "value"))
    assert row["value_gaps"] == 3
    assert row["value_mean_gap_days"] == 6.0
    assert row["value_sd_gap_days"] == pytest.approx((26 / 3) ** 0.5)
    assert row["value_median_gap_days"] == 5.0
    assert row["value_max_gap_days"] == 10
    assert row["value_last_gap_days"] == 5


def test_median_of_two_pauses_is_their_middle(seen):
    assert only_row(gap_table(seen(30, 20, 17), "value"))["value_median_gap_days"] == 6.5


def test_equal_pauses_have_no_spread(seen):
    assert only_row(gap_table(seen(30, 23, 16, 9), "value"))["value_sd_gap_days"] == 0.0


def test_single_day_has_no_pause(seen):
    row = only_row(gap_table(seen(30), "value"))
    assert row["value_gaps"] == 0
    figures = ("mean", "sd", "median", "max", "last")
    assert [row[f"value_{name}_gap_days"] for name in figures] == [None] * 5


def test_two_orders_on_a_day_are_no_pause_of_zero_days(seen):
    row = only_row(gap_table(seen(30, 30, 20), "value"))
    assert (row["value_gaps"], row["value_median_gap_days"]) == (1, 10.0)


def test_late_row_of_a_day_is_no_pause_of_zero_days(seen):
    row = only_row(gap_table(seen(30, (30, {"loaded_days_ago": 25}), 20), "value"))
    assert (row["value_gaps"], row["value_median_gap_days"]) == (1, 10.0)


def test_late_order_splits_the_pause_that_it_falls_into(seen):
    row = only_row(gap_table(seen(30, 10, (16, {"loaded_days_ago": 2})), "value"))
    assert (row["value_gaps"], row["value_max_gap_days"], row["value_last_gap_days"]) == (2, 14, 6)


def test_visits_interrupt_the_pauses_of_events_only(seen):
    days = seen(30, (25, {"role": "visit"}), 10)
    assert only_row(gap_table(days, "value"))["value_median_gap_days"] == 20.0
    assert only_row(gap_table(days, "event"))["event_median_gap_days"] == 10.0


def test_pauses_do_not_run_from_one_customer_to_the_next(seen):
    other = {"customer_id": "bob"}
    rows = gap_table(seen(30, 20, (19, other), (12, other)), "value").collect()
    gaps = dict(rows.select("customer_id", "value_median_gap_days").rows())
    assert gaps == {"ann": 10.0, "bob": 7.0}
