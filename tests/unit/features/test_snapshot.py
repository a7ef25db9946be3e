"""One row a known customer, as it could have been computed on the day."""

from features.definitions import all_features
from features.snapshot import customer_rows, snapshot


def test_customer_without_an_event_is_kept_with_counts_of_0_and_the_rest_unknown(
    daily, spine, as_of, params
):
    (row,) = customer_rows(daily(), spine(ann=40), as_of, params).collect().rows(named=True)
    assert (row["days_since_known"], row["value_events"], row["events_28d"]) == (40, 0, 0)
    assert (row["days_since_last_value"], row["max_order_cents"], row["own_gaps"]) == (None,) * 3


def test_customer_known_since_the_as_of_date_is_left_out(daily, spine, as_of, params):
    rows = customer_rows(daily(), spine(ann=1, bob=0, eve=-1), as_of, params).collect()
    assert rows["customer_id"].to_list() == ["ann"]


def test_events_of_strangers_make_no_row(daily, spine, as_of, params):
    rows = customer_rows(daily((5, {"customer_id": "zoe"})), spine(ann=9), as_of, params).collect()
    assert rows["customer_id"].to_list() == ["ann"]


def test_snapshot_has_the_declared_columns_sorted_by_customer(daily, spine, as_of, params):
    rows = customer_rows(daily(5, 9), spine(eve=9, ann=9), as_of, params).collect()
    whole = snapshot(rows, as_of, params)
    assert whole.columns == ["customer_id", "as_of", *(f.name for f in all_features(params))]
    assert whole["customer_id"].to_list() == ["ann", "eve"]
    assert whole["as_of"].to_list() == [as_of, as_of]
