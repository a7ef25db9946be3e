"""Counts in which an event is worth half as much every so many days.

Sums are over integers, in units of 2**-20, so that neither the order of the rows nor the number of
threads changes a byte.
"""

import narwhals as nw

from features.comparisons import half_even
from features.dimensions import Dimensions, Kind
from features.feature import DECAYED_UNIT, WEIGHT_SCALE, Feature
from features.params import FeatureParams
from features.schemas import ENGAGEMENT_TYPES

DECAYED = {"value_events": "value_count", "active_days": "first_sight"}


def with_weights(rows: nw.LazyFrame, params: FeatureParams, dimensions: Dimensions) -> nw.LazyFrame:
    """Add the weight of each half-life, and the number of value events."""
    half_lives = sorted({*params.half_lives_days, params.score_half_life_days})
    weights = [_weight(h).alias(f"weight_{h}") for h in half_lives]
    return rows.with_columns(*weights, value_count=dimensions.of_role("value"))


def decayed_sums(dimensions: Dimensions, params: FeatureParams) -> list[nw.Expr]:
    """Decayed counts of rows with weights, named after the features, and ``strength_{kind}``."""
    return [
        *(
            _weighed(column, h).alias(f"{name}_decay_{h}d")
            for name, column in DECAYED.items()
            for h in params.half_lives_days
        ),
        *(
            _weighed(kind.column, params.score_half_life_days).alias(_strength(kind))
            for kind in _shown(dimensions)
        ),
    ]


def decay_features(params: FeatureParams, dimensions: Dimensions) -> list[Feature]:
    """Features whose expressions add up the sums of `decayed_sums`."""
    return [
        *(
            Feature(f"{name}_decay_{h}d", DECAYED_UNIT,
                    f"{name.replace('_', ' ')}, each worth half as much every {h} days", "window",
                    nw.col(f"{name}_decay_{h}d").sum(), zero=True)
            for name in DECAYED
            for h in params.half_lives_days
        ),
        *(_type_strength(t, params, dimensions) for t in ENGAGEMENT_TYPES),
    ]  # fmt: skip


def _shown(dimensions: Dimensions) -> list[Kind]:
    return [kind for kind in dimensions.kinds if kind.engagement_type]


def _weight(half_life_days: int) -> nw.Expr:
    weight = nw.lit(0.5) ** ((nw.col("age") - 1) / half_life_days)
    return half_even(weight * WEIGHT_SCALE).cast(nw.Int64)


def _weighed(column: str, half_life_days: int) -> nw.Expr:
    return (nw.col(f"weight_{half_life_days}") * nw.col(column)).sum()


def _strength(kind: Kind) -> str:
    return f"strength_{kind.column}"


def _type_strength(engagement_type: str, params: FeatureParams, of: Dimensions) -> Feature:
    """Sum over event kinds of log(1 + decayed count): docs/definitions.md, the four scores."""
    kinds = [kind for kind in _shown(of) if kind.engagement_type == engagement_type]
    total = nw.lit(0.0)
    for kind in kinds:
        total = total + (nw.col(_strength(kind)).sum() / WEIGHT_SCALE + 1.0).log()
    return Feature(
        f"{engagement_type}_strength", "log events",
        f"{engagement_type} events by kind, each worth half as much every "
        f"{params.score_half_life_days} days", "window", total.round(9), zero=True,
    )  # fmt: skip
