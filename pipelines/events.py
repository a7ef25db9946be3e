"""Normalised event rows -> events: known types, no duplicates, lines merged to orders."""

from datetime import time
from typing import NamedTuple

import polars as pl

from features.schemas import EVENTS
from features.taxonomy import Taxonomy
from pipelines.intake import content_ids
from pipelines.raw import ROW
from pipelines.tables import polars_schema

REASON = "reason"
DUPLICATE = "duplicate"


class Intake(NamedTuple):
    """Accepted rows as a table, and every other row with its reason.

    ``rejected`` has ``__row__`` and ``reason``, where ``duplicate`` marks rows that say again what
    an accepted row says.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame


def events_of(
    rows: pl.DataFrame, raw: pl.DataFrame, name: str, taxonomy: Taxonomy, *, zone: str, lines: bool
) -> Intake:
    """Events of one source.

    Parameters
    ----------
    rows : result of pipelines.intake.normalise for a source of table events
    raw : the same rows as they were read
    name : str
        The source's id; makes ids of events that have none unique to it.
    taxonomy : Taxonomy
    zone : str
        IANA zone of business dates.
    lines : bool
        Rows that share an ``event_id`` are lines of one event.
    """
    typed = _with_meaning(rows, taxonomy)
    repeated = raw.select(~pl.struct(pl.exclude(ROW)).is_first_distinct()).to_series()
    typed = _reject(typed, DUPLICATE, pl.lit(repeated))
    typed = _with_ids(typed, name, raw)
    typed = _reject(typed, *_conflicts(lines=lines))
    typed = _reject(typed, "negative_value", _negative_order())
    accepted = typed.filter(pl.col(REASON).is_null())
    merged = _merge_lines(accepted) if lines else accepted
    rejected = typed.filter(pl.col(REASON).is_not_null()).select(ROW, REASON)
    return Intake(_complete(_signed(merged), zone), rejected)


def canonical_type(name: pl.Expr) -> pl.Expr:
    """``Order Completed`` -> ``order_completed``."""
    return name.str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "_").str.strip_chars("_")


def _with_meaning(rows: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    meanings = pl.DataFrame(
        [
            (name, m.role, m.engagement_type, m.channel)
            for name, m in taxonomy.events.items()
        ],
        schema=dict.fromkeys(("event_type", "role", "engagement_type", "usual_channel"), pl.String),
        orient="row",
    )  # fmt: skip
    named = rows.with_columns(canonical_type(pl.col("event_type")).replace(taxonomy.aliases))
    known = named.join(meanings, on="event_type", how="left", maintain_order="left")
    for optional in ("channel", "campaign"):
        if optional not in known.columns:
            known = known.with_columns(pl.lit(None, pl.String).alias(optional))
    if "value" not in known.columns:
        known = known.with_columns(value=pl.lit(0, pl.Int64))
    if "discount" not in known.columns:
        known = known.with_columns(discount=pl.lit(0, pl.Int64))
    known = known.with_columns(pl.col("discount").fill_null(0).abs())
    known = known.with_columns(pl.coalesce("channel", "usual_channel").alias("channel"))
    known = _reject(known, "unknown_event_type", pl.col("role").is_null())
    unpriced = (pl.col("role") == "value") & pl.col("value").is_null()
    return _reject(known, "missing_value", unpriced).with_columns(pl.col("value").fill_null(0))


def _reject(rows: pl.DataFrame, code: str, broken: pl.Expr) -> pl.DataFrame:
    fresh = broken.fill_null(False) & pl.col(REASON).is_null()
    return rows.with_columns(
        pl.when(fresh).then(pl.lit(code)).otherwise(pl.col(REASON)).alias(REASON)
    )


def _with_ids(rows: pl.DataFrame, name: str, raw: pl.DataFrame) -> pl.DataFrame:
    """A row without an id of its own gets one from its content."""
    if "event_id" not in rows.columns:
        return rows.with_columns(content_ids(name, raw.drop(ROW)))
    if not rows["event_id"].null_count():
        return rows
    return rows.with_columns(pl.col("event_id").fill_null(content_ids(name, raw.drop(ROW))))


def _conflicts(*, lines: bool) -> tuple[str, pl.Expr]:
    """Same id, different event: every row of it, because nobody can say which one is right."""
    live = pl.when(pl.col(REASON).is_null())
    if lines:
        said = (
            live.then(pl.col(name)).drop_nulls().n_unique().over("event_id")
            for name in ("customer_id", "event_type")
        )
        return "conflicting_lines", pl.any_horizontal(*(count > 1 for count in said))
    return "conflicting_duplicate", live.then(pl.col(ROW)).count().over("event_id") > 1


def _negative_order() -> pl.Expr:
    """An order, all its lines together, that takes money from the company is not an order."""
    live = pl.when(pl.col(REASON).is_null()).then(pl.col("value")).otherwise(0)
    return (pl.col("role") == "value") & (live.sum().over("event_id") < 0)


def _merge_lines(rows: pl.DataFrame) -> pl.DataFrame:
    constant = ("customer_id", "event_type", "role", "engagement_type", "channel", "campaign")
    times = [pl.col(t).min() for t in ("occurred_at", "loaded_at") if t in rows.columns]
    return rows.group_by("event_id").agg(
        *(pl.col(name).min() for name in constant),
        *times,
        pl.col("value").sum(),
        pl.col("discount").sum(),
    )


def _signed(rows: pl.DataFrame) -> pl.DataFrame:
    """Money of service events (refunds, cancellations) is money given back."""
    given_back = pl.when(pl.col("role") == "service").then(-pl.col("value").abs())
    money = given_back.otherwise(pl.col("value"))
    return rows.with_columns(value_cents=money, discount_cents=pl.col("discount"))


def _complete(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    if "loaded_at" not in rows.columns:
        rows = rows.with_columns(loaded_at=pl.lit(None, pl.Datetime("us", "UTC")))
    local = pl.col("occurred_at").dt.convert_time_zone(zone)
    business_day = local.dt.date()
    midnight = (local.dt.time() == time(0)).all()  # the source knows days only
    loaded_day = pl.col("loaded_at").dt.convert_time_zone(zone).dt.date()
    dated = rows.with_columns(on=business_day).with_columns(
        day=pl.col("on").cast(pl.Int32).cast(pl.Int64),
        visible_day=pl.max_horizontal("on", loaded_day).cast(pl.Int32).cast(pl.Int64),
        hour=pl.when(~midnight).then(local.dt.hour()),
    )
    return dated.select(EVENTS.names).cast(polars_schema(EVENTS))
