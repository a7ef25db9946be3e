"""The identities of all events that have been read, one file an input, below ``index/``."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.intake.delimited import ROW
from pipelines.intake.identity import (
    BODY,
    DUPLICATE,
    ID,
    INPUT,
    KEPT,
    REJECTED,
    REPEATED,
    SEEN,
    WHO,
)
from pipelines.intake.ledger import Entry
from pipelines.intake.stage import PART, PLACE

INDEX = "index"
STATE = "state"
COLUMNS = {
    ID: pl.UInt64,
    BODY: pl.UInt64,
    WHO: pl.UInt64,
    ROW: pl.UInt32,
    STATE: pl.UInt8,
}


def with_states(entries: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    """Entries with what became of each: kept, a repetition, or rejected.

    Parameters
    ----------
    entries : table
        In order of ``part`` and ``place``, with all places of each part.
    rejected : table
        Some of the entries, with ``reason``.
    """
    state = np.full(entries.height, KEPT, dtype=np.uint8)
    at = entries[PART].search_sorted(rejected[PART]) + rejected[PLACE]
    state[at.to_numpy()] = np.where(rejected["reason"] == DUPLICATE, REPEATED, REJECTED)
    return entries.with_columns(pl.Series(STATE, state))


def write_index(entries: pl.DataFrame, names: Mapping[int, str], folder: Path) -> None:
    """Write the entries of each input to its file below `folder`."""
    for number, name in names.items():
        own = entries.lazy().filter(pl.col(INPUT) == number).select(list(COLUMNS)).collect()
        path = folder / INDEX / name
        path.parent.mkdir(parents=True, exist_ok=True)
        own.write_parquet(path, compression="uncompressed", statistics=False)


def read_index(tables: Path, entry: Entry) -> pl.DataFrame:
    """All entries of one input."""
    return pl.read_parquet(tables / INDEX / entry.name)


def shared(tables: Path, kept: Iterable[Entry], ids: pl.Series) -> pl.DataFrame:
    """Entries of earlier runs whose ids are among `ids`, with ``name`` of their input's file.

    They look like entries of `pipelines.intake.identity.judged`, marked as seen.
    """
    kept = list(kept)
    wanted = ids.unique().to_frame(ID) if kept else ids.clear().to_frame(ID)
    found = [_empty()]
    for entry in kept:
        path = tables / INDEX / entry.name
        if not path.exists():
            continue
        hits = pl.scan_parquet(path).select(ID).with_row_index("at")
        at = hits.join(wanted.lazy(), on=ID, how="semi").collect()["at"].sort()
        if at.len():
            rows = pl.read_parquet(path).gather(at)
            found.append(rows.with_columns(pl.lit(entry.name).alias("name")))
    together = pl.concat(found)
    return together.with_columns(pl.lit(None, pl.Int64).alias("loaded"), pl.lit(True).alias(SEEN))


def _empty() -> pl.DataFrame:
    return pl.DataFrame(schema={**COLUMNS, "name": pl.String})


def turned(tables: Path, name: str, rows: pl.Series, folder: Path) -> None:
    """Mark rows of an input of an earlier run as rejected, in a new copy of its file."""
    entries = pl.read_parquet(tables / INDEX / name)
    state = pl.when(pl.col(ROW).is_in(rows.implode())).then(REJECTED).otherwise(pl.col(STATE))
    path = folder / INDEX / name
    path.parent.mkdir(parents=True, exist_ok=True)
    entries.with_columns(state.cast(pl.UInt8).alias(STATE)).write_parquet(
        path, compression="uncompressed", statistics=False
    )
