"""Step: sources -> events, tables of people, quarantine and accounting."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from features.errors import DataError
from features.schemas import (
    CONSENTS,
    CUSTOMERS,
    EVENTS,
    IDENTITIES,
    SENDS,
    STAGE_LABELS,
    SUPPRESSIONS,
    Table,
)
from features.taxonomy import Taxonomy
from pipelines.intake.accounts import Account, by_source, check_kept
from pipelines.intake.collection import Collected, Job, Say, collect
from pipelines.intake.contracts import check_columns
from pipelines.intake.forgotten import (
    NOBODY,
    Forgotten,
    without_forgotten,
    without_forgotten_text,
)
from pipelines.intake.identity import DUPLICATE
from pipelines.intake.ledger import LEDGER, Entry, Ledger, read_ledger
from pipelines.intake.parts import begun, commit, compacted, parts_of, rebucketed
from pipelines.intake.people import complete, everybody, one_a_key, people_of
from pipelines.intake.plan import Reading, planned
from pipelines.intake.quarantine import rejected_rows, write_quarantine
from pipelines.intake.raw import chunks_of
from pipelines.intake.rows import normalise
from pipelines.intake.sources import SourceCatalogue
from pipelines.intake.stage import bucket_count
from pipelines.tables import read, write, write_text

ACCOUNTING = "accounting.json"
PEOPLE = (CUSTOMERS, IDENTITIES, CONSENTS, SUPPRESSIONS, SENDS, STAGE_LABELS)
LISTED = "listed.parquet"
# Rows may grow or shrink to this many times what the buckets were made for, before they are
# changed: that writes all events again.
OUTGROWN = 3


def ingest(
    root: Path,
    out: Path,
    sources: SourceCatalogue,
    taxonomy: Taxonomy,
    rows_per_bucket: int,
    say: Say = lambda _: None,
    forgotten: Forgotten = NOBODY,
) -> list[dict[str, Any]]:
    """Read what is new in every source, account for every row, and update the tables in `out`.

    Parameters
    ----------
    root : Path
        The project, to which paths of sources are relative.
    out : Path
        Made or updated; all changes take place together at the end.
    sources : SourceCatalogue
    taxonomy : Taxonomy
    rows_per_bucket : int
    say : callable
        Told how many rows each chunk had.
    forgotten : Forgotten
        Customers whose rows are counted and never kept.

    Returns
    -------
    list of dict, one a source, over all its files, read now or before
        ``source``, ``table``, ``rows_in``, ``accepted``, ``duplicates``, ``quarantined``,
        ``events`` (rows of the table made), ``reasons``, ``files``, ``new_rows``, ``new_accepted``,
        ``first_on``, ``last_on``, ``warnings``.

    Raises
    ------
    DataError
        If a source of events has no acceptable row, or rows are unaccounted for.
    """
    staging = begun(out)
    try:
        ledger = read_ledger(out)
        plan = planned(sources, taxonomy, root, ledger, staging / "spool")
        job = Job(root, out, staging, sources, taxonomy, plan, say, forgotten)
        if plan.nothing_new and plan.kept == ledger.entries and ledger.entries:
            return by_source(ledger.entries, sources.sources, set())
        return _update(job, ledger, rows_per_bucket)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def read_events(tables: Path) -> pl.LazyFrame:
    """All events of an ingested folder, lazily."""
    return pl.scan_parquet(parts_of(tables))


def _update(job: Job, ledger: Ledger, rows_per_bucket: int) -> list[dict[str, Any]]:
    people = _people(job)
    taken = collect(job, rows_per_bucket, ledger.buckets)
    entries = [*people, *taken.entries]
    fresh = {e.name for e in entries} - {e.name for e in job.plan.kept}
    accounting = by_source(entries, job.sources.sources, fresh)
    events = sum(entry.events for entry in taken.entries)
    if not events:
        raise DataError("sources.yaml: no events. Expected at least one source of table events.")
    buckets, gone = _arranged(job, taken, events, rows_per_bucket)
    _write_customers(job, {p for p in gone if "events" in p.parts})
    _write_ledger(job, Ledger(buckets=buckets, entries=_ordered(entries, job)), accounting)
    commit(job.tables, gone, LEDGER)
    return accounting


def _arranged(
    job: Job, taken: Collected, events: int, rows_per_bucket: int
) -> tuple[int, list[Path]]:
    """Change the number of buckets where the data outgrew it, or join parts where many gathered."""
    wanted = bucket_count(events, rows_per_bucket)
    if wanted > OUTGROWN * taken.buckets or OUTGROWN * wanted < taken.buckets:
        more = rebucketed(job.tables, job.staging, taken.gone, wanted)
        return wanted, [*taken.gone, *more]
    return taken.buckets, [*taken.gone, *compacted(job.tables, job.staging, taken.gone)]


def _ordered(entries: list[Entry], job: Job) -> list[Entry]:
    order = {name: number for number, name in enumerate(job.sources.sources)}
    return sorted(entries, key=lambda e: (order[e.source], e.key))


def _write_ledger(job: Job, ledger: Ledger, accounting: list[dict[str, Any]]) -> None:
    write_text(json.dumps(accounting, indent=2) + "\n", job.staging / ACCOUNTING)
    write_text(ledger.model_dump_json(indent=1) + "\n", job.staging / LEDGER)


def _people(job: Job) -> list[Entry]:
    """Make each table of people of which a file is new; entries of all their inputs."""
    readings = [r for r in job.plan.readings if r.entry.table != EVENTS.name]
    kept = [e for e in job.plan.kept if e.table != EVENTS.name]
    parts: dict[str, list[pl.DataFrame]] = {}
    entries: list[Entry] = []
    for reading in readings:
        rows, entry = _people_of_input(job, reading)
        parts.setdefault(entry.table, []).append(rows)
        entries.append(entry)
    changed = {entry.table for entry in [*job.plan.withdrawn, *entries]}
    for table in PEOPLE:
        name = LISTED if table is CUSTOMERS else f"{table.name}.parquet"
        if table.name in changed or not (job.tables / name).exists():
            write(_gathered(parts.get(table.name, []), table), job.staging / name, table)
    return [*kept, *entries]


def _people_of_input(job: Job, reading: Reading) -> tuple[pl.DataFrame, Entry]:
    name = reading.input.source
    source = job.sources.sources[name]
    chunks = list(chunks_of(reading.input, reading.path, source, job.root))
    if not chunks:
        return complete(pl.DataFrame(), _table(source.table)), reading.entry
    raw = pl.concat([chunk.rows for chunk in chunks], how="diagonal")
    warned = check_columns(raw, name, source)
    rows = normalise(raw, name, source, job.sources.business)
    intake = people_of(without_forgotten(rows, job.forgotten), source.table)
    account = Account(reading.entry)
    account.warn(warned)
    account.rows_in = raw.height + sum(chunk.rejected.height for chunk in chunks)
    for chunk in chunks:
        account.reject(without_forgotten_text(chunk.rejected, job.forgotten))
    repeated = pl.col("reason") == DUPLICATE
    account.reject(intake.rejected.filter(repeated))
    account.reject(rejected_rows(raw, intake.rejected.filter(~repeated)))
    check_kept(account, intake.accepted.height)
    account.events = intake.accepted.height
    if account.quarantined:
        entry = account.entry
        bad = pl.concat(account.quarantined)
        write_quarantine(bad, entry.source, entry.key, entry.name, job.staging)
    job.say(raw.height)
    return intake.accepted, account.closed()


def _table(name: str) -> Table:
    return next(table for table in PEOPLE if table.name == name)


def _gathered(parts: list[pl.DataFrame], table: Table) -> pl.DataFrame:
    gathered = pl.concat(parts) if parts else complete(pl.DataFrame(), table)
    return one_a_key(gathered, table).sort(table.key)


def _write_customers(job: Job, gone: set[Path]) -> None:
    """Everybody who is listed or has an event; from the new parts alone where none went."""
    present = [p for p in parts_of(job.tables) if p not in gone]
    new = sorted((job.staging / "events").glob("*/*.parquet"))
    fresh_list = (job.staging / LISTED).exists()
    listed = read((job.staging if fresh_list else job.tables) / LISTED, CUSTOMERS)
    before = job.tables / "customers.parquet"
    if before.exists() and not gone and not fresh_list:
        listed, present = read(before, CUSTOMERS), []
    events = pl.scan_parquet([*present, *new]) if present or new else None
    customers = everybody(listed, events) if events is not None else listed
    write(customers, job.staging / "customers.parquet", CUSTOMERS)
