"""Normalised event rows -> events: known types, identities, lines merged to orders."""

from datetime import time
from typing import NamedTuple

import polars as pl

from features.schemas import EVENTS
from features.taxonomy import Taxonomy
from pipelines.hashing import hashed
from pipelines.intake.delimited import ROW
from pipelines.intake.identity import BODY, ID, LOADED, WHO
from pipelines.intake.rows import CONTROL, content_ids
from pipelines.tables import polars_schema

REASON = "reason"
NEGATIVE = "negative_value"
# Odd numbers without a pattern: the binary digits of pi, as Blowfish uses them.
FACTORS = (
    0x243F6A8885A308D3,
    0x13198A2E03707345,
    0xA4093822299F31D1,
    0x082EFA98EC4E6C89,
    0x452821E638D01377,
    0xBE5466CF34E90C6D,
    0xC0AC29B7C97C50DD,
)
MEANT = {
    "canonical": "event_type",
    "role": "role",
    "engagement_type": "engagement_type",
    "usual_channel": "usual_channel",
}
HELPERS = (ROW, ID, BODY, WHO, LOADED)


class Typed(NamedTuple):
    """Rows that are well-formed events, and every other row with its reason.

    ``rows`` has the columns of schemas.EVENTS, ``__row__`` and the hashes that identify it
    (identity.py); ``rejected`` has ``__row__`` and ``reason``.
    """

    rows: pl.DataFrame
    rejected: pl.DataFrame


def typed_events(
    rows: pl.DataFrame, raw: pl.DataFrame, name: str, taxonomy: Taxonomy, *, zone: str, lines: bool
) -> Typed:
    """Events of some rows of one source, before identities are compared.

    Parameters
    ----------
    rows : result of pipelines.intake.rows.normalise for a source of table events
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
    if not lines:
        order = pl.col("role") == "value"
        typed = _reject(typed, NEGATIVE, order & (pl.col("value") < 0))
    good = typed[REASON].is_null()
    rejected = typed.filter(~good).select(ROW, REASON)
    whole = good.all()
    kept, kept_raw = (typed, raw) if whole else (typed.filter(good), raw.filter(good))
    named = _with_ids(kept, name, kept_raw, lines=lines)
    return Typed(_complete(_signed(named, lines=lines), zone), rejected)


def merged_lines(rows: pl.DataFrame) -> Typed:
    """Lines of orders -> one event an order; orders that take money from the company go.

    Parameters
    ----------
    rows : table
        As in `Typed`, each order whole, of one customer and type; may carry further columns.
    """
    taking = (pl.col("role") == "value") & (pl.col("value_cents").sum().over("event_id") < 0)
    rows = rows.with_columns(taking=taking)
    rejected = rows.filter("taking").with_columns(pl.lit(NEGATIVE).alias(REASON)).drop("taking")
    added = ("value_cents", "discount_cents")
    constant = [n for n in EVENTS.names if n not in ("event_id", *added)]
    merged = (
        rows.filter(~pl.col("taking"))
        .group_by("event_id", maintain_order=True)
        .agg(pl.col(*added).sum(), *(pl.col(name).min() for name in constant))
    )
    given_back = pl.when(pl.col("role") == "service").then(-pl.col("value_cents").abs())
    merged = merged.with_columns(value_cents=given_back.otherwise(pl.col("value_cents")))
    return Typed(merged.select(EVENTS.names), rejected)


def canonical_type(name: pl.Expr) -> pl.Expr:
    """``Order Completed`` -> ``order_completed``."""
    return name.str.to_lowercase().str.replace_all(r"[^a-z0-9]+", "_").str.strip_chars("_")


def _with_meaning(rows: pl.DataFrame, taxonomy: Taxonomy) -> pl.DataFrame:
    meanings = _meanings(rows["event_type"], taxonomy)
    number = rows["event_type"].cast(pl.Enum(meanings["said"])).to_physical()
    known = rows.with_columns(
        meanings[name].gather(number).alias(target) for name, target in MEANT.items()
    )
    for optional in ("channel", "campaign"):
        if optional not in known.columns:
            known = known.with_columns(pl.lit(None, pl.String).alias(optional))
    if "value" not in known.columns:
        known = known.with_columns(value=pl.lit(0, pl.Int64))
    if "discount" not in known.columns:
        known = known.with_columns(discount=pl.lit(0, pl.Int64))
    known = known.with_columns(discount_cents=pl.col("discount").fill_null(0).abs())
    if known["channel"].null_count():
        known = known.with_columns(pl.coalesce("channel", "usual_channel").alias("channel"))
    known = _reject(known, "unknown_event_type", pl.col("role").is_null())
    unpriced = (pl.col("role") == "value") & pl.col("value").is_null()
    return _reject(known, "missing_value", unpriced).with_columns(pl.col("value").fill_null(0))


def _meanings(types: pl.Series, taxonomy: Taxonomy) -> pl.DataFrame:
    """What each name that occurs means: names are few, rows are many."""
    said = types.drop_nulls().unique().sort().to_frame("said")
    plain = ~pl.col("said").str.contains(CONTROL)
    named = said.with_columns(
        canonical=pl.when(plain).then(canonical_type(pl.col("said")).replace(taxonomy.aliases))
    )
    meanings = pl.DataFrame(
        [(name, m.role, m.engagement_type, m.channel) for name, m in taxonomy.events.items()],
        schema=dict.fromkeys(("canonical", "role", "engagement_type", "usual_channel"), pl.String),
        orient="row",
    )
    return named.join(meanings, on="canonical", how="left", maintain_order="left")


def _reject(rows: pl.DataFrame, code: str, broken: pl.Expr) -> pl.DataFrame:
    fresh = rows.select((broken.fill_null(False) & pl.col(REASON).is_null()).alias("x"))["x"]
    if not fresh.any():
        return rows
    return rows.with_columns(
        pl.when(fresh).then(pl.lit(code)).otherwise(pl.col(REASON)).alias(REASON)
    )


def _with_ids(rows: pl.DataFrame, name: str, raw: pl.DataFrame, *, lines: bool) -> pl.DataFrame:
    """Ids and the hashes that identify; a row without an id of its own gets one from its content.

    The body of a line is the whole row, because two lines of an order may differ in anything;
    that of an event is what Keepwell keeps of it, without the time at which it was loaded.
    """
    if "event_id" not in rows.columns:
        rows = rows.with_columns(content_ids(name, raw.drop(ROW)))
    elif rows["event_id"].null_count():
        own = content_ids(name, raw.drop(ROW))
        rows = rows.with_columns(pl.col("event_id").fill_null(own))
    body = hashed(content_ids("", raw.drop(ROW))) if lines else _bodies(rows)
    said = pl.concat_str("customer_id", "event_type", separator="\x1f").alias(WHO)
    who = rows.select(said)[WHO] if lines else None
    return rows.with_columns(
        hashed(rows["event_id"]).alias(ID),
        body.alias(BODY),
        (pl.lit(None, pl.UInt64) if who is None else hashed(who)).alias(WHO),
    )


def _bodies(rows: pl.DataFrame) -> pl.Series:
    """One hash a row: the columns' own, each times an odd number of its own, added up."""
    texts = ("customer_id", "event_type", "channel", "campaign")
    hashes = [hashed(rows[name]).fill_null(0) for name in texts if rows[name].dtype == pl.String]
    numbers = [
        rows[name].cast(pl.Int64).reinterpret(signed=False)
        for name in ("occurred_at", "value", "discount_cents")
    ]
    total = pl.Series(BODY, [0], dtype=pl.UInt64).new_from_index(0, rows.height)
    for factor, column in zip(FACTORS, [*numbers, *hashes], strict=False):
        total = total + column * factor
    return total


