"""One row a known customer, as it could have been computed on the day."""

from datetime import timedelta

import pytest

from features.definitions import all_features


@pytest.fixture
def made(events, spine, snapshots_of, definitions, as_of):
    """Build the snapshot of some events for the customers of a spine."""

    def of(*rows, **known_days_ago):
        known = spine(**known_days_ago).collect().to_native()
        return snapshots_of(events(*rows).collect().to_native(), known, [as_of], definitions)[as_of]

    return of


def test_customer_without_an_event_is_kept_with_counts_of_0_and_the_rest_unknown(made):
    (row,) = made(ann=40).rows(named=True)
    assert (row["days_since_known"], row["value_events"], row["events_28d"]) == (40, 0, 0)
    assert (row["days_since_last_value"], row["max_order_cents"], row["own_gaps"]) == (None,) * 3


def test_customer_known_since_the_as_of_date_is_left_out(made):
    assert made(ann=1, bob=0, eve=-1)["customer_id"].to_list() == ["ann"]


def test_events_of_strangers_make_no_row(made):
    assert made((5, {"customer_id": "zoe"}), ann=9)["customer_id"].to_list() == ["ann"]


def test_snapshot_has_the_declared_columns_sorted_by_customer(made, definitions, as_of):
    whole = made(5, 9, eve=9, ann=9)
    names = [feature.name for feature in all_features(definitions)]
    assert whole.columns == ["customer_id", "as_of", *names]
    assert whole["customer_id"].to_list() == ["ann", "eve"]
    assert whole["as_of"].to_list() == [as_of, as_of]


def test_dates_in_one_pass_are_the_dates_alone(events, spine, snapshots_of, definitions, as_of):
    log = events(200, 90, (60, {"role": "visit"}), (40, {"loaded_days_ago": 3}), 9)
    log, known = log.collect().to_native(), spine(ann=500, bob=30).collect().to_native()
    dates = [as_of - timedelta(days=ago) for ago in (70, 40, 5, 0)]
    together = snapshots_of(log, known, dates, definitions)
    for day in dates:
        assert together[day].equals(snapshots_of(log, known, [day], definitions)[day])


def test_sums_are_integers(made, definitions):
    whole = made(100, 40, (12, {"role": "visit", "engagement_type": "social"}), ann=400)
    counts = {f.name for f in all_features(definitions) if f.zero and "strength" not in f.name}
    assert [n for n in counts if not whole.schema[n].is_integer()] == []
