"""Rejected rows: where they came from, why, and how they were written; one file an input."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from features.schemas import QUARANTINE
from pipelines.intake.delimited import ROW
from pipelines.tables import polars_schema, write

FOLDER = "quarantine"
EXAMPLES = 3


def raw_text(rows: pl.DataFrame) -> pl.Series:
    """Each row as JSON, every value as the text that it was."""
    columns = [column for column in rows.columns if column != ROW]
    body = pl.struct(pl.col(columns).cast(pl.String)).struct.json_encode()
    return rows.select(body.alias("raw"))["raw"]


def rejected_rows(raw: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """``__row__``, ``reason`` and ``raw`` of the rows that `reasons` names."""
    if not reasons.height:
        return pl.DataFrame(schema={ROW: pl.Int64, "reason": pl.String, "raw": pl.String})
    numbered = raw.with_columns(pl.col(ROW).cast(pl.Int64))
    found = numbered.join(reasons.select(pl.col(ROW).cast(pl.Int64), "reason"), on=ROW)
    text = raw_text(found.drop("reason"))
    return found.select(ROW, "reason").with_columns(text)


def write_quarantine(rows: pl.DataFrame, source: str, key: str, name: str, folder: Path) -> None:
    """Write the rejected rows of one input; readable by nobody but the owner."""
    table = rows.select(
        pl.lit(source).alias("source"),
        pl.lit(key).alias("file"),
        pl.col(ROW).cast(pl.Int64).alias("row_number"),
        "reason",
        "raw",
    ).sort("row_number")
    path = folder / FOLDER / name
    write(table, path, QUARANTINE)
    path.chmod(0o600)


def read_quarantine(tables: Path) -> pl.DataFrame:
    """All rejected rows of all sources."""
    files = sorted((tables / FOLDER).rglob("*.parquet"))
    parts = [pl.read_parquet(path) for path in files]
    return pl.concat(parts) if parts else pl.DataFrame(schema=polars_schema(QUARANTINE))


def described(rows: pl.DataFrame, *, source: str = "", reason: str = "") -> str:
    """Counts by source and reason, with a few examples of each.

    Examples are customers' own data: they are for the terminal of whoever asks, never for a log.
    """
    if source:
        rows = rows.filter(pl.col("source") == source)
    if reason:
        rows = rows.filter(pl.col("reason") == reason)
    if not rows.height:
        return "nothing in quarantine"
    return "\n".join(_described(rows))


def _described(rows: pl.DataFrame) -> Iterable[str]:
    groups = rows.group_by("source", "reason").agg(
        pl.len().alias("count"),
        pl.struct("file", "row_number", "raw").sort_by("file", "row_number").head(EXAMPLES),
    )
    for source, reason, count, examples in groups.sort("source", "reason").iter_rows():
        yield f"{source}, {reason}: {count:,} rows"
        for example in examples:
            yield f"  {example['file']}, row {example['row_number']}: {example['raw']:.200}"
