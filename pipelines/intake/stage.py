"""Events of a run on their way to parts: gathered, placed in buckets, and written aside."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from pipelines.buckets import by_bucket
from pipelines.intake.delimited import ROW
from pipelines.intake.events import HELPERS, merged_lines
from pipelines.intake.identity import INPUT, SEEN
from pipelines.intake.parts import bucket_folder, write_part

FLUSH_ROWS = 2_000_000
PART, PLACE = "part", "place"
ENTRY = (INPUT, *HELPERS)


class Staged(NamedTuple):
    """A file that was written aside, and its bucket; lines of orders are not merged yet."""

    path: Path
    bucket: int
    lines: bool


class Stage:
    """Well-formed events of all inputs of a run, with an entry for each (identity.py)."""

    def __init__(self, folder: Path, rows_per_bucket: int, *, buckets: int, expected: int) -> None:
        self._folder = folder
        self._rows_per_bucket = rows_per_bucket
        self._expected = expected
        self._waiting: dict[bool, list[pl.DataFrame]] = {False: [], True: []}
        self._height = 0
        self._entries: list[pl.DataFrame] = []
        self.buckets = buckets
        self.files: list[Staged] = []

    def add(self, rows: pl.DataFrame, number: int, *, lines: bool) -> None:
        """Take the events of a chunk of input `number`."""
        self._waiting[lines].append(rows.with_columns(pl.lit(number, pl.UInt32).alias(INPUT)))
        self._height += rows.height
        if self._height >= FLUSH_ROWS:
            self._flush()

    def entries(self) -> pl.DataFrame:
        """One row an event so far, with the file and the place in it; writes what still waits."""
        self._flush()
        self._entries = [pl.concat(self._entries, rechunk=False)] if self._entries else []
        return self._entries[0] if self._entries else _no_entries()

    def _flush(self) -> None:
        if not self._height:
            return
        if not self.buckets:
            self.buckets = bucket_count(max(self._expected, self._height), self._rows_per_bucket)
        for lines, waiting in self._waiting.items():
            if waiting:
                self._write(pl.concat(waiting), lines=lines)
        self._waiting = {False: [], True: []}
        self._height = 0

    def _write(self, rows: pl.DataFrame, *, lines: bool) -> None:
        for bucket, placed in by_bucket(rows, self.buckets):
            if lines:
                home = self._folder / "lines" / bucket_folder(bucket)
                home.mkdir(parents=True, exist_ok=True)
                path = home / f"{len(self.files):06d}.parquet"
                placed.write_parquet(path, compression="lz4")
            else:
                path = write_part(placed, bucket, self._folder)
            entry = placed.select(ENTRY).with_columns(
                pl.col(ROW).cast(pl.UInt32),
                pl.lit(len(self.files), pl.UInt32).alias(PART),
                pl.int_range(pl.len(), dtype=pl.UInt32).alias(PLACE),
                pl.lit(False).alias(SEEN),
            )
            self._entries.append(entry)
            self.files.append(Staged(path, bucket, lines))


def bucket_count(rows: int, rows_per_bucket: int) -> int:
    """Buckets of at most about so many rows."""
    return max(1, -(-rows // rows_per_bucket))


class Settled(NamedTuple):
    """Events that were written for good, by input, and lines that were rejected in the end."""

    events: pl.DataFrame
    rejected: pl.DataFrame


def settle(stage: Stage, rejected: pl.DataFrame, folder: Path) -> Settled:
    """Take the rejected rows out of the files, and merge lines to orders.

    Parameters
    ----------
    stage : Stage
    rejected : table
        Entries with ``part`` and ``place``.
    folder : Path

    Returns
    -------
    Settled
        ``events`` has ``input`` and ``events``; ``rejected`` is like `rejected`, with ``reason``.
    """
    bad = dict(rejected.group_by(PART).agg(PLACE).iter_rows()) if rejected.height else {}
    counts: list[pl.DataFrame] = []
    lines: dict[int, list[pl.DataFrame]] = {}
    for number, file in enumerate(stage.files):
        if file.lines:
            rows = _kept(pl.read_parquet(file.path), bad.get(number))
            lines.setdefault(file.bucket, []).append(rows)
        elif number in bad:
            rows = _kept(pl.read_parquet(file.path), bad[number])
            file.path.unlink()
            if rows.height:
                write_part(rows, file.bucket, folder)
    turned: list[pl.DataFrame] = []
    for bucket, parts in lines.items():
        merged = merged_lines(pl.concat(parts))
        if merged.rows.height:
            write_part(merged.rows, bucket, folder)
        counts.append(_first_inputs(pl.concat(parts), merged.rows))
        turned.append(merged.rejected.select(INPUT, ROW, "reason"))
    _remove_lines(stage)
    none = pl.DataFrame(schema={INPUT: pl.UInt32, ROW: pl.Int64, "reason": pl.String})
    empty = pl.DataFrame(schema={INPUT: pl.UInt32, "events": pl.UInt32})
    return Settled(
        pl.concat([empty, *counts]).group_by(INPUT).agg(pl.col("events").sum()),
        pl.concat([none, *turned]),
    )


def _kept(rows: pl.DataFrame, bad: list[int] | None) -> pl.DataFrame:
    if not bad:
        return rows
    places = pl.int_range(pl.len(), dtype=pl.UInt32)
    return rows.filter(~places.is_in(pl.Series(bad, dtype=pl.UInt32).implode()))


def _first_inputs(lines: pl.DataFrame, merged: pl.DataFrame) -> pl.DataFrame:
    """How many orders each input gave: an order belongs to the first that has a line of it."""
    first = lines.group_by("event_id").agg(pl.col(INPUT).min())
    made = first.join(merged.select("event_id"), on="event_id", how="semi")
    return made.group_by(INPUT).agg(events=pl.len().cast(pl.UInt32))


def _remove_lines(stage: Stage) -> None:
    for file in stage.files:
        if file.lines:
            file.path.unlink()


def _no_entries() -> pl.DataFrame:
    schema = {
        INPUT: pl.UInt32, ROW: pl.UInt32, "id": pl.UInt64, "body": pl.UInt64, "who": pl.UInt64,
        "loaded": pl.Int64, PART: pl.UInt32, PLACE: pl.UInt32, SEEN: pl.Boolean,
    }  # fmt: skip
    return pl.DataFrame(schema=schema)
