import polars as pl

from features.cohorts import retention

BOUGHT = {"a": [0, 35, 70], "b": [5, 36], "c": [40]}  # days since 1970-01-01


def daily(bought):
    rows = [(who, day, 1) for who, days in bought.items() for day in days]
    schema = {"customer_id": pl.String, "day": pl.Int64, "first_value_sight": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_a_customer_counts_in_the_cohort_of_the_first_month_they_bought_in():
    found = retention(daily(BOUGHT), end_day=1000)
    firsts = found.filter(pl.col("month") == 0)
    assert firsts["cohort"].dt.month().to_list() == [1, 2]
    assert firsts["customers"].to_list() == [2, 1]
    assert firsts["share"].to_list() == [1.0, 1.0]


def test_months_count_from_the_customers_own_first_order():
    found = retention(daily(BOUGHT), end_day=1000).filter(pl.col("customers") == 2)
    assert found["month"].to_list() == [0, 1, 2]
    assert found["returned"].to_list() == [2, 2, 1]  # b came back on its day 31
    assert found["share"].to_list() == [1.0, 1.0, 0.5]


def test_a_month_that_the_data_cut_off_is_left_out():
    found = retention(daily(BOUGHT), end_day=94).filter(pl.col("customers") == 2)
    assert found["month"].to_list() == [0, 1]  # b's month 2 ends on day 95


def test_days_without_a_value_event_do_not_begin_a_cohort():
    visit = pl.DataFrame({"customer_id": ["v"], "day": [0], "first_value_sight": [0]})
    assert retention(visit, end_day=1000).height == 0
