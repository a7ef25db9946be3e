"""Step: snapshots and the daily table -> labels of every past cutoff."""

from pathlib import Path

import narwhals as nw
import polars as pl

from features.labels import label_table
from features.params import ChurnParams
from features.schemas import LABELS
from features.time import labelled_dates, visible
from pipelines.features import read_cutoffs, read_daily, read_snapshot
from pipelines.tables import polars_schema, write


def build_labels(features: Path, daily: Path, out: Path, churn: ChurnParams) -> pl.DataFrame:
    """Write the labels of all cutoffs; an empty table where the history is too short.

    Events that were not known before the as-of date of the run are not read.
    """
    cutoffs = read_cutoffs(features)
    days = visible(nw.from_native(read_daily(daily)), cutoffs.now)
    parts = [pl.DataFrame(schema=polars_schema(LABELS))]
    for day in labelled_dates(cutoffs):
        now, later = (read_snapshot(features, d) for d in (day, day + churn.reach))
        table = label_table(nw.from_native(now), nw.from_native(later), days, day, churn)
        parts.append(table.to_native())
    labels = pl.concat(parts)
    write(labels, out, LABELS)
    return labels
