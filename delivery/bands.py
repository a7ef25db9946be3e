"""Bands of churn risk."""

from typing import NamedTuple

import polars as pl


class BandLimits(NamedTuple):
    """Churn risk from which a customer counts as medium and as high."""

    medium: float = 0.2
    high: float = 0.5


BANDS = BandLimits()


def churn_band(limits: BandLimits) -> pl.Expr:
    """Band of ``churn_risk``: low, medium or high; empty text where the risk is null."""
    risk = pl.col("churn_risk")
    banded = pl.when(risk >= limits.high).then(pl.lit("high"))
    banded = banded.when(risk >= limits.medium).then(pl.lit("medium"))
    banded = banded.when(risk.is_not_null()).then(pl.lit("low"))
    return banded.otherwise(pl.lit("")).alias("churn_band")
