"""Step: sources -> events, tables of people, quarantine and accounting."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features.errors import DataError
from features.schemas import (
    CONSENTS,
    CUSTOMERS,
    EVENTS,
    IDENTITIES,
    QUARANTINE,
    SENDS,
    SUPPRESSIONS,
    Table,
)
from features.taxonomy import Taxonomy
from pipelines.buckets import BUCKET, with_bucket
from pipelines.events import DUPLICATE, REASON, Intake, events_of
from pipelines.intake import normalise
from pipelines.people import complete, everybody, one_a_key, people_of
from pipelines.raw import ROW, raw_rows
from pipelines.sources import Source, SourceCatalogue
from pipelines.tables import write, write_text

ACCOUNTING = "accounting.json"


class Ingested(NamedTuple):
    """What one source gave."""

    accounting: dict[str, object]
    table: str
    accepted: pl.DataFrame
    quarantine: pl.DataFrame


def ingest(
    root: Path, out: Path, sources: SourceCatalogue, taxonomy: Taxonomy, rows_per_bucket: int
) -> list[dict[str, object]]:
    """Read every source, account for every row, and write the canonical tables to `out`.

    Returns
    -------
    list of dict, one a source
        ``source``, ``table``, ``rows_in``, ``accepted``, ``duplicates``, ``quarantined``,
        ``events`` (rows of the table made), ``reasons``.

    Raises
    ------
    DataError
        If a source has no row or no acceptable row, or rows are unaccounted for.
    """
    zone = sources.business.timezone
    done = [_one(name, s, root, taxonomy, zone) for name, s in sources.sources.items()]
    shutil.rmtree(out, ignore_errors=True)
    _write_quarantine(done, out / "quarantine")
    _write_events(_gathered(done, EVENTS), out / "events", rows_per_bucket)
    _write_people(done, out)
    accounting = [one.accounting for one in done]
    write_text(json.dumps(accounting, indent=2) + "\n", out / ACCOUNTING)
    return accounting


def read_events(tables: Path) -> pl.LazyFrame:
    """All events of an ingested folder, lazily."""
    return pl.scan_parquet(sorted((tables / "events").glob("*.parquet")))


def _one(name: str, source: Source, root: Path, taxonomy: Taxonomy, zone: str) -> Ingested:
    raw = raw_rows(name, source, root)
    rows = normalise(raw, name, source, zone)
    if source.table == EVENTS.name:
        intake = events_of(rows, raw, name, taxonomy, zone=zone, lines=source.lines_of_order)
    else:
        intake = people_of(rows, source.table)
    accounting = _account(name, source, raw.height, intake)
    return Ingested(accounting, source.table, intake.accepted, _quarantined(name, raw, intake))


def _account(name: str, source: Source, rows_in: int, intake: Intake) -> dict[str, object]:
    counts = dict(intake.rejected.group_by(REASON).len().sort(REASON).iter_rows())
    duplicates = counts.pop(DUPLICATE, 0)
    quarantined = sum(counts.values())
    accepted = rows_in - intake.rejected.height
    made = intake.accepted.height
    if accepted < made or (not source.lines_of_order and accepted != made):
        raise DataError(
            f"sources.yaml, {name}: rows are unaccounted for. Got {rows_in} rows in, {made} made "
            f"of {accepted} accepted. This is a fault of Keepwell; please report it."
        )
    if not made:
        raise DataError(
            f"sources.yaml, {name}: no row was accepted. Got {rows_in} rows; rejected: "
            f"{counts or 'none'}. Fix the mapping, or remove the source."
        )
    return {
        "source": name,
        "table": source.table,
        "rows_in": rows_in,
        "accepted": accepted,
        "duplicates": duplicates,
        "quarantined": quarantined,
        "events": made,
        "reasons": counts,
    }


def _quarantined(name: str, raw: pl.DataFrame, intake: Intake) -> pl.DataFrame:
    bad = intake.rejected.filter(pl.col(REASON) != DUPLICATE)
    rows = bad.join(raw.with_columns(pl.col(ROW).cast(pl.Int64)), on=ROW).sort(ROW)
    text = [column for column in raw.columns if column != ROW]
    body = pl.struct(pl.col(text).cast(pl.String)).struct.json_encode()
    return rows.select(
        pl.lit(name).alias("source"), pl.col(ROW).alias("row_number"), REASON, body.alias("raw")
    )


def _write_quarantine(done: list[Ingested], folder: Path) -> None:
    for one in done:
        write(one.quarantine, folder / f"{one.accounting['source']}.parquet", QUARANTINE)


def _gathered(done: list[Ingested], table: Table) -> pl.DataFrame:
    parts = [one.accepted for one in done if one.table == table.name]
    gathered = pl.concat(parts) if parts else complete(pl.DataFrame(), table)
    if table is EVENTS and len(parts) > 1:
        _refuse_shared_ids(gathered)
    return one_a_key(gathered, table).sort(table.key)


def _refuse_shared_ids(events: pl.DataFrame) -> None:
    """Two sources may tell of the same event, but not of different ones by the same id."""
    repeated = events.filter(pl.col("event_id").is_duplicated())
    clashes = repeated.unique().height - repeated["event_id"].n_unique()
    if clashes:
        raise DataError(
            f"sources.yaml: sources use the same event_id for different events. Got {clashes} "
            f"clashes. Expected an id to mean one event everywhere. Leave `event_id` out of one "
            f"source (ids are made from content then), or export distinct ids."
        )


def _write_people(done: list[Ingested], out: Path) -> None:
    for table in (IDENTITIES, CONSENTS, SUPPRESSIONS, SENDS):
        write(_gathered(done, table), out / f"{table.name}.parquet", table)
    customers = everybody(_gathered(done, CUSTOMERS), read_events(out))
    write(customers, out / "customers.parquet", CUSTOMERS)


def _write_events(events: pl.DataFrame, folder: Path, rows_per_bucket: int) -> None:
    if events.is_empty():
        raise DataError("sources.yaml: no events. Expected at least one source of table events.")
    for number, bucket in enumerate(_buckets(events, rows_per_bucket)):
        rows = bucket.sort("customer_id", "occurred_at", "event_id")
        write(rows, folder / f"bucket-{number:04d}.parquet", EVENTS)


def _buckets(events: pl.DataFrame, rows_per_bucket: int) -> Iterator[pl.DataFrame]:
    count = max(1, -(-events.height // rows_per_bucket))
    placed = with_bucket(events, count)
    for number in range(count):
        yield placed.filter(pl.col(BUCKET) == number).drop(BUCKET)
