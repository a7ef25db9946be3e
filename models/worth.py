"""What each customer is expected to bring, as columns of the scores: by the champion or by rule."""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from models.lifetime_value import (
    Forecast,
    ValueModel,
    days_to_next_order,
    forecasts,
    order_means,
)
from models.order_values import expected_order_value
from models.value import expected_value_cents, order_value_cents

WINDOWS_DAYS = (90, 365)
ENDS = ("", "_low", "_high")


class Terms(NamedTuple):
    """What money is counted over, and how much of it is margin."""

    horizon_days: int
    margin_rate: float


def with_worth(
    rows: pl.DataFrame, mean_order_cents: float, model: ValueModel | None, terms: Terms
) -> pl.DataFrame:
    """Add order value, expected money, expected margins with their intervals, and the next order.

    Parameters
    ----------
    rows : feature table with ``p_value``, shape (n, .)
    mean_order_cents : float
        Of everybody.
    model : ValueModel or None
        Without one, and for customers who never ordered, transparent arithmetic takes its place,
        without an interval or a date.
    terms : Terms
    """
    ruled = _by_rule(rows.with_row_index("place"), mean_order_cents, terms)
    ordered = ruled.filter(pl.col("value_days").fill_null(0) > 0) if model else ruled.clear()
    if model is None or not ordered.height:
        return ruled.drop("place")
    predicted = _by_model(ordered, model, terms)
    return ruled.update(predicted, on="place", how="left").drop("place")


def _by_rule(rows: pl.DataFrame, mean_order_cents: float, terms: Terms) -> pl.DataFrame:
    horizon = terms.horizon_days
    valued = rows.with_columns(order_value_cents(mean_order_cents))
    money = valued.with_columns(expected_value_cents(pl.col("p_value"), horizon))
    unknown = pl.lit(None, pl.Int64)
    margins = {
        f"margin_{days}d{end}_cents": unknown if end else _cents(
            pl.col("expected_value_cents") * (terms.margin_rate * days / horizon)
        )
        for days in WINDOWS_DAYS for end in ENDS
    }  # fmt: skip
    return money.with_columns(**margins, next_value_on=pl.lit(None, pl.Date))


def _by_model(rows: pl.DataFrame, model: ValueModel, terms: Terms) -> pl.DataFrame:
    as_of: date = rows["as_of"][0]
    horizon, *others = forecasts(model, rows, as_of, [terms.horizon_days, *WINDOWS_DAYS])
    each = expected_order_value(model.start.values, *order_means(rows))
    columns = {"order_value_cents": each, "expected_value_cents": horizon.cents}
    for days, forecast in zip(WINDOWS_DAYS, others, strict=True):
        columns |= _margins(days, forecast, terms.margin_rate)
    whole = {name: pl.Series(np.rint(values).astype(np.int64)) for name, values in columns.items()}
    return rows.select("place", next_value_on=_dates(as_of, days_to_next_order(model.start, rows)),
                       ).with_columns(**whole)  # fmt: skip


def _margins(days: int, forecast: Forecast, rate: float) -> dict[str, np.ndarray]:
    ends = (forecast.cents, forecast.low_cents, forecast.high_cents)
    return {f"margin_{days}d{e}_cents": rate * v for e, v in zip(ENDS, ends, strict=True)}


def _dates(as_of: date, days: np.ndarray) -> pl.Series:
    """The dates, null where they lie more than a year ahead."""
    dates = [as_of + timedelta(days=int(d)) if d <= max(WINDOWS_DAYS) else None for d in days]
    return pl.Series("next_value_on", dates, dtype=pl.Date)


def _cents(amount: pl.Expr) -> pl.Expr:
    return amount.round(0).cast(pl.Int64)
