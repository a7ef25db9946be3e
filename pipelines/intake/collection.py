"""All new event rows of a run -> parts, index, quarantine and accounts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features.errors import DataError
from features.schemas import EVENTS
from features.taxonomy import Taxonomy
from pipelines.intake.accounts import Account, check_kept
from pipelines.intake.contracts import check_columns
from pipelines.intake.delimited import ROW
from pipelines.intake.events import typed_events
from pipelines.intake.forgotten import (
    NOBODY,
    Forgotten,
    without_forgotten,
    without_forgotten_text,
)
from pipelines.intake.identity import DUPLICATE, ID, INPUT, KEPT, SEEN, WHO, judged
from pipelines.intake.index import STATE, read_index, shared, turned, with_states, write_index
from pipelines.intake.inputs import rows_expected, stamp
from pipelines.intake.ledger import Entry
from pipelines.intake.parts import parts_of, without
from pipelines.intake.plan import Plan, Reading, read_again
from pipelines.intake.quarantine import raw_text, rejected_rows, write_quarantine
from pipelines.intake.raw import chunks_of
from pipelines.intake.readers import ahead
from pipelines.intake.rows import normalise
from pipelines.intake.sources import SourceCatalogue
from pipelines.intake.stage import Stage, settle

Say = Callable[[int], None]


class Collected(NamedTuple):
    """What became of the events of a run.

    ``entries`` are those of all event inputs, read now or before; ``gone`` the parts that go.
    """

    entries: list[Entry]
    gone: list[Path]
    buckets: int


class Job(NamedTuple):
    """What every function of this module needs to know."""

    root: Path
    tables: Path
    staging: Path
    sources: SourceCatalogue
    taxonomy: Taxonomy
    plan: Plan
    say: Say
    forgotten: Forgotten = NOBODY


def collect(job: Job, rows_per_bucket: int, buckets: int) -> Collected:
    """Read what is new, settle identities with what was read before, write what changes.

    Raises
    ------
    DataError
        If an input cannot be read, changes while it is read, or rows are unaccounted for.
    """
    kept = [e for e in job.plan.kept if e.table == EVENTS.name]
    withdrawn = [e for e in job.plan.withdrawn if e.table == EVENTS.name]
    readings = [r for r in job.plan.readings if r.entry.table == EVENTS.name]
    withdrawn, kept = _with_sharers(job, withdrawn, kept, readings)
    expected = sum(rows_expected(r.input) for r in readings)
    stage = Stage(job.staging, rows_per_bucket, buckets=buckets if kept else 0, expected=expected)
    accounts: list[Account] = []
    while True:
        for reading in readings[len(accounts) :]:
            accounts.append(_read(job, reading, stage, len(accounts)))
        entries = stage.entries()
        stored = shared(job.tables, kept, entries[ID])
        verdict = judged(entries, stored)
        split = _split_orders(entries, stored, verdict)
        if not split:
            break
        again = [e for e in kept if e.name in split]
        kept = [e for e in kept if e.name not in split]
        withdrawn += again
        readings += [read_again(e, job.plan, job.sources, job.staging / "spool") for e in again]
    fresh = verdict.filter(~pl.col(SEEN))
    states = with_states(entries, fresh)
    settled = settle(stage, fresh, job.staging)
    states = _without_negative(states, settled.rejected)
    rejected = pl.concat(
        [fresh.select(INPUT, ROW, "reason"), settled.rejected], how="vertical_relaxed"
    )
    _close(job, readings, accounts, states, rejected, settled.events)
    kept, gone = _withdraw(job, kept, withdrawn, verdict)
    done = [account.closed() for account in accounts]
    return Collected([*kept, *done], gone, stage.buckets or buckets)


def _with_sharers(
    job: Job, withdrawn: list[Entry], kept: list[Entry], readings: list[Reading]
) -> tuple[list[Entry], list[Entry]]:
    """Add to the withdrawn inputs those that tell of the same events: they are read again too."""
    waiting = list(withdrawn)
    while waiting and kept:
        ids = pl.concat([read_index(job.tables, e)[ID] for e in waiting])
        names = set(shared(job.tables, kept, ids)["name"].unique())
        waiting = [e for e in kept if e.name in names]
        kept = [e for e in kept if e.name not in names]
        withdrawn = [*withdrawn, *waiting]
        readings += [read_again(e, job.plan, job.sources, job.staging / "spool") for e in waiting]
    return withdrawn, kept


def _read(job: Job, reading: Reading, stage: Stage, number: int) -> Account:
    one, path = reading.input, reading.path
    source = job.sources.sources[one.source]
    account = Account(reading.entry)
    before = stamp(path)
    for rows in ahead(_typed(job, reading, account)):
        stage.add(rows, number, lines=source.lines_of_order)
        job.say(rows.height)
    if stamp(path) != before:
        raise DataError(
            f"sources.yaml, {one.source}: {path.name} changed while it was read. Expected a "
            f"finished file. Run again when its export has ended."
        )
    return account


def _typed(job: Job, reading: Reading, account: Account) -> Iterator[pl.DataFrame]:
    """Well-formed events, chunk by chunk; all other rows go to the account."""
    name, business = reading.input.source, job.sources.business
    source = job.sources.sources[name]
    for chunk in chunks_of(reading.input, reading.path, source, job.root):
        account.warn(check_columns(chunk.rows, name, source))
        good, raw = normalise(chunk.rows, name, source, business), chunk.rows
        good = without_forgotten(good, job.forgotten)
        fine = good["reason"].is_null()
        bad = good.filter(~fine).select(ROW, "reason")
        if bad.height:
            good, raw = good.filter(fine), raw.filter(fine)
        lines = source.lines_of_order
        typed = typed_events(good, raw, name, job.taxonomy, zone=business.timezone, lines=lines)
        account.rows_in += chunk.rows.height + chunk.rejected.height
        account.reject(without_forgotten_text(chunk.rejected, job.forgotten))
        account.reject(rejected_rows(chunk.rows, pl.concat([bad, typed.rejected])))
        account.cover(typed.rows["on"])
        yield typed.rows


def _split_orders(entries: pl.DataFrame, stored: pl.DataFrame, verdict: pl.DataFrame) -> set[str]:
    """Inputs of earlier runs that hold lines of an order of which new lines have come."""
    lines = stored.filter(pl.col(WHO).is_not_null() & (pl.col(STATE) != 1))
    if not lines.height:
        return set()
    rejected = verdict.filter(~pl.col(SEEN)).select(INPUT, ROW)
    live = entries.join(rejected, on=[INPUT, ROW], how="anti").filter(pl.col(WHO).is_not_null())
    return set(lines.join(live, on=ID, how="semi")["name"].unique())


def _without_negative(states: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    if not rejected.height:
        return states
    bad = rejected.select(INPUT, pl.col(ROW).cast(pl.UInt32), pl.lit(2, pl.UInt8).alias("turned"))
    joined = states.join(bad, on=[INPUT, ROW], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("turned", STATE).alias(STATE)).drop("turned")


def _close(
    job: Job,
    readings: list[Reading],
    accounts: list[Account],
    states: pl.DataFrame,
    rejected: pl.DataFrame,
    merged: pl.DataFrame,
) -> None:
    """Quarantine, index and account of every input that was read."""
    counts = states.lazy().filter(pl.col(STATE) == KEPT).group_by(INPUT).len().collect()
    kept = dict(counts.iter_rows())
    orders = dict(merged.iter_rows())
    for number, (reading, account) in enumerate(zip(readings, accounts, strict=True)):
        own = rejected.filter(pl.col(INPUT) == number).select(ROW, "reason")
        account.reject(own.filter(pl.col("reason") == DUPLICATE))
        late = own.filter(pl.col("reason") != DUPLICATE)
        if late.height:
            account.reject(_found_again(job, reading, late))
        check_kept(account, kept.get(number, 0))
        source = job.sources.sources[reading.input.source]
        account.events = orders.get(number, 0) if source.lines_of_order else account.accepted
        if account.quarantined:
            entry = account.entry
            rows = pl.concat(account.quarantined)
            write_quarantine(rows, entry.source, entry.key, entry.name, job.staging)
    names = {number: account.entry.name for number, account in enumerate(accounts)}
    write_index(states, names, job.staging)


def _found_again(job: Job, reading: Reading, late: pl.DataFrame) -> pl.DataFrame:
    """Rows that turned out to be wrong after they were read: looked up in their file."""
    source = job.sources.sources[reading.input.source]
    chunks = chunks_of(reading.input, reading.path, source, job.root)
    parts = [rejected_rows(chunk.rows, late) for chunk in chunks]
    return pl.concat(parts)


def _withdraw(
    job: Job, kept: list[Entry], withdrawn: list[Entry], verdict: pl.DataFrame
) -> tuple[list[Entry], list[Path]]:
    """Take events out of the parts: of withdrawn inputs, and those that new rows contradict."""
    gone = [job.tables / folder / e.name for e in withdrawn for folder in ("index", "quarantine")]
    turned_rows = verdict.filter(pl.col(SEEN) & (pl.col(STATE) == KEPT))
    if not kept:
        return kept, [*gone, *parts_of(job.tables)]
    if not withdrawn and not turned_rows.height:
        return kept, gone
    old = [read_index(job.tables, e).filter(pl.col(STATE) == KEPT)[ID] for e in withdrawn]
    parts, taken = without(job.tables, pl.concat([*old, turned_rows[ID]]), job.staging)
    return [_turned(job, e, turned_rows, taken) for e in kept], [*gone, *parts]


def _turned(job: Job, entry: Entry, turned_rows: pl.DataFrame, taken: pl.DataFrame) -> Entry:
    """Move rows of an earlier input to quarantine; as Keepwell kept them, if the file is gone."""
    own = turned_rows.filter(pl.col("name") == entry.name)
    if not own.height:
        return entry
    turned(job.tables, entry.name, own[ROW], job.staging)
    events = taken.join(own.select(ID, pl.col(ROW), "reason"), on=ID)
    text = raw_text(events.drop(ID, "reason", ROW))
    rows = events.select(pl.col(ROW).cast(pl.Int64), "reason").with_columns(text)
    before = job.tables / "quarantine" / entry.name
    if before.exists():
        earlier = pl.read_parquet(before).select(pl.col("row_number").alias(ROW), "reason", "raw")
        rows = pl.concat([earlier, rows])
    write_quarantine(rows, entry.source, entry.key, entry.name, job.staging)
    reasons = dict(entry.reasons)
    for reason, count in own.group_by("reason").len().iter_rows():
        reasons[reason] = reasons.get(reason, 0) + count
    return entry.model_copy(
        update={
            "reasons": reasons,
            "accepted": entry.accepted - own.height,
            "events": entry.events - events.height,
        }
    )
