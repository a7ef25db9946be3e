"""What the next value event and the coming horizon would bring, by transparent arithmetic."""

import polars as pl

PRIOR_ORDERS = 2


def order_value_cents(mean_cents: float | None = None) -> pl.Expr:
    """Mean order of the customer, shrunk to the population's as if it were two more orders.

    Parameters
    ----------
    mean_cents : float, optional
        The population's mean order, where the table is only a part of it.

    Returns
    -------
    expression over a feature table
        Integer cents, at least 0; customers without an order get the population's mean.
    """
    orders = pl.col("value_events").fill_null(0)
    spent = pl.col("order_cents").fill_null(0)
    observed = spent.sum() / orders.sum().clip(1)
    population = observed if mean_cents is None else pl.lit(mean_cents)
    shrunk = (spent + PRIOR_ORDERS * population) / (orders + PRIOR_ORDERS)
    return shrunk.clip(0).round(0).cast(pl.Int64).alias("order_value_cents")


def expected_orders(horizon_days: int) -> pl.Expr:
    """Orders in the horizon of somebody who orders: the past year's rate, but at least 1."""
    seen = pl.min_horizontal("days_since_first_value", pl.lit(365)).clip(30)
    rate = pl.col("value_events_365d") / seen
    return pl.max_horizontal(rate * horizon_days, pl.lit(1.0)).fill_null(1.0)


def expected_value_cents(p_value: pl.Expr, horizon_days: int) -> pl.Expr:
    """Money expected in the horizon: P(a value event) x expected orders x order value [cents]."""
    amount = p_value * expected_orders(horizon_days) * pl.col("order_value_cents")
    return amount.round(0).cast(pl.Int64).alias("expected_value_cents")
