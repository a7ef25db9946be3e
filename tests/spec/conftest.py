"""A marketer's table of events -> where each customer stands, through the shipped catalogue.

A table has the columns ``customer``, ``event`` and ``days ago`` (one number, or several with
commas: the event happened on each of these days) and, if a test needs them, ``value``, ``channel``,
``discount`` and ``hour``. The day before the as-of date is 1 day ago.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest

from features.standing import with_because, with_standing
from features.taxonomy import Taxonomy
from features.time import day_number
from pipelines.config import read_catalogue, read_params

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 11, 1)
EVENT = {
    "customer_id": pl.String,
    "on": pl.Date,
    "day": pl.Int64,
    "visible_day": pl.Int64,
    "role": pl.String,
    "engagement_type": pl.String,
    "channel": pl.String,
    "value_cents": pl.Int64,
    "discount_cents": pl.Int64,
    "hour": pl.Int64,
}


def cells(table: str) -> list[dict[str, str]]:
    head, *lines = ([c.strip() for c in line.split("|")] for line in table.strip().splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def happened(row: dict[str, str], taxonomy: Taxonomy) -> Iterator[tuple]:
    if not row["event"]:
        return
    meaning = taxonomy.events[row["event"]]
    channel = row.get("channel") or meaning.channel
    cents, discount = (round(float(row.get(name) or 0) * 100) for name in ("value", "discount"))
    hour = int(row["hour"]) if row.get("hour") else None
    for days_ago in map(int, row["days ago"].split(",")):
        on = AS_OF - timedelta(days=days_ago)
        day = day_number(on)
        kind = (meaning.role, meaning.engagement_type, channel, cents, discount, hour)
        yield (row["customer"], on, day, day, *kind)


def spine(events: pl.DataFrame, listed: dict[str, int]) -> pl.DataFrame:
    """Known since the list says so or since their first event, whichever is earlier."""
    days = {c: day_number(AS_OF) - ago for c, ago in listed.items()}
    named = pl.DataFrame(
        {"customer_id": list(days), "known_day": list(days.values())},
        schema={"customer_id": pl.String, "known_day": pl.Int64},
    )
    both = pl.concat([named, events.select("customer_id", known_day="day")])
    return both.group_by("customer_id").agg(pl.col("known_day").min())


@pytest.fixture(scope="session")
def catalogue():
    return read_catalogue(ROOT / "catalogue")


@pytest.fixture(scope="session")
def definitions(catalogue):
    return catalogue.definitions(read_params(ROOT / "params.yaml").features)


@pytest.fixture(scope="session")
def customers(catalogue, definitions, snapshots_of):
    """Build feature rows with standing; `listed` says since how many days a customer is known."""

    def of(table: str, **listed: int) -> dict[str, dict]:
        made = [e for row in cells(table) for e in happened(row, catalogue.taxonomy)]
        events = pl.DataFrame(made, schema=EVENT, orient="row")
        made = snapshots_of(events, spine(events, listed), [AS_OF], definitions)[AS_OF]
        rules = catalogue.standing
        placed = with_because(with_standing(nw.from_native(made, eager_only=True), rules), rules)
        return {row["customer_id"]: row for row in placed.rows(named=True)}

    return of


@pytest.fixture(scope="session")
def stages(customers):
    """Build the stage of each customer of a table."""
    return lambda table, **listed: {c: r["stage"] for c, r in customers(table, **listed).items()}


@pytest.fixture(scope="session")
def levels(customers):
    """Build the level of each customer of a table."""
    return lambda table, **listed: {c: r["level"] for c, r in customers(table, **listed).items()}


@pytest.fixture(scope="session")
def activities(customers):
    """Build the activity of each customer of a table, each a population of their own.

    So a customer's usual pause is the median of their own pauses, whoever else is in the table.
    """

    def of(table: str, **listed: int) -> dict[str, str]:
        head, *lines = table.strip().splitlines()
        names = dict.fromkeys([row["customer"] for row in cells(table)])
        placed = {}
        for name in names:
            own = [line for line in lines if line.split("|")[0].strip() == name]
            known = {c: ago for c, ago in listed.items() if c == name}
            placed |= customers("\n".join([head, *own]), **known)
        return {name: row["activity"] for name, row in placed.items()}

    return of
