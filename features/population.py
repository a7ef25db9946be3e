"""Features that compare a customer with everybody else in the same snapshot."""

import narwhals as nw

from features.comparisons import Rows, half_even, with_overall, with_ranks
from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES

QUINTILES = 5
MIDDLE = "middle_gap_days"  # the population's median pause
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
_RFM = {
    "rfm_recency": -nw.col("days_since_last_value"),
    "rfm_frequency": nw.col("value_events_365d"),
    "rfm_money": nw.col("value_cents_365d"),
}


def with_population(snapshot: Rows, params: FeatureParams) -> Rows:
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
    middle = {MIDDLE: nw.col("own_median_gap_days").median()}
    ranked = with_ranks(with_overall(snapshot, middle), _ranked())
    scored = (
        ranked.with_columns(usual_gap_days=_usual_gap(params.gap_prior_count))
        .with_columns(*_ratios())
        .with_columns(is_active=_is_active())
        .with_columns(*(_score(t).alias(f"{t}_score") for t in ENGAGEMENT_TYPES))
    )
    medians = {f"{t}_middle": _shown(t).median() for t in ENGAGEMENT_TYPES}
    compared = with_overall(scored, medians).with_columns(
        _types_above_median().alias("engagement_types_above_median"),
        *(_quintile(name).alias(name) for name in _RFM),
    )
    used = [f"{name}_{part}" for name in _ranked() for part in ("rank", "count")]
    return compared.drop(MIDDLE, *medians, *used)


def _usual_gap(prior_count: int) -> nw.Expr:
    """Own median pause, weighted by its pauses, with the population's as `prior_count` more."""
    middle = nw.col(MIDDLE).fill_null(30.0)
    n = nw.col("own_gaps").fill_null(0)
    own = nw.col("own_median_gap_days")
    shrunk = nw.when(n > 0).then((own * n + middle * prior_count) / (n + prior_count))
    return nw.max_horizontal(shrunk.otherwise(middle), nw.lit(1.0))


def _ranked() -> dict[str, nw.Expr]:
    """What customers are ranked by; null where they take no part."""
    shown = {
        f"{t}_strength": nw.when(nw.col(f"{t}_strength") > 0).then(nw.col(f"{t}_strength"))
        for t in ENGAGEMENT_TYPES
    }
    buyers = nw.when(nw.col("value_events") > 0)
    return shown | {name: buyers.then(by) for name, by in _RFM.items()}


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
    share = 100 * nw.col(f"{kind}_strength_rank") / nw.col(f"{kind}_strength_count")
    return half_even(share.fill_null(0.0), 1)


def _shown(kind: str) -> nw.Expr:
    score = nw.col(f"{kind}_score")
    return nw.when(score > 0).then(score)


def _types_above_median() -> nw.Expr:
    """Scores that are at least the median of those who show the type."""
    above = [nw.col(f"{t}_score") >= nw.col(f"{t}_middle") for t in ENGAGEMENT_TYPES]
    return nw.sum_horizontal(*(each.fill_null(False).cast(nw.Int64) for each in above))


def _quintile(name: str) -> nw.Expr:
    """1-5 among customers with a value event, null for the others; equal values share a bin."""
    place = (nw.col(f"{name}_rank") - 0.5) * QUINTILES / nw.col(f"{name}_count")
    return place.floor().cast(nw.Int64) + 1
