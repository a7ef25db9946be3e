"""What a source promises, held against what came: broken promises warn, or stop the step."""

from datetime import date
from statistics import median
from typing import Any

import polars as pl

from features.errors import DataError
from pipelines.intake.delimited import ROW
from pipelines.intake.forgotten import FORGOTTEN
from pipelines.intake.ledger import Entry
from pipelines.intake.sources import Freshness, Source

# Earlier files that it takes to say what is usual.
USUAL = 3


def check_columns(rows: pl.DataFrame, name: str, source: Source) -> list[str]:
    """Warnings of columns that the contract does not know.

    Raises
    ------
    DataError
        If a declared column is missing, or of another type. Text may be of any type: then every
        row is judged by its mapping.
    """
    declared = source.contract.columns
    if not declared:
        return []
    missing = [column for column in declared if column not in rows.columns]
    retyped = [
        f"{column} ({rows.schema[column]}, declared {kind})"
        for column, kind in declared.items()
        if column in rows.columns and not _is_kind(rows.schema[column], kind)
    ]
    if missing or retyped:
        raise DataError(
            f"sources.yaml, {name}, contract: the columns changed. Missing: "
            f"{', '.join(missing) or 'none'}; of another type: {', '.join(retyped) or 'none'}. "
            f"Mend the export, or the contract."
        )
    known = {*declared, *source.reads, ROW}
    extra = [column for column in rows.columns if column not in known]
    return [f"{name}: columns not in the contract: {', '.join(extra)}"] if extra else []


def check_counts(entries: list[Entry], fresh: set[str], name: str, source: Source) -> list[str]:
    """Warnings of unusual numbers of rows in the files that were read now.

    Parameters
    ----------
    entries : list of Entry
        All of the source.
    fresh : set of str
        Names (`Entry.name`) of those that were read now.
    name : str
    source : Source

    Raises
    ------
    DataError
        If more rows are quarantined than the contract accepts, or the volume must not change so.
    """
    rows = sum(entry.rows_in for entry in entries)
    quarantined = sum(n for e in entries for reason, n in e.reasons.items() if reason != FORGOTTEN)
    most = source.contract.max_quarantined_rate
    if rows and quarantined / rows > most and quarantined < rows:
        raise DataError(
            f"sources.yaml, {name}, contract: too many rows are wrong. Got {quarantined:,} of "
            f"{rows:,} ({quarantined / rows:.1%}): {_reasons(entries)}. Expected at most "
            f"{most:.1%}. Mend the export or the mapping, or raise `max_quarantined_rate`."
        )
    return [said for e in entries if e.name in fresh for said in _volume(e, entries, fresh, source)]


def check_freshness(
    accounting: list[dict[str, Any]], sources: dict[str, Source], as_of: date
) -> list[str]:
    """Warnings of sources whose newest row is old, as of the date of the run.

    Raises
    ------
    DataError
        If a source is older than its contract allows.
    """
    said = []
    for account in accounting:
        name, last = str(account["source"]), account["last_on"]
        limits = sources[name].contract.freshness
        if isinstance(last, str):
            said += _age(name, (as_of - date.fromisoformat(last)).days, limits)
    return said


def _age(name: str, days: int, limits: Freshness) -> list[str]:
    if limits.error_after_days is not None and days > limits.error_after_days:
        raise DataError(
            f"sources.yaml, {name}, contract: the data are old. Got a newest row of {days} days "
            f"before the as-of date. Expected at most {limits.error_after_days}. Load newer data."
        )
    if limits.warn_after_days is not None and days > limits.warn_after_days:
        return [f"{name}: the newest row is {days} days older than the as-of date"]
    return []


def _volume(entry: Entry, entries: list[Entry], fresh: set[str], source: Source) -> list[str]:
    earlier = [e.rows_in for e in entries if e.name not in fresh]
    limits = source.contract.volume
    if len(earlier) < USUAL or not median(earlier):
        return []
    ratio = entry.rows_in / median(earlier)
    if limits.min_ratio <= ratio <= limits.max_ratio:
        return []
    said = f"{entry.source}: {entry.key} has {entry.rows_in:,} rows, {ratio:.2f} times the usual"
    if limits.action == "error":
        raise DataError(
            f"sources.yaml, {said}. Expected {limits.min_ratio:g} to {limits.max_ratio:g} times. "
            f"Look at the export, or change `contract.volume`."
        )
    return [said]


def _reasons(entries: list[Entry]) -> str:
    total: dict[str, int] = {}
    for entry in entries:
        for reason, count in entry.reasons.items():
            total[reason] = total.get(reason, 0) + count
    return ", ".join(f"{reason} {count:,}" for reason, count in sorted(total.items()))


def _is_kind(dtype: pl.DataType, kind: str) -> bool:
    if dtype in (pl.String, pl.Null):
        return True
    return {
        "text": False,
        "integer": dtype.is_integer(),
        "number": dtype.is_numeric(),
        "boolean": dtype == pl.Boolean,
        "date": dtype == pl.Date,
        "timestamp": isinstance(dtype, pl.Datetime),
    }[kind]
