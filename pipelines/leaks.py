"""Whether features of a past date are what they would have been on that day."""

from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl

from features.definitions import Definitions
from features.snapshot import customer_snapshots, names
from features.time import day_number
from pipelines.features import read_daily, scan_snapshot

CUSTOMERS = 500
CLOSE = 1e-9  # relative; sums of fractions may be added in another order


def changed_features(features: Path, daily: Path, definitions: Definitions, day: date) -> list[str]:
    """Features that differ from those made of the log as it was on `day`, without what came later.

    A few hundred customers, evenly spread over the snapshot, are looked at.
    """
    stored = scan_snapshot(features, day).sort("customer_id").collect()
    stored = stored.gather_every(max(1, stored.height // CUSTOMERS))
    cut = day_number(day)
    spine = stored.select("customer_id", known_day=cut - pl.col("days_since_known"))
    then = read_daily(daily).filter(
        pl.col("visible_day") < cut, pl.col("customer_id").is_in(spine["customer_id"].implode())
    )
    rows = customer_snapshots(
        nw.from_native(then), nw.from_native(spine.lazy()), [day], definitions,
        materialise=lambda table: nw.from_native(table.to_native().collect().lazy()),
    )  # fmt: skip
    made = next(table for _, table in rows).to_native().collect()
    both = stored.join(made, on="customer_id", how="left", suffix="_made", maintain_order="left")
    return [name for name in names(definitions) if not _same(both[name], both[f"{name}_made"])]


def _same(stored: pl.Series, made: pl.Series) -> bool:
    one, other = stored.cast(pl.Float64), made.cast(pl.Float64)
    near = (one - other).abs() <= CLOSE * other.abs().clip(1.0)
    return bool((near.fill_null(one.is_null() & other.is_null())).all())
