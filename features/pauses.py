"""Pauses between a customer's days of activity."""

from typing import Literal

import narwhals as nw

Days = Literal["value", "event"]
SIGHTS: dict[Days, str] = {"value": "first_value_sight", "event": "first_sight"}
LAST_DAYS: dict[Days, str] = {"value": "last_role_value_day", "event": "last_day"}
BEFORE = [f"{days}_before" for days in SIGHTS]
ORDER = ["visible_day", "day"]
MORE_THAN_DAYS = 2**24  # than any day number


def with_pauses(
    daily: nw.DataFrame | nw.LazyFrame, earlier: nw.LazyFrame | None = None
) -> nw.LazyFrame:
    """Add the pause before each day of activity, as it was known when the day became visible.

    A day that is loaded late, out of order, ends no pause, and does not change the pauses that
    others had ended by then: so a pause never depends on what was loaded after it.

    Parameters
    ----------
    daily : rows of the daily table
        In memory, all rows are sorted once; a lazy table is sorted customer by customer, wherever
        the customer's rows are.
    earlier : table of features.lifetime.lifetime, optional
        What was visible before `daily` begins; ends the customer's first pause in it.

    Returns
    -------
    table, shape (n_customer_days, .)
        Adds ``value_pause`` (between days with a value event) and ``event_pause`` (between days
        with an act of the customer's own) [days, null where there is none].
    """
    lazily = isinstance(daily, nw.LazyFrame)
    rows = _with_before_by_customer(daily) if lazily else _with_before_in_order(daily).lazy()
    if earlier is not None:
        rows = _with_earlier(rows, earlier)
    return rows.with_columns(**{f"{days}_pause": _pause(days) for days in SIGHTS}).drop(*BEFORE)


def _reached() -> dict[str, nw.Expr]:
    """The day itself where it counts, under the names of `BEFORE`."""
    return {
        f"{days}_before": nw.when(nw.col(sight) > 0).then(nw.col("day")).otherwise(0)
        for days, sight in SIGHTS.items()
    }


def _with_before_by_customer(daily: nw.LazyFrame) -> nw.LazyFrame:
    latest = {name: reached.cum_max() for name, reached in _reached().items()}
    shifted = {name: nw.col(name).shift(1).fill_null(0) for name in latest}
    rows = daily
    for columns in (latest, shifted):
        rows = rows.with_columns(
            **{name: column.over("customer_id", order_by=ORDER) for name, column in columns.items()}
        )
    return rows


def _with_before_in_order(daily: nw.DataFrame) -> nw.DataFrame:
    """One running maximum over everybody: a customer's number is larger than all before it."""
    rows = daily.sort("customer_id", *ORDER)
    customer = nw.col("customer_id")
    first = (customer != customer.shift(1)).fill_null(True)
    rows = rows.with_columns(floor=first.cast(nw.Int64).cum_sum() * MORE_THAN_DAYS)
    floor = nw.col("floor")
    latest = {n: (floor + day).cum_max().shift(1).fill_null(0) for n, day in _reached().items()}
    before = {name: nw.max_horizontal(nw.col(name) - floor, nw.lit(0)) for name in latest}
    return rows.with_columns(**latest).with_columns(**before).drop("floor")


def _with_earlier(rows: nw.LazyFrame, earlier: nw.LazyFrame) -> nw.LazyFrame:
    known = {f"{days}_known": nw.col(name).fill_null(0) for days, name in LAST_DAYS.items()}
    both = rows.join(earlier.select("customer_id", **known), on="customer_id", how="left")
    later = {
        f"{days}_before": nw.max_horizontal(f"{days}_before", nw.col(f"{days}_known").fill_null(0))
        for days in SIGHTS
    }
    return both.with_columns(**later).drop(*known)


def _pause(days: Days) -> nw.Expr:
    """Days since the latest day before; 0 stands for none."""
    day, before = nw.col("day"), nw.col(f"{days}_before")
    ended = (nw.col(SIGHTS[days]) > 0) & (before > 0) & (day > before)
    return nw.when(ended).then(day - before)
