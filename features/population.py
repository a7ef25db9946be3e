"""Features that compare a customer with everybody else in the same snapshot."""

import narwhals as nw

from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES

QUINTILES = 5
INPUTS = (
    "value_events",
    "value_events_365d",
    "value_cents_365d",
    "days_since_last_value",
    "days_since_last_event",
    "own_recency_days",
    "own_gaps",
    "own_median_gap_days",
    "own_last_gap_days",
    *(f"{kind}_strength" for kind in ENGAGEMENT_TYPES),
)


def with_population(snapshot: nw.DataFrame, params: FeatureParams) -> nw.DataFrame:
    """Add the features of the ``population`` layer.

    Parameters
    ----------
    snapshot : table, shape (n_customers, .)
        One row a customer, with at least the columns of `INPUTS`.
    params : FeatureParams
        ``gap_prior_count``: how many pauses the population's median pause counts for.

    References
    ----------
    The five activities' ratio, the inactivity window and the four scores: docs/definitions.md.
    Ties in quintiles: Miglautsch, 2000, Journal of Database Marketing 8 (a tie takes its middle).
    """
    usual = _usual_gap(snapshot, params.gap_prior_count)
    return (
        snapshot.with_columns(usual_gap_days=usual)
        .with_columns(*_ratios())
        .with_columns(is_active=_is_active())
        .with_columns(*(_score(t).alias(f"{t}_score") for t in ENGAGEMENT_TYPES))
        .with_columns(engagement_types_above_median=_types_above_median())
        .with_columns(*_rfm())
    )


def _usual_gap(snapshot: nw.DataFrame, prior_count: int) -> nw.Expr:
    """Own median pause, weighted by its pauses, with the population's as `prior_count` more."""
    median = snapshot["own_median_gap_days"].median()
    middle = 30.0 if median is None else float(median)
    n = nw.col("own_gaps").fill_null(0)
    own = nw.col("own_median_gap_days")
    shrunk = nw.when(n > 0).then((own * n + middle * prior_count) / (n + prior_count))
    return nw.max_horizontal(shrunk.otherwise(nw.lit(middle)), nw.lit(1.0))


def _ratios() -> list[nw.Expr]:
    usual = nw.col("usual_gap_days")
    silence = nw.col("own_recency_days")
    return [
        (silence / usual).alias("recency_ratio"),
        (nw.col("own_last_gap_days") / usual).alias("last_gap_ratio"),
        (usual * 3).clip(30, 180).alias("inactivity_window_days"),
    ]


def _is_active() -> nw.Expr:
    inside = nw.col("own_recency_days") <= nw.col("inactivity_window_days")
    seen = ~nw.col("days_since_last_event").is_null()
    return (inside.fill_null(False) & seen).cast(nw.Int64)


def _score(kind: str) -> nw.Expr:
    """Percentile rank among those who show the type at all; 0 for the others."""
    strength = nw.when(nw.col(f"{kind}_strength") > 0).then(nw.col(f"{kind}_strength"))
    rank = strength.rank(method="average")
    share = 100 * rank / strength.count()
    return share.fill_null(0.0).round(1)


def _types_above_median() -> nw.Expr:
    return nw.sum_horizontal(*(_above_median(t) for t in ENGAGEMENT_TYPES))


def _above_median(kind: str) -> nw.Expr:
    """1 where the score is at least the median of those who show the type."""
    score = nw.col(f"{kind}_score")
    shown = nw.when(score > 0).then(score)
    return (score >= shown.median()).fill_null(False).cast(nw.Int64)


def _rfm() -> list[nw.Expr]:
    return [
        _quintile(nw.col("days_since_last_value"), descending=True).alias("rfm_recency"),
        _quintile(nw.col("value_events_365d")).alias("rfm_frequency"),
        _quintile(nw.col("value_cents_365d")).alias("rfm_money"),
    ]


def _quintile(column: nw.Expr, *, descending: bool = False) -> nw.Expr:
    """1-5 among customers with a value event, null for the others; equal values share a bin."""
    buyers = nw.when(nw.col("value_events") > 0).then(column)
    rank = buyers.rank(method="average", descending=descending)
    return ((rank - 0.5) * QUINTILES / buyers.count()).floor().cast(nw.Int64) + 1
