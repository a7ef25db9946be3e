"""Ids, lines and signs: what repeated ids mean, and which rows take money back."""

from typing import Literal

import polars as pl

from pipelines.intake.sources import Origin, Override
from pipelines.onboarding.formats import SYMBOL
from pipelines.onboarding.recognition import Profiled

REFUND = "order_refunded"
IdKind = Literal["unique", "lines", "neither"]
FEW, MOST, NEARLY_ALL = 0.001, 0.95, 0.9


def kind_of_ids(head: pl.DataFrame, event_id: str, customer: str, time: str) -> tuple[IdKind, str]:
    """Whether an id names a row, or an order of several rows, or neither; and why."""
    distinct = head.filter(pl.col(event_id).is_not_null()).unique()
    repeated = distinct.filter(pl.col(event_id).is_duplicated())
    if repeated.height <= FEW * head.height:
        return "unique", "one row each"
    groups = repeated.group_by(event_id).agg(pl.col(customer).n_unique().alias("customers"))
    agree = float((groups["customers"] == 1).sum()) / groups.height
    if agree >= MOST:
        rows = distinct.height / distinct[event_id].n_unique()
        return "lines", f"rows that share it are lines of one order ({rows:.1f} each)"
    return "neither", "repeats for different customers, so it is no id of an event"


def cancelled_prefix(shown: Profiled, origins: dict[str, Origin]) -> tuple[Override, str] | None:
    """The letters before the numbers of orders whose amounts are nearly all negative."""
    identifier = origins.get("event_id")
    if identifier is None or identifier.column is None:
        return None
    letters = pl.col(identifier.column).cast(pl.String).str.extract(r"^([A-Za-z]+)[0-9]", 1)
    groups = (
        shown.sample.spread.select(
            letters.alias("letters"), _amount(shown, origins).alias("amount")
        )
        .drop_nulls()
        .group_by("letters")
        .agg(negative=(pl.col("amount") < 0).mean(), n=pl.len())
        .filter(pl.col("negative") > NEARLY_ALL)
        .sort("n", "letters", descending=[True, False])
    )
    if not groups.height:
        return None
    found, share = groups["letters"][0], groups["negative"][0]
    override = Override(column=identifier.column, starts_with=found, then=REFUND)
    return override, f"{share:.0%} of their amounts are negative"


def negative_rule(
    shown: Profiled, origins: dict[str, Origin], *, lines: bool
) -> tuple[Override, str] | None:
    """Rows with a minus as refunds, unless most of them are lines of an order that is positive."""
    column = origins["value"].reads[0]
    rows = shown.sample.head if lines else shown.sample.spread
    amounts = rows.select(_amount(shown, origins).alias("amount"), *_key(origins, lines=lines))
    negative = amounts.filter(pl.col("amount") < 0)
    if not negative.height or not _minus_first(shown, column):
        return None
    if lines:
        whole = amounts.group_by("key").agg(
            below=(pl.col("amount") < 0).all(), any=(pl.col("amount") < 0).any()
        )
        if whole["below"].sum() * 2 < whole["any"].sum():
            return None
    override = Override(column=column, starts_with="-", then=REFUND)
    return override, f"{negative.height / rows.height:.1%} of rows are negative: given back"


def repeated_total(shown: Profiled, origins: dict[str, Origin], column: str) -> bool:
    """Whether an amount stands on each line of an order again: always the same within an order."""
    identifier = origins.get("event_id")
    if identifier is None or identifier.column is None:
        return False
    groups = (
        shown.sample.head.group_by(identifier.column)
        .agg(n=pl.len(), differ=pl.col(column).n_unique())
        .filter(pl.col("n") > 1)
    )
    return groups.height > 1 and float((groups["differ"] == 1).sum()) / groups.height >= MOST


def _key(origins: dict[str, Origin], *, lines: bool) -> list[pl.Expr]:
    return [pl.col(origins["event_id"].column or "").alias("key")] if lines else []


def _amount(shown: Profiled, origins: dict[str, Origin]) -> pl.Expr:
    """The signed column: of a product the quantity."""
    name = origins["value"].reads[0]
    form = shown.profiles[name].number
    text = pl.col(name).cast(pl.String).str.strip_chars().str.replace_all(SYMBOL, "")
    if form and form.decimal == ",":
        text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return text.cast(pl.Float64, strict=False)


def _minus_first(shown: Profiled, column: str) -> bool:
    """Whether a minus is the first sign of the text, as the rule needs it."""
    text = shown.sample.spread[column].cast(pl.String).drop_nulls()
    return bool(text.str.starts_with("-").any())
