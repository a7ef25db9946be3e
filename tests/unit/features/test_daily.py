"""The daily table: one row a customer, day and day of visibility."""

from polars.testing import assert_frame_equal

from features.daily import KEY, merged_daily


def test_events_of_a_day_are_counted_by_kind_and_channel(daily):
    row = daily(
        (5, {"role": "value", "engagement_type": "transactional", "channel": "store"}),
        (5, {"role": "exposure", "channel": "email"}),
        (5, {"role": "visit", "channel": "email"}),
    )
    (only,) = row.collect().rows(named=True)
    kinds = ("value_transactional", "value_plain", "exposure_plain", "visit_plain")
    assert [only[f"kind_{kind}"] for kind in kinds] == [1, 0, 1, 1]
    assert (only["acts_email"], only["acts_store"]) == (1, 1)
    assert (only["exposures_email"], only["exposures_store"]) == (1, 0)


def test_what_the_company_does_is_no_act_of_the_customers(daily):
    (only,) = daily((5, {"role": "exposure"}), (5, {"role": "visit"})).collect().rows(named=True)
    assert only["acts"] == 1


def test_channel_without_a_count_of_its_own_counts_in_the_total(daily):
    (only,) = daily((5, {"channel": "pigeon"}), (5, {"channel": None})).collect().rows(named=True)
    assert (only["acts"], only["acts_email"], only["acts_store"]) == (2, 0, 0)


def test_day_begins_with_the_first_own_act(daily):
    (only,) = daily(
        (5, {"role": "exposure", "hour": 6}), (5, {"hour": 19}), (5, {"hour": 9}), (5, {})
    ).collect().rows(named=True)  # fmt: skip
    assert only["hour"] == 9


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
    assert rows["acts"].to_list() == [2, 1]
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


def test_day_with_exposures_alone_is_no_active_day(daily):
    assert daily((5, {"role": "exposure"})).collect()["first_sight"].to_list() == [0]


def test_tables_of_different_events_merge_to_the_table_of_all(daily, dimensions):
    first = [5, (5, {"role": "visit", "hour": 9}), (3, {"value_cents": 900, "loaded_days_ago": 1})]
    second = [4, (5, {"hour": 7}), (3, {"value_cents": 100}), (5, {"loaded_days_ago": 2})]
    merged = merged_daily([daily(*first), daily(*second)], dimensions).collect().to_native()
    at_once = daily(*first, *second).collect().to_native()
    assert_frame_equal(merged.sort(*KEY), at_once.sort(*KEY), check_column_order=False)
