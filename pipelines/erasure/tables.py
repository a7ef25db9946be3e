"""Take a person out of the tables of ingest: all changes take place together."""

import shutil
from pathlib import Path

import polars as pl

from pipelines.erasure.person import Person
from pipelines.erasure.search import matches
from pipelines.hashing import hashed
from pipelines.intake.identity import ID
from pipelines.intake.index import INDEX
from pipelines.intake.ledger import LEDGER
from pipelines.intake.parts import begun, commit, parts_of, write_part
from pipelines.intake.quarantine import FOLDER
from pipelines.tables import replacing


def forget_in_tables(tables: Path, person: Person) -> int:
    """Take the person out of events, index, people's tables and quarantine; returns how many rows.

    The ledger stays: no file is read again because of it.
    """
    staging = begun(tables)
    try:
        gone, ids = _events(tables, staging, person)
        _index(tables, staging, ids)
        others = [*tables.glob("*.parquet"), *(tables / FOLDER).rglob("*.parquet")]
        rows = sum(_table(path, tables, staging, person) for path in others)
        commit(tables, gone, LEDGER)
        return rows + ids.len()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def drop_rows(path: Path, person: Person, target: Path | None = None) -> int:
    """Write a Parquet file again without the rows about the person; returns how many went."""
    rows = pl.read_parquet(path, glob=False)
    about = rows.select(matches(rows.schema, person).alias("about")).to_series()
    if about.any():
        mode = path.stat().st_mode & 0o777
        with replacing(target or path) as unfinished:
            rows.filter(~about).write_parquet(unfinished, compression="zstd")
            unfinished.chmod(mode)
    return int(about.sum())


def _events(tables: Path, staging: Path, person: Person) -> tuple[list[Path], pl.Series]:
    """Parts that hold the person are written again; those that go, and the hashes of the events."""
    gone: list[Path] = []
    ids = [pl.Series(ID, [], dtype=pl.UInt64)]
    for part in parts_of(tables):
        scanned = pl.scan_parquet(part, glob=False)
        about = matches(scanned.collect_schema(), person)
        found = scanned.filter(about).select("event_id").collect()
        if not found.height:
            continue
        gone.append(part)
        ids.append(hashed(found["event_id"]).alias(ID))
        kept = scanned.filter(~about).collect()
        if kept.height:
            number = int(part.parent.name.rpartition("-")[2])
            write_part(kept, number, staging)
    return gone, pl.concat(ids)


def _index(tables: Path, staging: Path, ids: pl.Series) -> None:
    """Not even the hash of an event of theirs stays."""
    for path in sorted((tables / INDEX).rglob("*.parquet")) if ids.len() else []:
        entries = pl.read_parquet(path, glob=False)
        kept = entries.join(ids.to_frame(), on=ID, how="anti", maintain_order="left")
        if kept.height < entries.height:
            target = staging / path.relative_to(tables)
            target.parent.mkdir(parents=True, exist_ok=True)
            kept.write_parquet(target, compression="uncompressed", statistics=False)


def _table(path: Path, tables: Path, staging: Path, person: Person) -> int:
    return drop_rows(path, person, staging / path.relative_to(tables))
