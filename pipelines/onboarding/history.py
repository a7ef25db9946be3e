"""What the proposed sources hold: span, customers, event types and days of value."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from features.errors import DataError
from features.taxonomy import Taxonomy
from pipelines.intake.delimited import ROW
from pipelines.intake.events import canonical_type
from pipelines.intake.rows import normalise
from pipelines.intake.sources import Business
from pipelines.onboarding.drafts import Draft

MOST_ROWS = 5_000_000
FAR_DAYS = 30


class History(NamedTuple):
    """Figures of the event files, read with the proposed mapping.

    Attributes
    ----------
    rows, read : int
        Rows of the files, and those with a customer, a time and a type that could be read.
    customers : int
    first_day, last_day : date
        Business days of the first and last event.
    stray : int
        Rows after `last_day`: far behind all others, so their dates are taken to be wrong.
    types : dict
        Own name of an event type, in snake case -> rows.
    spelled : dict
        The same names -> as the file spells them.
    days : table
        ``customer_id``, ``day``, ``type``: each once.
    """

    rows: int
    read: int
    customers: int
    first_day: date
    last_day: date
    stray: int
    types: dict[str, int]
    spelled: dict[str, str]
    days: pl.DataFrame


def read_history(drafts: Sequence[Draft], zone: str) -> History:
    """Read the columns that matter of all event files; of very long ones, a share of the customers.

    Raises
    ------
    DataError
        If no row can be read.
    """
    events = [draft for draft in drafts if draft.source.table == "events"]
    total = sum(draft.shown.sample.height for draft in events)
    share = -(-total // MOST_ROWS)
    rows = pl.concat([_rows(draft, zone, share) for draft in events])
    if rows.is_empty():
        raise DataError(
            f"--events: no row has a customer and a time that can be read. Got {total:,} rows. "
            f"Name the columns: --column customer_id=NAME --column occurred_at=NAME."
        )
    last = _last_day(rows["on"])
    kept = rows.filter(pl.col("on") <= last)
    day = pl.col("on").cast(pl.Int32).cast(pl.Int64).alias("day")
    types = kept.group_by("type").agg(pl.len(), pl.col("spelled").min())
    types = types.sort("len", "type", descending=[True, False])
    return History(
        rows=total,
        read=rows.height,
        customers=kept["customer_id"].n_unique(),
        first_day=kept["on"].min(),  # pyright: ignore[reportArgumentType]
        last_day=last,
        stray=rows.height - kept.height,
        types=dict(zip(types["type"], types["len"], strict=True)),
        spelled=dict(zip(types["type"], types["spelled"], strict=True)),
        days=kept.select("customer_id", day, "type").unique(),
    )


def value_days(history: History, taxonomy: Taxonomy) -> pl.DataFrame:
    """``customer_id`` and ``day`` of each day with a value event, sorted."""
    value = [name for name in history.types if role_of(name, taxonomy) == "value"]
    days = history.days.filter(pl.col("type").is_in(value)).select("customer_id", "day")
    return days.unique().sort("customer_id", "day")


def role_of(name: str, taxonomy: Taxonomy) -> str | None:
    """The role of an event type by its own or another name; None if the taxonomy has neither."""
    meaning = taxonomy.events.get(taxonomy.aliases.get(name, name))
    return meaning.role if meaning else None


def _rows(draft: Draft, zone: str, share: int) -> pl.DataFrame:
    source = draft.source
    targets = {t: source.columns[t] for t in ("customer_id", "occurred_at", "event_type")}
    narrow = source.model_copy(update={"columns": targets, "lines_of_order": False})
    frame = draft.shown.sample.opened()
    who = pl.col(targets["customer_id"].column or "")
    if share > 1:
        frame = frame.filter(who.cast(pl.String).hash() % share == 0)
    business = Business(name=draft.name, timezone=zone, currency="XXX")  # no amount is read
    raw = frame.select(narrow.reads).with_row_index(ROW, offset=1).collect()
    rows = normalise(raw, draft.name, narrow, business).filter(pl.col("reason").is_null())
    on = pl.col("occurred_at").dt.convert_time_zone(zone).dt.date().alias("on")
    spelled = pl.col("event_type").alias("spelled")
    return rows.select(
        "customer_id", on, canonical_type(pl.col("event_type")).alias("type"), spelled
    )


def _last_day(days: pl.Series) -> date:
    """The last day that is not far behind all but one in a thousand rows."""
    last: date = days.max()  # pyright: ignore[reportAssignmentType]
    usual: date = days.cast(pl.Int32).quantile(0.999, "higher")  # pyright: ignore
    usual_day = date(1970, 1, 1) + timedelta(days=int(usual))  # pyright: ignore
    return last if last - usual_day <= timedelta(days=FAR_DAYS) else usual_day
