"""Customers who were forgotten: known by a salted hash alone, and never taken in again.

``catalogue/forgotten.csv`` has one line a customer. Its hash is a pseudonym, not anonymity: whoever
has the file and a list of ids can tell which of them were forgotten, and ingest does just that.
"""

import csv
import hashlib
import io
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features.errors import ConfigurationError

FILE = "forgotten.csv"
FORGOTTEN = "forgotten"
HEADER = ["salt", "customer_sha256", "forgotten_on"]
CELL_ENDS = re.compile(r"[\s,;|\"']+")


class Forgotten(NamedTuple):
    """The salt of the project, and the hash of each customer who was forgotten."""

    salt: str = ""
    digests: frozenset[str] = frozenset()

    def holds(self, customer_id: str) -> bool:
        """Whether this customer was forgotten."""
        return _digest(self.salt, customer_id) in self.digests


NOBODY = Forgotten()


def read_forgotten(catalogue: Path) -> Forgotten:
    """The list of a project; empty where there is none.

    Raises
    ------
    ConfigurationError
        If a line is not one that `keepwell forget` writes.
    """
    path = catalogue / FILE
    header, *rows = _lines(path) or [HEADER]
    salts = {row[0] for row in rows}
    if header != HEADER or len(salts) > 1 or any(len(row) != len(HEADER) for row in rows):
        raise ConfigurationError(
            f"{FILE}: cannot be read. Expected {','.join(HEADER)}, and one salt in all lines. "
            f"Restore the file; only `keepwell forget` writes it."
        )
    return Forgotten(next(iter(salts), ""), frozenset(row[1] for row in rows))


def with_forgotten(catalogue: Path, customer_id: str, day: date, new_salt: str) -> str:
    """Text of the list with one more customer; `new_salt` counts for the first one only."""
    known = read_forgotten(catalogue)
    rows = _lines(catalogue / FILE) or [HEADER]
    salt = known.salt or new_salt
    if not known.holds(customer_id):
        rows.append([salt, _digest(salt, customer_id), day.isoformat()])
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def without_forgotten(rows: pl.DataFrame, forgotten: Forgotten) -> pl.DataFrame:
    """Rows of pipelines.intake.rows.normalise, with the reason ``forgotten`` where it is one."""
    who = "customer_id" if "customer_id" in rows.columns else "identifier"
    return _marked(rows, rows[who], forgotten)


def without_forgotten_text(rejected: pl.DataFrame, forgotten: Forgotten) -> pl.DataFrame:
    """Rows that a reader rejected, whose ``raw`` text nobody has taken apart: each cell counts."""
    if not forgotten.digests or not rejected.height:
        return rejected
    named = [
        any(forgotten.holds(cell) for cell in CELL_ENDS.split(raw or "")) for raw in rejected["raw"]
    ]
    return _with_reason(rejected, pl.Series(named, dtype=pl.Boolean))


def _marked(rows: pl.DataFrame, ids: pl.Series, forgotten: Forgotten) -> pl.DataFrame:
    if not forgotten.digests:
        return rows
    found = [i for i in ids.drop_nulls().unique() if forgotten.holds(i)]
    return _with_reason(rows, ids.is_in(found).fill_null(False)) if found else rows


def _with_reason(rows: pl.DataFrame, named: pl.Series) -> pl.DataFrame:
    reason = pl.when(named).then(pl.lit(FORGOTTEN)).otherwise(pl.col("reason"))
    return rows.with_columns(reason.alias("reason"))


def _digest(salt: str, customer_id: str) -> str:
    return hashlib.sha256(f"{salt}\0{customer_id}".encode()).hexdigest()


def _lines(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text("utf-8")))) if path.is_file() else []
