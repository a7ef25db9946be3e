"""The daily state: each bucket's daily table in files of sixty days, renewed from new events only.

A bucket's folder holds ``manifest.json``, which names every file that counts: a file that it does
not name is what a killed run left, and is removed by the next one. Rows far back are folded into
one row a customer, so that a nightly run reads no more of the past than its features need.
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import polars as pl
from pydantic import Field

from features.daily import KEY, daily_figures, daily_table, merged_daily
from features.dimensions import Dimensions
from features.lifetime import lifetime, merged_lifetime
from features.pauses import ORDER, with_pauses
from features.records import Record
from features.time import day_number
from pipelines.tables import present, write_frame, write_text

PERIOD_DAYS = 60
VERSION = 1  # of what daily rows mean; another one rebuilds every state
MANIFEST = "manifest.json"
SPARK_FILES = "part-*.parquet"  # what Spark writes
PERIOD = "period"
DAYS = ("day", "visible_day")
DAY_NUMBERS = 2**18  # a packed day has room for those from 1611 to 2328


class Past(Record):
    """Rows before a period: folded where they were visible by then, else as they are."""

    folded: str
    late: str


class Manifest(Record):
    """What a bucket's state is made of.

    Attributes
    ----------
    signature : str
        Of the dimensions that were counted.
    parts : list of str
        Event files that are in it.
    periods : dict of int to str
        Period -> file of its daily rows.
    pasts : dict of int to Past
        Period -> what lies before it.
    """

    signature: str
    parts: list[str] = Field(default_factory=list)
    periods: dict[int, str] = Field(default_factory=dict)
    pasts: dict[int, Past] = Field(default_factory=dict)


class History(NamedTuple):
    """What a pass over a bucket reads: daily rows, and the fold of what lies before them."""

    daily: pl.LazyFrame
    past: pl.LazyFrame | None


def update_bucket(events: Path, folder: Path, dimensions: Dimensions) -> int:
    """Bring a bucket's state up to its event files; returns how many files were new.

    Parameters
    ----------
    events : Path
        Folder of immutable Parquet files of events. A file that is gone rebuilds the state.
    folder : Path
        Of the state.
    dimensions : Dimensions
    """
    signature = _signature(dimensions)
    manifest = _read(folder)
    parts = sorted(path.name for path in events.glob("*.parquet"))
    if manifest is None or manifest.signature != signature or set(manifest.parts) - set(parts):
        manifest = Manifest(signature=signature)
    new = [name for name in parts if name not in manifest.parts]
    if new:
        files = [events / name for name in new]
        rows = collected(daily_table(_events(files), dimensions))
        manifest = _with_rows(manifest, rows, folder, dimensions)
        _write(folder, manifest.model_copy(update={"parts": parts}))
    return len(new)


def history(folder: Path, first: date, history_days: int, dimensions: Dimensions) -> History:
    """What the features of `first` and later dates are made of."""
    manifest = _read(folder)
    if manifest is None:
        present(folder / MANIFEST, "daily state")
        raise AssertionError
    begin = (day_number(first) - history_days) // PERIOD_DAYS
    older = [period for period in manifest.periods if period < begin]
    rows = [folder / name for period, name in manifest.periods.items() if period >= begin]
    if not older:
        return History(pl.scan_parquet(rows), None)
    past = _folded(manifest, folder, begin, dimensions)
    rows.append(folder / past.late)
    return History(pl.scan_parquet(rows), pl.scan_parquet(folder / past.folded))


def daily_files(daily: Path) -> list[Path]:
    """Every file of daily rows of a state."""
    if written := sorted(present(daily, "daily state").glob(SPARK_FILES)):
        return written
    folders = sorted(daily.glob("bucket-*"))
    manifests = [(folder, _read(folder)) for folder in folders]
    return [folder / name for folder, m in manifests if m for name in m.periods.values()]


def identity(folder: Path) -> str:
    """What a bucket's state was made of, as text that changes with it."""
    manifest = _read(folder)
    return "" if manifest is None else manifest.model_dump_json(include={"signature", "parts"})


def collected(rows: nw.LazyFrame) -> pl.DataFrame:
    """The rows, computed with Polars' streaming engine."""
    return rows.to_native().collect(engine="streaming")


def coded(rows: pl.LazyFrame, ids: pl.Enum) -> pl.LazyFrame:
    """Customers as codes: they group and join in half the time of text."""
    return rows.with_columns(pl.col("customer_id").cast(ids))


def ids_of(*tables: pl.LazyFrame) -> pl.Enum:
    """The codes of all customers of some tables."""
    ids = pl.concat([table.select("customer_id") for table in tables]).unique()
    return pl.Enum(ids.collect(engine="streaming")["customer_id"].sort())


