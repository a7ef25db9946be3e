"""What happened next: population and label in one place."""

from datetime import date
from typing import Any

import narwhals as nw

from features.comparisons import Rows
from features.params import ChurnParams
from features.schemas import LABELS
from features.time import in_label_window


def label_table(
    now: Rows, later: Rows, daily: nw.LazyFrame, as_of: date, churn: ChurnParams
) -> Rows:
    """Labels of everybody known at `as_of`.

    Parameters
    ----------
    now, later : snapshots with their standing
        At `as_of`, and at the end of its label window, ``as_of + gap + horizon``.
    daily : visible rows of features.daily.daily_table
        Must reach the end of the label window: see features.time.cutoffs.
    as_of : date
    churn : ChurnParams
        The population is everybody with a value event in ``[as_of - lookback, as_of)``.

    Returns
    -------
    table of schemas.LABELS, shape (n_customers_known_at_as_of, 7)
        ``churned`` is True exactly where no value event falls into
        ``[as_of + gap, as_of + gap + horizon)``.
    """
    window = daily.filter(in_label_window(as_of, churn)).group_by("customer_id")
    days = nw.col("first_value_sight").sum()
    sums = window.agg(value_days=days, value_next_cents=nw.col("cents").sum())
    happened: Any = sums.collect() if isinstance(now, nw.DataFrame) else sums
    next_ones = {"stage_next": nw.col("stage"), "level_next": nw.col("level")}
    standing: Any = later.select("customer_id", **next_ones)
    active = (nw.col("days_since_last_value") <= churn.lookback_days).fill_null(False)
    rows = (
        now.select("customer_id", "as_of", in_population=active)
        .join(happened, on="customer_id", how="left")
        .join(standing, on="customer_id", how="left")
        .with_columns(
            churned=nw.col("value_days").fill_null(0) == 0,
            value_days_next=nw.col("value_days").fill_null(0).cast(nw.Int64),
            value_next_cents=nw.col("value_next_cents").fill_null(0),
        )
    )
    return rows.select(*LABELS.names).sort("customer_id")
