"""Features that read daily rows one by one: decayed counts, median pauses, best hour and weekday.

Sums are over integers, also where a weight is a fraction, so that neither the order of the rows
nor the number of threads changes a byte.
"""

import narwhals as nw

from features.comparisons import half_even
from features.dimensions import Dimensions, Kind
from features.feature import Feature
from features.packed import packed, second_of
from features.params import FeatureParams
from features.pauses import SIGHTS, Days
from features.schemas import ENGAGEMENT_TYPES
from features.time import weekday_of

WEIGHT_SCALE = 2**20
DECAYED = {"value_events": "role_value", "active_days": "first_sight"}


def decayed_sums(
    recent: nw.LazyFrame, dimensions: Dimensions, params: FeatureParams
) -> nw.LazyFrame:
    """Decayed counts, shape (n_customers, .), in units of 2**-20.

    Columns are named after the features, and ``strength_{kind}`` for the kinds that show an
    engagement type.
    """
    half_lives = sorted({*params.half_lives_days, params.score_half_life_days})
    weights = [_weight(h).alias(f"weight_{h}") for h in half_lives]
    value = dimensions.of_role("value").alias("role_value")
    sums = [
        *(
            _weighed(column, h).alias(f"{name}_decay_{h}d")
            for name, column in DECAYED.items()
            for h in params.half_lives_days
        ),
        *(
            _weighed(kind.column, params.score_half_life_days).alias(_strength(kind))
            for kind in shown_kinds(dimensions)
        ),
    ]
    return recent.with_columns(*weights, value).group_by("customer_id").agg(*sums)


def shown_kinds(dimensions: Dimensions) -> list[Kind]:
    """Kinds that show an engagement type."""
    return [kind for kind in dimensions.kinds if kind.engagement_type]


def _weight(half_life_days: int) -> nw.Expr:
    """Half as much every `half_life_days`, as an integer in units of 2**-20."""
    weight = nw.lit(0.5) ** ((nw.col("age") - 1) / half_life_days)
    return half_even(weight * WEIGHT_SCALE).cast(nw.Int64)


def _weighed(column: str, half_life_days: int) -> nw.Expr:
    return (nw.col(f"weight_{half_life_days}") * nw.col(column)).sum()


def _strength(kind: Kind) -> str:
    return f"strength_{kind.column}"


def rhythm_features(params: FeatureParams, dimensions: Dimensions) -> list[Feature]:
    """Features of the ``rhythm`` layer: expressions over the columns of this module's tables."""
    decays = [
        Feature(f"{name}_decay_{h}d", "2**-20 events",
                f"{name.replace('_', ' ')}, each worth half as much every {h} days", "rhythm",
                nw.col(f"{name}_decay_{h}d"), zero=True)
        for name in DECAYED
        for h in params.half_lives_days
    ]  # fmt: skip
    return [
        *decays,
        *(_type_strength(t, params, dimensions) for t in ENGAGEMENT_TYPES),
        *(_median(days) for days in SIGHTS),
        Feature("best_weekday", "1-7", "weekday of most acts of their own, 1 = Monday", "rhythm",
                nw.col("best_weekday")),
        Feature("best_hour", "0-23", "hour at which their days of activity most often begin",
                "rhythm", nw.col("best_hour")),
    ]  # fmt: skip


def _type_strength(engagement_type: str, params: FeatureParams, of: Dimensions) -> Feature:
    """Sum over event kinds of log(1 + decayed count): docs/definitions.md, the four scores."""
    kinds = [k for k in shown_kinds(of) if k.engagement_type == engagement_type]
    logs = [(nw.col(_strength(kind)) / WEIGHT_SCALE + 1.0).log() for kind in kinds]
    total = logs[0] if logs else nw.lit(0.0)
    for log in logs[1:]:
        total = total + log
    return Feature(
        f"{engagement_type}_strength", "log events",
        f"{engagement_type} events by kind, each worth half as much every "
        f"{params.score_half_life_days} days", "rhythm", total.round(9), zero=True,
    )  # fmt: skip


def _median(days: Days) -> Feature:
    where = "days with a value event" if days == "value" else "days with an act of their own"
    name = f"{days}_median_gap_days"
    return Feature(name, "days", f"median pause between {where}", "rhythm", nw.col(name))


def median_pauses(paused: nw.LazyFrame, days: Days) -> nw.LazyFrame:
    """Median pause of each customer, shape (n_customers_with_pauses, 2)."""
    name = f"{days}_median_gap_days"
    known = paused.filter(~nw.col("pause").is_null())
    return known.group_by("customer_id").agg(nw.col("pause").median().alias(name))


def best_times(recent: nw.LazyFrame) -> list[nw.LazyFrame]:
    """Best weekday and best hour of each customer; the earlier one where two are equal."""
    own = recent.filter(nw.col("first_sight") > 0)
    slots = {"best_weekday": weekday_of(nw.col("day")), "best_hour": nw.col("hour")}
    return [_most_frequent(own, slot, name) for name, slot in slots.items()]


def _most_frequent(rows: nw.LazyFrame, slot: nw.Expr, name: str) -> nw.LazyFrame:
    placed = rows.select("customer_id", slot=slot).filter(~nw.col("slot").is_null())
    counts = placed.group_by("customer_id", "slot").agg(n=nw.len())
    early = packed(nw.col("n").cast(nw.Int64), 31 - nw.col("slot"))
    best = counts.group_by("customer_id").agg(best=early.max())
    return best.select("customer_id", (31 - second_of(nw.col("best"))).alias(name))