def _signed(rows: pl.DataFrame, *, lines: bool) -> pl.DataFrame:
    """Money of service events (refunds, cancellations) is money given back.

    Lines keep their sign until they are added up.
    """
    if lines:
        return rows.with_columns(value_cents=pl.col("value"))
    given_back = pl.when(pl.col("role") == "service").then(-pl.col("value").abs())
    return rows.with_columns(value_cents=given_back.otherwise(pl.col("value")))


def _complete(rows: pl.DataFrame, zone: str) -> pl.DataFrame:
    if "loaded_at" not in rows.columns:
        rows = rows.with_columns(loaded_at=pl.lit(None, pl.Datetime("us", "UTC")))
    local = pl.col("occurred_at").dt.convert_time_zone(zone)
    business_day = local.dt.date()
    day_only = local.dt.time() == time(0)  # what a date without a time becomes
    loaded_day = pl.col("loaded_at").dt.convert_time_zone(zone).dt.date()
    dated = rows.with_columns(on=business_day).with_columns(
        pl.col("loaded_at").cast(pl.Int64).alias(LOADED),
        day=pl.col("on").cast(pl.Int32).cast(pl.Int64),
        visible_day=pl.max_horizontal("on", loaded_day).cast(pl.Int32).cast(pl.Int64),
        hour=pl.when(~day_only).then(local.dt.hour()),
    )
    types = polars_schema(EVENTS)
    return dated.select(*(pl.col(n).cast(t) for n, t in types.items()), *HELPERS)
