"""Stage and level at the latest snapshots, for what is said of how they move."""

from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl

from features.hysteresis import CLASSES, Flips, flips, with_reported
from pipelines.features import read_cutoffs, scan_snapshot


def reported_before(features: Path) -> pl.DataFrame:
    """Stage and level as they were to be reported one label window ago.

    Where the history is too short for a snapshot before that one, as the rules said then.
    """
    cutoffs = read_cutoffs(features)
    before = _standings(features, cutoffs.before)
    if not cutoffs.train:
        return before.to_native()
    told = with_reported(before, _standings(features, cutoffs.train[-1])).to_native()
    return told.select("customer_id", stage="reported_stage", level="reported_level")


def read_flips(features: Path) -> Flips | None:
    """How many changed since one label window ago; None where the history is too short."""
    cutoffs = read_cutoffs(features)
    if not cutoffs.train:
        return None
    days = (cutoffs.train[-1], cutoffs.before, cutoffs.now)
    earlier, before, now = (_standings(features, day) for day in days)
    return flips(earlier, before, now, (cutoffs.now - cutoffs.before).days)


def _standings(features: Path, day: date) -> nw.DataFrame:
    rows = scan_snapshot(features, day).select("customer_id", *CLASSES, "stage_source")
    return nw.from_native(rows.collect(), eager_only=True)
