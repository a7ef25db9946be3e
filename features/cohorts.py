"""How many of those who first bought in the same month came back in the months after."""

import polars as pl

DAYS_A_MONTH = 30


def retention(daily: pl.DataFrame, *, end_day: int) -> pl.DataFrame:
    """Share of each cohort with a value event, by months since the first one.

    Parameters
    ----------
    daily : table of features.daily.daily_table
    end_day : int
        Day number after the last day of the data; months that it cuts off are left out.

    Returns
    -------
    table, shape (n_cohorts x n_months, 5)
        ``cohort`` (first day of the month of the first value event), ``customers`` in it, ``month``
        (0, 1, ... of 30 days each, counted from the customer's own first value event),
        ``returned`` (customers with a value event in it) and ``share`` [0-1].
    """
    bought = daily.filter(pl.col("first_value_sight") > 0).select("customer_id", "day")
    first = bought.with_columns(first=pl.col("day").min().over("customer_id"))
    placed = first.with_columns(
        cohort=pl.from_epoch("first", time_unit="d").dt.truncate("1mo"),
        month=(pl.col("day") - pl.col("first")) // DAYS_A_MONTH,
    )
    members = placed.group_by("cohort").agg(
        customers=pl.col("customer_id").n_unique(), latest=pl.col("first").max()
    )
    returned = placed.group_by("cohort", "month").agg(returned=pl.col("customer_id").n_unique())
    complete = pl.col("latest") + (pl.col("month") + 1) * DAYS_A_MONTH <= end_day
    rows = members.join(returned, on="cohort").filter(complete)
    share = pl.col("returned") / pl.col("customers")
    wanted = ("cohort", "customers", "month", "returned", "share")
    return rows.with_columns(share=share).select(wanted).sort("cohort", "month")