def in_order(rows: pl.DataFrame, *days: str) -> pl.DataFrame:
    """Coded rows by customer, then by day numbers: one integer sorts in a third of the time."""
    order = pl.col("customer_id").to_physical().cast(pl.Int64)
    for day in days:
        order = order * DAY_NUMBERS + pl.col(day) + DAY_NUMBERS // 2
    return rows.sort(order)


def _events(files: list[Path]) -> nw.LazyFrame:
    events = pl.scan_parquet(files)
    return nw.from_native(coded(events, ids_of(events)))


def _with_rows(
    manifest: Manifest, rows: pl.DataFrame, folder: Path, dimensions: Dimensions
) -> Manifest:
    """The manifest with the rows merged into the files of their periods."""
    placed = rows.with_columns((pl.col("day") // PERIOD_DAYS).cast(pl.Int32).alias(PERIOD))
    parted = placed.partition_by(PERIOD, as_dict=True, include_key=False)
    periods = dict(manifest.periods)
    for (period,), fresh in sorted(parted.items()):
        known = folder / periods[period] if period in periods else None
        whole = fresh if known is None else _merged(known, fresh, dimensions)
        periods[period] = _write_file(in_order(whole, *DAYS), folder, f"days-{period:05d}")
    touched = [period for (period,) in parted]
    kept = {begin for begin in manifest.pasts if begin <= min(touched, default=begin)}
    pasts = {begin: past for begin, past in manifest.pasts.items() if begin in kept}
    return manifest.model_copy(update={"periods": periods, "pasts": pasts})


def _merged(file: Path, fresh: pl.DataFrame, dimensions: Dimensions) -> pl.DataFrame:
    known = pl.scan_parquet(file)
    ids = ids_of(known, fresh.lazy().with_columns(pl.col("customer_id").cast(pl.String)))
    both = [nw.from_native(coded(known, ids)), nw.from_native(coded(fresh.lazy(), ids))]
    return collected(merged_daily(both, dimensions))


def _folded(manifest: Manifest, folder: Path, begin: int, dimensions: Dimensions) -> Past:
    """What lies before a period, folded once and kept."""
    if begin in manifest.pasts:
        return manifest.pasts[begin]
    start = max((known for known in manifest.pasts if known < begin), default=None)
    base = None if start is None else manifest.pasts[start]
    files = [
        folder / name
        for period, name in manifest.periods.items()
        if period < begin and (start is None or period >= start)
    ]
    late = [] if base is None else [folder / base.late]
    past = _fold(files + late, None if base is None else folder / base.folded, folder, begin,
                 dimensions)  # fmt: skip
    _write(folder, manifest.model_copy(update={"pasts": {**manifest.pasts, begin: past}}))
    return past


def _fold(
    files: list[Path], earlier: Path | None, folder: Path, begin: int, dimensions: Dimensions
) -> Past:
    rows = pl.scan_parquet(files)
    known = [] if earlier is None else [pl.scan_parquet(earlier)]
    ids = ids_of(rows, *known)
    seen = pl.col("visible_day") < begin * PERIOD_DAYS
    days = in_order(collected(nw.from_native(coded(rows.filter(seen), ids))), *ORDER)
    daily = nw.from_native(days, eager_only=True)
    before = [nw.from_native(coded(table, ids)) for table in known]
    made = lifetime(with_pauses(daily, *before), dimensions)
    whole = merged_lifetime([*before, made], dimensions)
    late = rows.filter(~seen).collect()
    return Past(
        folded=_write_file(collected(whole).sort("customer_id"), folder, f"past-{begin:05d}"),
        late=_write_file(late.sort(KEY), folder, f"late-{begin:05d}"),
    )


def _write_file(rows: pl.DataFrame, folder: Path, name: str) -> str:
    """Write under a name that nobody reads yet: only the manifest makes a file count."""
    taken = {path.name for path in folder.glob(f"{name}-*.parquet")}
    number = next(n for n in range(len(taken) + 1) if f"{name}-{n}.parquet" not in taken)
    file = f"{name}-{number}.parquet"
    write_frame(rows.with_columns(pl.col("customer_id").cast(pl.String)), folder / file)
    return file


def _signature(dimensions: Dimensions) -> str:
    figures = [figure.name for figure in daily_figures(dimensions)]
    text = json.dumps([VERSION, PERIOD_DAYS, dimensions, figures])
    return hashlib.sha256(text.encode()).hexdigest()


def _read(folder: Path) -> Manifest | None:
    file = folder / MANIFEST
    return Manifest.model_validate_json(file.read_text("utf-8")) if file.is_file() else None


def _write(folder: Path, manifest: Manifest) -> None:
    write_text(manifest.model_dump_json(indent=2) + "\n", folder / MANIFEST)
    pasts = [name for past in manifest.pasts.values() for name in (past.folded, past.late)]
    named = {MANIFEST, *manifest.periods.values(), *pasts}
    for path in folder.iterdir():
        if path.name not in named:
            path.unlink()
