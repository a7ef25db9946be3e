"""Pauses between a customer's days of activity."""

from typing import Literal

import narwhals as nw

Days = Literal["value", "event"]
SIGHTS: dict[Days, str] = {"value": "first_value_sight", "event": "first_sight"}
Paused = dict[Days, nw.LazyFrame]


def pauses(daily: nw.LazyFrame, days: Days, earlier: nw.LazyFrame | None = None) -> nw.LazyFrame:
    """The pause before each day of activity, as it was known when the day became visible.

    A day that is loaded late, out of order, ends no pause, and does not change the pauses that
    others had ended by then: so a pause never depends on what was loaded after it.

    Parameters
    ----------
    daily : rows of the daily table
    days : str
        ``value``: days with a value event; ``event``: days with any act of the customer's own.
    earlier : table of features.lifetime.lifetime, optional
        What was visible before `daily` begins; ends the customer's first pause in it.

    Returns
    -------
    table, shape (n_customer_days, 4)
        ``customer_id``, ``day``, ``visible_day``, ``pause`` [days, null where there is none].
    """
    rows = daily.filter(nw.col(SIGHTS[days]) > 0).select("customer_id", "day", "visible_day")
    latest = nw.col("day").cum_max().over("customer_id", order_by=["visible_day", "day"])
    before = nw.col("latest").shift(1).over("customer_id", order_by=["visible_day", "day"])
    known = rows.with_columns(latest=latest).with_columns(before=before)
    if earlier is not None:
        last = earlier.select("customer_id", last=nw.col(_last_day(days)))
        known = known.join(last, on="customer_id", how="left")
        known = known.with_columns(before=nw.max_horizontal("before", "last"))
    pause = nw.when(nw.col("day") > nw.col("before")).then(nw.col("day") - nw.col("before"))
    return known.select("customer_id", "day", "visible_day", pause=pause)


def _last_day(days: Days) -> str:
    return "last_role_value_day" if days == "value" else "last_day"
