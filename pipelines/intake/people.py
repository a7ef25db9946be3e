"""Tables of people (customers, identities, consents and so on) from normalised rows."""

from typing import NamedTuple

import polars as pl

from features.errors import DataError
from features.schemas import (
    CONSENTS,
    CUSTOMERS,
    IDENTITIES,
    SENDS,
    STAGE_LABELS,
    STAGES,
    SUPPRESSIONS,
    Table,
)
from pipelines.intake.delimited import ROW
from pipelines.intake.events import REASON
from pipelines.intake.identity import DUPLICATE
from pipelines.tables import polars_schema

TABLES: dict[str, Table] = {
    t.name: t for t in (CUSTOMERS, IDENTITIES, CONSENTS, SENDS, SUPPRESSIONS, STAGE_LABELS)
}
STATUSES = ("denied", "revoked", "unknown", "granted")
PURPOSES = ("marketing", "profiling")
BASES = ("opt_in", "soft_opt_in", "contract", "none")
SUPPRESSED = ("customer_id", "email", "phone")
KINDS = (*SUPPRESSED, *(f"{kind}_sha256" for kind in SUPPRESSED))


class Intake(NamedTuple):
    """Accepted rows as a table, and every other row with its reason.

    ``rejected`` has ``__row__`` and ``reason``, where ``duplicate`` marks rows that say again what
    an accepted row says.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def people_of(rows: pl.DataFrame, table_name: str) -> Intake:
    """Rows of one of the tables of people, one for each key.

    Of several rows with one key, the most restrictive status wins, then the first row.

    Raises
    ------
    DataError
        If a label says a stage that is not known.
    """
    table = TABLES[table_name]
    if table is CONSENTS:
        rows = _checked_consents(rows)
    if table is SUPPRESSIONS:
        rows = _checked_suppressions(rows)
    if table is STAGE_LABELS:
        _check_stages(rows)
    kept = rows.filter(pl.col(REASON).is_null())
    first = one_a_key(kept.sort(ROW), table)
    again = kept.join(first.select(ROW), on=ROW, how="anti")
    rejected = pl.concat(
        [
            rows.filter(pl.col(REASON).is_not_null()).select(ROW, REASON),
            again.select(ROW, pl.lit(DUPLICATE).alias(REASON)),
        ]
    )
    return Intake(complete(first, table), rejected)


def _checked_consents(rows: pl.DataFrame) -> pl.DataFrame:
    everywhere = (pl.col("channel") == "any") & (pl.col("purpose") == "marketing")
    granted_everywhere = everywhere & (pl.col("status") == "granted")
    known = pl.all_horizontal(
        pl.col("status").is_in(STATUSES),
        pl.col("purpose").is_in(PURPOSES),
        pl.col("basis").is_in(BASES),
        pl.col("channel").is_not_null(),
        ~granted_everywhere,
    ).fill_null(False)
    reason = pl.when(pl.col(REASON).is_null() & ~known).then(pl.lit("unknown_consent"))
    return rows.with_columns(reason.otherwise(pl.col(REASON)).alias(REASON))


def _checked_suppressions(rows: pl.DataFrame) -> pl.DataFrame:
    unknown = pl.col(REASON).is_null() & ~pl.col("kind").is_in(KINDS)
    reason = pl.when(unknown).then(pl.lit("unknown_kind")).otherwise(pl.col(REASON))
    return rows.with_columns(reason.alias(REASON))


def _check_stages(rows: pl.DataFrame) -> None:
    """A label that is left out would be learned as another stage: nothing is read instead."""
    known = pl.col("stage").is_in(STAGES).fill_null(False)
    wrong = rows.filter(pl.col(REASON).is_null() & ~known)["stage"]
    if wrong.len():
        raise DataError(
            f"sources.yaml, table stage_labels, stage: unknown stages. Got {wrong.len():,} rows "
            f"with {wrong.n_unique()} other names. Expected {', '.join(STAGES)}. Say with `when:` "
            "which of your names means which of these."
        )


def one_a_key(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """One row a key: the most restrictive consent, the newest suppression, otherwise the first."""
    if table is CONSENTS:
        rank = pl.col("status").replace_strict(STATUSES, range(len(STATUSES)), default=None)
        rows = rows.sort(rank, maintain_order=True)
    if table is SUPPRESSIONS:
        rows = rows.sort("listed_on", descending=True, maintain_order=True)
    return rows.unique(table.key, keep="first", maintain_order=True)


def complete(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Exactly the table's columns; those that the source does not have are null."""
    types = polars_schema(table)
    absent = [pl.lit(None, dtype).alias(n) for n, dtype in types.items() if n not in rows.columns]
    return rows.with_columns(absent).select(table.names).cast(types).sort(table.key)


def everybody(listed: pl.DataFrame, events: pl.LazyFrame) -> pl.DataFrame:
    """Table of schemas.CUSTOMERS: listed by a source, or seen in an event; the earlier date.

    An event makes its customer known on the day on which it was known itself.
    """
    first = pl.from_epoch("visible_day", time_unit="d").min()
    seen = events.group_by("customer_id").agg(known_since=first).collect()
    both = pl.concat([listed.select(CUSTOMERS.names), seen.select(CUSTOMERS.names)])
    return both.group_by("customer_id").agg(pl.col("known_since").min()).sort("customer_id")
