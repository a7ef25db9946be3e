"""Events on disk: ``events/bucket-NNNN/PART.parquet``, immutable files named by their content.

A part is added or removed, never changed. All changes of a run are written aside and take place
together: a journal says what is to move and to go, and a run that was cut off is finished, or
undone, by the next.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from features.errors import DataError
from features.schemas import EVENTS
from pipelines.buckets import by_bucket
from pipelines.hashing import hashed
from pipelines.intake.identity import ID

STAGING = ".staging"
JOURNAL = "commit.json"
# More parts than this in one bucket: those below `SMALL_ROWS` are joined to one.
MOST_PARTS = 48
SMALL_ROWS = 2_000_000


def bucket_folder(number: int) -> str:
    """Name of a bucket's folder."""
    return f"bucket-{number:04d}"


def parts_of(tables: Path) -> list[Path]:
    """All parts, by bucket and name.

    Raises
    ------
    DataError
        If an ingest was cut off while its changes took place.
    """
    if (tables / STAGING / JOURNAL).exists():
        raise DataError(
            "tables: an ingest was cut off half way. Expected whole tables. "
            "Run `keepwell ingest`; it finishes what was begun."
        )
    return sorted((tables / "events").glob("bucket-*/*.parquet"))


def write_part(rows: pl.DataFrame, bucket: int, folder: Path) -> Path:
    """Write a part below `folder`; its name is the digest of its bytes."""
    home = folder / "events" / bucket_folder(bucket)
    home.mkdir(parents=True, exist_ok=True)
    unnamed = home / f".{os.getpid()}"
    rows.select(EVENTS.names).write_parquet(
        unnamed, compression="zstd", compression_level=1, statistics=False
    )
    with unnamed.open("rb") as file:
        name = hashlib.file_digest(file, "sha256").hexdigest()[:20]
    return unnamed.replace(home / f"{name}.parquet")


def without(tables: Path, ids: pl.Series, staging: Path) -> tuple[list[Path], pl.DataFrame]:
    """Write every part that holds one of the events again without them.

    Parameters
    ----------
    tables, staging : Path
    ids : Series
        Hashes of event ids.

    Returns
    -------
    list of Path
        The parts that go.
    table
        The rows that were taken out, with their ``id``.
    """
    gone: list[Path] = []
    taken: list[pl.DataFrame] = []
    wanted = ids.unique().to_frame(ID)
    for part in parts_of(tables):
        found = hashed(pl.read_parquet(part, columns=["event_id"])["event_id"]).to_frame(ID)
        if not found.join(wanted, on=ID, how="semi").height:
            continue
        rows = pl.read_parquet(part).with_columns(found[ID])
        kept = rows.join(wanted, on=ID, how="anti", maintain_order="left")
        taken.append(rows.join(wanted, on=ID, how="semi"))
        gone.append(part)
        if kept.height:
            write_part(kept, _number(part), staging)
    empty = pl.DataFrame(schema={"event_id": pl.String, ID: pl.UInt64})
    return gone, pl.concat(taken) if taken else empty


def compacted(tables: Path, staging: Path, gone: Iterable[Path]) -> list[Path]:
    """Join the small parts of each bucket that has gathered too many; returns those that go."""
    removed = set(gone)
    more: list[Path] = []
    for bucket, parts in _present(tables, staging, removed).items():
        if len(parts) <= MOST_PARTS:
            continue
        small = [part for part in parts if _height(part) < SMALL_ROWS]
        if len(small) < 2:
            continue
        joined = pl.concat([pl.read_parquet(part) for part in small])
        for part in small:
            if part.is_relative_to(staging):
                part.unlink()
            else:
                more.append(part)
        write_part(joined, bucket, staging)
    return more


def rebucketed(tables: Path, staging: Path, gone: Iterable[Path], count: int) -> list[Path]:
    """Write all parts again into another number of buckets; returns those that go."""
    removed = set(gone)
    old = [p for parts in _present(tables, staging, removed).values() for p in parts]
    for part in old:
        for number, rows in by_bucket(pl.read_parquet(part), count):
            write_part(rows, number, staging / "again")
    for part in old:
        if part.is_relative_to(staging):
            part.unlink()
    for part in sorted((staging / "again").glob("events/*/*.parquet")):
        target = staging / part.relative_to(staging / "again")
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
    shutil.rmtree(staging / "again", ignore_errors=True)
    return [part for part in old if not part.is_relative_to(staging)]


def begun(tables: Path) -> Path:
    """An empty folder for the changes of a run, after finishing or undoing an earlier one."""
    staging = tables / STAGING
    if (staging / JOURNAL).exists():
        _take_place(tables)
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    return staging


def commit(tables: Path, gone: Iterable[Path], last: str) -> None:
    """Let all changes take place.

    Parameters
    ----------
    tables : Path
    gone : paths that are to be removed
    last : str
        The file that is moved last: the ledger.
    """
    staging = tables / STAGING
    shutil.rmtree(staging / "spool", ignore_errors=True)
    moves = sorted(str(p.relative_to(staging)) for p in staging.rglob("*") if p.is_file())
    moves.sort(key=lambda name: name == last)
    removed = {str(path.relative_to(tables)) for path in gone} - set(moves)
    journal = staging / f".{JOURNAL}"
    journal.write_text(json.dumps({"moves": moves, "removed": sorted(removed)}), "utf-8")
    for name in moves:
        _sync(staging / name)
    _sync(journal)
    journal.replace(staging / JOURNAL)
    _take_place(tables)


def _take_place(tables: Path) -> None:
    """Do what the journal says; doing it twice changes nothing."""
    staging = tables / STAGING
    journal = json.loads((staging / JOURNAL).read_text("utf-8"))
    for name in journal["removed"]:
        (tables / name).unlink(missing_ok=True)
    for name in journal["moves"]:
        if (staging / name).exists():
            (tables / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).replace(tables / name)
    for place in (tables / "events").glob("bucket-*"):
        if place.is_file():  # of a layout before parts
            place.unlink()
        elif not any(place.iterdir()):
            place.rmdir()
    (staging / JOURNAL).unlink()
    shutil.rmtree(staging, ignore_errors=True)


def _present(tables: Path, staging: Path, gone: set[Path]) -> dict[int, list[Path]]:
    found: dict[int, list[Path]] = {}
    for folder in (tables, staging):
        for part in sorted((folder / "events").glob("bucket-*/*.parquet")):
            if part not in gone:
                found.setdefault(_number(part), []).append(part)
    return found


def _number(part: Path) -> int:
    return int(part.parent.name.rpartition("-")[2])


def _height(part: Path) -> int:
    return pl.scan_parquet(part).select(pl.len()).collect().item()


def _sync(path: Path) -> None:
    with path.open("rb+") as written:
        os.fsync(written.fileno())
