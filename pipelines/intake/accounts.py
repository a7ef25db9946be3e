"""The account of every row: rows in = accepted + duplicates + quarantined, or the step fails."""

from collections import Counter
from datetime import date
from typing import Any

import polars as pl

from features.errors import DataError
from pipelines.intake.contracts import check_counts
from pipelines.intake.delimited import ROW
from pipelines.intake.forgotten import FORGOTTEN
from pipelines.intake.identity import DUPLICATE
from pipelines.intake.ledger import Entry
from pipelines.intake.sources import Source


class Account:
    """Counts of one input while it is read."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.rows_in = 0
        self.events = 0
        self.reasons: Counter[str] = Counter()
        self.first: date | None = None
        self.last: date | None = None
        self.quarantined: list[pl.DataFrame] = []
        self.warnings: dict[str, None] = {}

    def reject(self, rows: pl.DataFrame) -> None:
        """Count rejected rows by ``reason``; those with ``raw`` text go to quarantine.

        Nothing but the count is kept of a customer who was forgotten.
        """
        self.reasons.update(dict(rows.group_by("reason").len().iter_rows()))
        if "raw" in rows.columns and rows.height:
            kept = rows.filter(pl.col("reason") != FORGOTTEN)
            self.quarantined.append(kept.select(ROW, "reason", "raw"))

    def warn(self, said: list[str]) -> None:
        """Remember what is unusual, once."""
        self.warnings.update(dict.fromkeys(said))

    def cover(self, days: pl.Series) -> None:
        """Widen the span of business dates."""
        if days.len():
            first, last = days.min(), days.max()
            assert isinstance(first, date)
            assert isinstance(last, date)
            self.first = min(first, self.first or first)
            self.last = max(last, self.last or last)

    @property
    def accepted(self) -> int:
        """Rows that were neither rejected nor said again what another says."""
        return self.rows_in - self.reasons.total()

    def closed(self) -> Entry:
        """The entry for the ledger."""
        reasons = dict(sorted(self.reasons.items()))
        return self.entry.model_copy(
            update={
                "rows_in": self.rows_in,
                "accepted": self.accepted,
                "duplicates": reasons.pop(DUPLICATE, 0),
                "reasons": reasons,
                "events": self.events,
                "first_on": self.first,
                "last_on": self.last,
                "warnings": list(self.warnings),
            }
        )


def check_kept(account: Account, kept: int) -> None:
    """Compare what was counted with what was kept.

    Raises
    ------
    DataError
        If rows are unaccounted for.
    """
    if account.accepted != kept:
        raise DataError(
            f"sources.yaml, {account.entry.source}: rows are unaccounted for. Got "
            f"{account.rows_in} rows in, {kept} kept of {account.accepted} accepted. This is a "
            f"fault of Keepwell; please report it."
        )


def by_source(
    entries: list[Entry], sources: dict[str, Source], fresh: set[str]
) -> list[dict[str, Any]]:
    """The account of each source: the sum of its inputs, with warnings about those in `fresh`.

    Raises
    ------
    DataError
        If a source of events has no acceptable row.
    """
    return [
        _summed(name, source, [e for e in entries if e.source == name], fresh)
        for name, source in sources.items()
    ]


def _summed(name: str, source: Source, own: list[Entry], fresh: set[str]) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for entry in own:
        reasons.update(entry.reasons)
    made = sum(entry.events for entry in own)
    rows_in = sum(entry.rows_in for entry in own)
    if not made and (source.table == "events" or rows_in) and not _all_repeated(own):
        raise DataError(
            f"sources.yaml, {name}: no row was accepted. Got {rows_in} rows; rejected: "
            f"{dict(sorted(reasons.items())) or 'none'}. Fix the mapping, or remove the source."
        )
    warned = [said for entry in own if entry.name in fresh for said in entry.warnings]
    warned += check_counts(own, fresh, name, source)
    days = [d for entry in own for d in (entry.first_on, entry.last_on) if d]
    new = [entry for entry in own if entry.name in fresh]
    return {
        "source": name,
        "table": source.table,
        "rows_in": rows_in,
        "accepted": sum(entry.accepted for entry in own),
        "duplicates": sum(entry.duplicates for entry in own),
        "quarantined": reasons.total(),
        "events": made,
        "reasons": dict(sorted(reasons.items())),
        "files": len(own),
        "new_rows": sum(entry.rows_in for entry in new),
        "new_accepted": sum(entry.accepted for entry in new),
        "first_on": min(days).isoformat() if days else None,
        "last_on": max(days).isoformat() if days else None,
        "warnings": list(dict.fromkeys(warned)),
    }


def _all_repeated(own: list[Entry]) -> bool:
    """Whether every good row says again what another source says, or is of somebody forgotten."""
    return any(entry.duplicates or FORGOTTEN in entry.reasons for entry in own)
