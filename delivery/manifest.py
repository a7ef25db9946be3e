"""What a run's folder holds: counts, checksums and versions, without any clock time."""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import TypedDict

import polars as pl

from delivery.funnel import funnel

SCHEMA_VERSION = 2


class FileEntry(TypedDict):
    """Checksum and size of one file, and its rows of data (0 for a page)."""

    sha256: str
    bytes: int
    rows: int


def file_entry(content: bytes, rows: int) -> FileEntry:
    """Entry of a file from its bytes."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": rows}


def manifest(
    *,
    as_of: date,
    run_id: str,
    scored: int,
    decisions: pl.DataFrame,
    files: Mapping[str, FileEntry],
    versions: Mapping[str, str],
    hashes: Mapping[str, str],
    erased: int = 0,
    platforms: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, object]:
    """Manifest of one run: the same inputs give the same content, so it holds no time.

    Parameters
    ----------
    as_of : date
    run_id : str
    scored : int
        Customers with a score.
    decisions : table of schemas.DECISIONS
    files : mapping
        Name in the folder -> checksum, bytes and rows.
    versions, hashes : mapping
        What made the files (package, models), and what they were made from (SHA-256).
    erased : int
        Customers decided on who have been erased since; they are in no file and no other count.
    platforms : mapping, optional
        Platform -> its files, and why actions by its channels are in none of them.

    Raises
    ------
    DataError
        If the counts do not add up, see `delivery.funnel.funnel`.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "as_of": as_of.isoformat(),
        "run_id": run_id,
        "counts": {**funnel(scored, decisions)._asdict(), "erased": erased},
        "files": dict(files),
        "platforms": dict(platforms or {}),
        "versions": dict(versions),
        "hashes": dict(hashes),
    }


def manifest_text(content: Mapping[str, object]) -> str:
    """Canonical JSON: sorted keys, indented by two, one newline at the end."""
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
