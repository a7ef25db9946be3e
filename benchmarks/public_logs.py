"""Public data sets as event logs, with features at the cutoffs of the quality protocol.

Each customer's day is one value event. Features are what the job makes of such a log with the
repository's own configuration; a data set brings nothing but its events and its dates.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from features.schemas import CONSENTS, CUSTOMERS, EVENTS, STAGE_LABELS
from pipelines.config import read_catalogue, read_params
from pipelines.features import build_features, read_snapshot
from pipelines.tables import polars_schema, write

ROOT = Path(__file__).resolve().parent.parent
HORIZON_DAYS = 90


class Log(NamedTuple):
    """A data set's dates: the test, and how many training cutoffs lie before it, how far apart.

    `fixed` names the training cutoffs instead.
    """

    name: str
    test: date
    cutoffs: int
    step_days: int
    fixed: tuple[date, ...] = ()

    @property
    def train(self) -> list[date]:
        """Training cutoffs, oldest first; the latest label window ends at the test."""
        if self.fixed:
            return list(self.fixed)
        latest = self.test - timedelta(days=HORIZON_DAYS)
        return [latest - timedelta(days=k * self.step_days) for k in reversed(range(self.cutoffs))]


LOGS = (
    Log("or2_uk", date(2011, 9, 10), 15, 30),
    Log("cdnow", date(1998, 4, 1), 10, 30),
    Log("stats_se", date(2014, 6, 15), 17, 60),
)


def earlier(log: Log, steps: int) -> Log:
    """The log with one of its training cutoffs as the test."""
    if not steps:
        return log
    test = log.train[-steps]
    known = [day for day in log.train if day + timedelta(days=HORIZON_DAYS) <= test]
    return log._replace(test=test, cutoffs=len(known), fixed=tuple(known))


def customer_days(name: str, data: Path) -> pl.DataFrame:
    """``customer_id``, ``on`` and ``cents`` of each customer's day, sorted."""
    if name == "or2_uk":
        rows = pl.scan_parquet(data / "online_retail_ii_uk" / "transactions.parquet").select(
            pl.col("cid").cast(pl.String).alias("customer_id"),
            pl.col("ts").dt.date().alias("on"),
            money=pl.col("qty") * pl.col("price"),
        )
    elif name == "cdnow":
        rows = pl.scan_parquet(data / "cdnow" / "master.parquet").select(
            "customer_id", pl.col("date").dt.date().alias("on"), money="dollar_value"
        )
    else:
        posts = pl.scan_parquet(data / "stats_stackexchange" / "posts.parquet")
        rows = posts.filter(pl.col("OwnerUserId") > 0).select(
            pl.col("OwnerUserId").cast(pl.String).alias("customer_id"),
            pl.col("CreationDate").dt.date().alias("on"),
            money=pl.lit(0.0),
        )
    cents = (pl.col("money").sum() * 100).round().cast(pl.Int64)
    days = rows.group_by("customer_id", "on").agg(cents=cents)
    return days.sort("customer_id", "on").collect()


def write_tables(days: pl.DataFrame, tables: Path) -> None:
    """The log as the job keeps it: one bucket of value events, customers, no consents."""
    number = pl.col("on").cast(pl.Int32).cast(pl.Int64)
    events = days.select(
        event_id=pl.format("{}-{}", "customer_id", "on"),
        customer_id="customer_id",
        occurred_at=pl.col("on").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        loaded_at=pl.lit(None, pl.Datetime("us", "UTC")),
        on="on",
        day=number,
        visible_day=number,
        event_type=pl.lit("order"),
        role=pl.lit("value"),
        engagement_type=pl.lit("transactional"),
        channel=pl.lit(None, pl.String),
        value_cents="cents",
        campaign=pl.lit(None, pl.String),
        hour=pl.lit(None, pl.Int64),
        discount_cents=pl.lit(0, pl.Int64),
    )
    bucket = tables / "events" / "bucket-0000"
    bucket.mkdir(parents=True)
    events.cast(polars_schema(EVENTS)).write_parquet(bucket / "log.parquet")
    known = days.group_by("customer_id").agg(known_since=pl.col("on").min()).sort("customer_id")
    write(known.cast(polars_schema(CUSTOMERS)), tables / "customers.parquet", CUSTOMERS)
    write(pl.DataFrame(schema=polars_schema(CONSENTS)), tables / "consents.parquet", CONSENTS)


def snapshots(log: Log, data: Path, folder: Path) -> pl.DataFrame:
    """Features of all cutoffs and the test, with ``churned``, in time order; kept in `folder`."""
    days = customer_days(log.name, data)
    dates = [*log.train, log.test]
    if not (folder / "tables").exists():
        write_tables(days, folder / "tables")
    catalogue = read_catalogue(ROOT / "catalogue")
    definitions = catalogue.definitions(read_params(ROOT / "params.yaml").features)
    build_features(
        folder / "tables", folder / "daily", folder / "features", dates, definitions,
        catalogue.standing, log.test, pl.DataFrame(schema=polars_schema(STAGE_LABELS)),
    )  # fmt: skip
    return pl.concat(_labelled(folder, days, day) for day in dates)


def _labelled(folder: Path, days: pl.DataFrame, as_of: date) -> pl.DataFrame:
    end = as_of + timedelta(days=HORIZON_DAYS)
    came = days.filter(pl.col("on").is_between(as_of, end, closed="left"))
    churned = ~pl.col("customer_id").is_in(came["customer_id"].unique().implode())
    return read_snapshot(folder / "features", as_of).with_columns(churned=churned)
