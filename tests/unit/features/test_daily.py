"""The daily table: one row a customer, day and day of visibility."""

import polars as pl
from polars.testing import assert_frame_equal

from features.daily import KEY


def test_events_of_a_day_are_counted_by_role_type_and_channel(daily):
    row = daily(
        (5, {"role": "value", "engagement_type": "transactional", "channel": "store"}),
        (5, {"role": "exposure", "channel": "email"}),
        (5, {"role": "visit", "channel": "email"}),
    )
    (only,) = row.collect().rows(named=True)
    assert only["n"] == 3
    assert (only["role_value"], only["role_exposure"], only["role_visit"]) == (1, 1, 1)
    assert (only["type_transactional"], only["type_social"]) == (1, 0)
    assert (only["channel_email"], only["channel_store"]) == (2, 1)
    assert (only["exposure_email"], only["exposure_store"]) == (1, 0)


def test_channel_without_a_count_of_its_own_counts_in_the_total(daily):
    (only,) = daily((5, {"channel": "pigeon"}), (5, {"channel": None})).collect().rows(named=True)
    assert (only["n"], only["channel_email"], only["channel_store"]) == (2, 0, 0)


def test_refund_lowers_the_days_money_but_not_its_orders(daily):
    (only,) = daily(
        (5, {"value_cents": 3000}),
        (5, {"value_cents": 4500}),
        (5, {"role": "service", "value_cents": -1000}),
    ).collect().rows(named=True)  # fmt: skip
    assert (only["cents"], only["order_cents"], only["max_order_cents"]) == (6500, 7500, 4500)
    assert only["refunds"] == 1


def test_day_without_an_order_has_no_largest_order(daily):
    (only,) = daily((5, {"role": "visit", "value_cents": 0})).collect().rows(named=True)
    assert (only["order_cents"], only["max_order_cents"]) == (0, None)


def test_customers_do_not_share_a_row(daily):
    rows = daily((5, {"customer_id": "ann"}), (5, {"customer_id": "bob"})).collect()
    assert sorted(rows["customer_id"].to_list()) == ["ann", "bob"]


def test_late_events_keep_a_row_of_their_own(daily, as_of):
    rows = daily(5, 5, (5, {"loaded_days_ago": 2})).collect().sort("visible_day")
    assert rows["n"].to_list() == [2, 1]
    assert (rows["visible_day"] - rows["day"]).to_list() == [0, 3]


def test_key_is_unique(daily):
    rows = daily(5, 5, (5, {"loaded_days_ago": 2}), (5, {"loaded_days_ago": 2}), 6).collect()
    assert rows.select(*KEY).unique().shape == rows.select(*KEY).shape == (3, 3)


def test_distinct_days_are_sums_of_first_sights(daily):
    rows = daily(5, (5, {"loaded_days_ago": 2}), (5, {"loaded_days_ago": 1}), 6).collect()
    assert rows["first_sight"].sum() == 2
    assert rows["first_value_sight"].sum() == 2


def test_first_sight_of_a_day_is_its_earliest_row(daily):
    rows = daily((5, {"loaded_days_ago": 2}), (5, {"role": "visit"})).collect().sort("visible_day")
    assert rows["first_sight"].to_list() == [1, 0]


def test_order_that_comes_late_to_a_day_of_visits_is_its_first_order(daily):
    rows = daily((5, {"role": "visit"}), (5, {"loaded_days_ago": 2})).collect().sort("visible_day")
    assert rows["first_value_sight"].to_list() == [0, 1]


def test_day_without_an_order_is_no_day_with_an_order(daily):
    assert daily((5, {"role": "visit"})).collect()["first_value_sight"].to_list() == [0]


def test_days_added_one_by_one_are_the_days_added_at_once(daily):
    first, second = [5, (5, {"role": "visit"})], [4, (3, {"value_cents": 100})]
    apart = pl.concat([daily(*first).collect().to_native(), daily(*second).collect().to_native()])
    at_once = daily(*first, *second).collect().to_native()
    assert_frame_equal(apart.sort(*KEY), at_once.sort(*KEY))
