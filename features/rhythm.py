"""Features that need the rows one by one: median pauses, best weekday and best hour."""

import narwhals as nw

from features.feature import Feature
from features.packed import packed, second_of
from features.pauses import SIGHTS, Days
from features.time import weekday_of

TIMES_DAYS = 180
HOURS_FROM = 8  # weekdays are the slots 1-7, hours the slots 8-31
SLOTS = 32


def rhythm_features() -> list[Feature]:
    """Features of the ``rhythm`` layer: columns of `median_pauses` and `best_times`."""
    where = {"value": "days with a value event", "event": "days with an act of their own"}
    rows = [
        *((f"{days}_median_gap_days", "days", f"median pause between {where[days]}, in the history")
          for days in SIGHTS),
        ("best_weekday", "1-7",
         f"weekday of most active days, 1 = Monday, last {TIMES_DAYS} days"),
        ("best_hour", "0-23",
         f"hour at which active days most often begin, last {TIMES_DAYS} days"),
    ]  # fmt: skip
    return [Feature(*row, "rhythm") for row in rows]


def median_pauses(recent: nw.LazyFrame, days: Days) -> nw.LazyFrame:
    """Median pause of each customer who has one, shape (n, 2)."""
    pause = nw.col(f"{days}_pause")
    ended = recent.filter(~pause.is_null()).select("customer_id", pause)
    return ended.group_by("customer_id").agg(pause.median().alias(f"{days}_median_gap_days"))


def best_times(recent: nw.LazyFrame) -> nw.LazyFrame:
    """Best weekday and hour of each customer, shape (n_customers, 3); of two equal, the earlier."""
    own = recent.filter(nw.col("first_sight") > 0, nw.col("age") <= TIMES_DAYS)
    weekdays = own.select("customer_id", slot=weekday_of(nw.col("day")))
    hours = own.filter(~nw.col("hour").is_null())
    hours = hours.select("customer_id", slot=nw.col("hour") + HOURS_FROM)
    counts = nw.concat([weekdays, hours]).group_by("customer_id", "slot").agg(n=nw.len())
    slot = nw.col("slot")
    early = packed(nw.col("n").cast(nw.Int64), SLOTS - slot)
    best = counts.group_by("customer_id").agg(
        weekday=nw.when(slot < HOURS_FROM).then(early).max(),
        hour=nw.when(slot >= HOURS_FROM).then(early).max(),
    )
    return best.select(
        "customer_id",
        best_weekday=SLOTS - second_of(nw.col("weekday")),
        best_hour=SLOTS - HOURS_FROM - second_of(nw.col("hour")),
    )
