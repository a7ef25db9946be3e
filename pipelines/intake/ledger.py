"""What has been read: one entry a file, so that nothing is read twice and every row is known."""

import hashlib
from datetime import date
from pathlib import Path

from pydantic import Field

from features.records import Record
from features.taxonomy import Taxonomy
from pipelines.intake.sources import Business, Source

LEDGER = "ledger.json"
# Raised whenever the meaning of rows or files below changes: everything is then read again.
FORMAT = 2


class Entry(Record):
    """One file that has been read, and the account of its rows.

    ``rows_in`` = ``accepted`` + ``duplicates`` + the sum of ``reasons``. ``events`` are the rows
    of the table that it made; lines of one order make one.
    """

    source: str
    key: str
    table: str
    rules: str
    stamp: str | None
    digest: str
    rows_in: int = 0
    accepted: int = 0
    duplicates: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    events: int = 0
    first_on: date | None = None
    last_on: date | None = None
    warnings: list[str] = Field(default_factory=list)
    gone: bool = False

    @property
    def name(self) -> str:
        """Name of its files below index/ and quarantine/."""
        return f"{self.source}/{file_name(self.key)}"


class Ledger(Record):
    """All entries, and the number of buckets of the events."""

    format: int = FORMAT
    buckets: int = 0
    entries: list[Entry] = Field(default_factory=list)


def file_name(key: str) -> str:
    """A name for files about an input, the same on every machine."""
    return hashlib.sha256(key.encode()).hexdigest()[:16] + ".parquet"


def read_ledger(tables: Path) -> Ledger:
    """The ledger of a folder of tables; empty where there is none, or one of another format."""
    path = tables / LEDGER
    if not path.is_file():
        return Ledger()
    text = path.read_text("utf-8")
    if f'"format": {FORMAT},' not in text[:40]:
        return Ledger()
    return Ledger.model_validate_json(text)


def rules_of(source: Source, taxonomy: Taxonomy, business: Business) -> str:
    """A digest of everything that says what the rows of a source mean.

    The contract is not part of it, but for the ranges that reject rows.
    """
    declared = source.model_dump_json(exclude={"contract", "path"})
    meaning = taxonomy.model_dump_json() if source.table == "events" else ""
    ranges = source.contract.model_dump_json(include={"ranges"})
    where = f"{business.timezone} {business.currency} {sorted(business.rates.items())}"
    text = "\n".join((str(FORMAT), declared, ranges, meaning, where))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
