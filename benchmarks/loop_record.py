"""What a simulated company's job knows of it, in memory: for the closed loop."""

from datetime import date
from itertools import pairwise
from typing import NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from actions.funnel import ContactRecord
from features.consents import objected, permissions, refusals
from features.daily import daily_table
from features.definitions import Definitions, all_features
from features.labels import label_table
from features.schemas import EVENTS
from features.snapshot import customer_snapshots, snapshot
from features.standing import with_because, with_standing
from features.time import day_number, visible
from models.churn import churn_columns
from models.fitting import Task, fit_churn
from models.scoring import Champion, Champions, score
from pipelines import worth
from pipelines.config import Catalogue, Params
from pipelines.examples import buyers_of, churn_examples
from pipelines.intake.events import canonical_type
from pipelines.recommend import joined
from pipelines.tables import polars_schema
from simulation.happenings import CHANNELS
from simulation.people import consents_now, customer_ids
from simulation.people import customer_rows as signed_up
from simulation.state import World

_CUTOFFS = 4  # past as-of dates, one horizon apart, the latest one for calibration


class Setting(NamedTuple):
    """What does not change over the cycles."""

    catalogue: Catalogue
    params: Params

    @property
    def definitions(self) -> Definitions:
        """What the features are made of."""
        return self.catalogue.definitions(self.params.features)


class Ledger(NamedTuple):
    """All that the job was told so far.

    Attributes
    ----------
    daily : table of features.daily.daily_table
    marks : events of schemas.EVENTS that are not in the daily table as such: exposures, opt-outs
        and what begins a quiet period
    """

    daily: pl.DataFrame
    marks: pl.DataFrame


def empty_ledger() -> Ledger:
    """Nothing was told yet."""
    return Ledger(pl.DataFrame(), pl.DataFrame())


def told(ledger: Ledger, happenings: pl.DataFrame, world: World, setting: Setting) -> Ledger:
    """The ledger with what happened on the days since."""
    events = event_table(happenings, world, setting)
    daily = daily_table(nw.from_native(events.lazy()), setting.definitions.dimensions)
    quiet = setting.catalogue.actions.quiet_period
    kept = pl.col("role").is_in(["exposure", "opt_out"])
    kept |= pl.col("event_type").is_in(quiet.events if quiet else [])
    return Ledger(
        pl.concat([*_some(ledger.daily), daily.collect().to_native()]),
        pl.concat([*_some(ledger.marks), events.filter(kept)]),
    )


def event_table(happenings: pl.DataFrame, world: World, setting: Setting) -> pl.DataFrame:
    """Events as ingest would make them, all loaded at once; ids are left empty."""
    ids = customer_ids(world.traits.kind.size)
    meanings = pl.DataFrame(
        [
            (name, m.role, m.engagement_type)
            for name, m in setting.catalogue.taxonomy.events.items()
        ],
        schema=dict.fromkeys(("event_type", "role", "engagement_type"), pl.String),
        orient="row",
    )
    start = int(np.datetime64(world.season.start).astype(int))
    typed = canonical_type(pl.col("event").cast(pl.String))
    rows = happenings.with_columns(
        event_type=typed.replace(setting.catalogue.taxonomy.aliases),
        day=start + pl.col("at") // 86_400,
        occurred_at=((start * 86_400 + pl.col("at")) * 1_000_000).cast(pl.Datetime("us", "UTC")),
    ).join(meanings, on="event_type", how="left")
    return (
        rows.with_columns(
            pl.lit("").alias("event_id"),
            ids.gather(rows["who"]).alias("customer_id"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("loaded_at"),
            pl.col("day").cast(pl.Int32).cast(pl.Date).alias("on"),
            pl.col("day").alias("visible_day"),
            pl.Series(CHANNELS).gather(rows["channel"]).alias("channel"),
            pl.col("cents").fill_null(0).alias("value_cents"),
            pl.lit(0).alias("discount_cents"),
            (pl.col("at") // 3600 % 24).alias("hour"),
        )
        .select(EVENTS.names)
        .cast(polars_schema(EVENTS))
    )


def features_of(ledger: Ledger, world: World, as_of: date, setting: Setting) -> pl.DataFrame:
    """Features and standing of everybody known, without those who object."""
    people = signed_up(world).select(
        "customer_id", known_since=pl.col("signed_up_on").str.to_date("%Y-%m-%d")
    )
    gone = objected(_consents(world), nw.from_native(ledger.marks.lazy()), as_of)
    spine = people.join(gone.collect().to_native(), on="customer_id", how="anti")
    spine = spine.with_columns(known_day=pl.col("known_since").cast(pl.Int32).cast(pl.Int64))
    ((_, rows),) = customer_snapshots(
        nw.from_native(ledger.daily.lazy()), nw.from_native(spine.lazy()), [as_of],
        setting.definitions, materialise=lambda table: table.collect().lazy(),
    )  # fmt: skip
    whole = snapshot(rows.collect(), setting.definitions)
    placed = with_standing(whole, setting.catalogue.standing)
    return with_because(placed, setting.catalogue.standing).to_native()


def contact_record(ledger: Ledger, world: World, as_of: date, setting: Setting) -> ContactRecord:
    """What customers allowed, refused, were sent and complained about."""
    consents, marks = _consents(world), nw.from_native(ledger.marks.lazy())
    quiet = setting.catalogue.actions.quiet_period
    exposed = ledger.marks.filter(pl.col("role") == "exposure")
    begins = pl.col("event_type").is_in(quiet.events if quiet else [])
    return ContactRecord(
        permitted=permissions(consents, marks, as_of).collect().to_native(),
        refused=refusals(consents, marks, as_of).collect().to_native(),
        # The log names an action where it was one: what else was shown has a campaign's name.
        contacts=exposed.select(
            "customer_id", "channel", pl.col("campaign").alias("action_id"), "day"
        ),
        complaints=ledger.marks.filter(begins).select("customer_id", "day"),
    )


def with_labels(
    earlier: pl.DataFrame, later: pl.DataFrame, ledger: Ledger, setting: Setting
) -> pl.DataFrame:
    """A snapshot joined to what happened until the next one, a horizon later."""
    # Who objected in between is in no snapshot that the job would make now.
    earlier = earlier.join(later, on="customer_id", how="semi", maintain_order="left")
    as_of: date = earlier["as_of"][0]
    end = as_of + setting.params.churn.reach
    days = visible(nw.from_native(ledger.daily.lazy()), end)
    labels = label_table(
        nw.from_native(earlier), nw.from_native(later), days, as_of, setting.params.churn
    )
    return earlier.join(labels.to_native(), on=["customer_id", "as_of"], maintain_order="left")


def outcomes(ledger: Ledger, decisions: pl.DataFrame) -> pl.DataFrame:
    """Value events and money of each customer in the window of each run of decisions."""
    runs = decisions.select("as_of", "horizon_days").unique().sort("as_of").iter_rows()
    return pl.concat([_in_window(ledger.daily, as_of, days) for as_of, days in runs])


def fitted_champions(ledger: Ledger, world: World, now: date, setting: Setting) -> Champions:
    """The job's models of churn and value, fitted on the latest complete cutoffs."""
    churn, train = setting.params.churn, setting.params.train
    days = [now - churn.reach * k for k in range(_CUTOFFS, -1, -1)]
    snapshots = [features_of(ledger, world, day, setting) for day in days]
    rows = pl.concat([with_labels(*pair, ledger, setting) for pair in pairwise(snapshots)])
    names = [feature.name for feature in all_features(setting.definitions)]
    own = churn_columns(churn_examples(rows, names).x)
    buyers = buyers_of(rows) | buyers_of(snapshots[-1])
    seed, latest = setting.params.run.seed, snapshots[-1]
    model = fit_churn(Task(churn_examples(rows, own), buyers, churn, train, seed))
    value = worth.fit(rows, latest, names, churn, setting.params.value, seed)
    assert value is not None
    return Champions(Champion(model, "churn"), value=Champion(value, "value"))


def scored(
    now: pl.DataFrame, before: pl.DataFrame, champions: Champions, setting: Setting
) -> pl.DataFrame:
    """Features joined to scores, sorted by customer; nobody asks for reasons here."""
    params = setting.params
    scores = score(now, before, champions, [], params.churn, params.recommend.margin_rate)
    return joined(scores, now).sort("customer_id")


def _in_window(daily: pl.DataFrame, as_of: date, days: int) -> pl.DataFrame:
    begin = day_number(as_of)
    inside = daily.filter(pl.col("day") >= begin, pl.col("day") < begin + days)
    return inside.group_by("customer_id").agg(
        as_of=pl.lit(as_of),
        value_events=pl.sum_horizontal(pl.col("^kind_value_.*$").sum()),
        value_cents=pl.col("cents").sum(),
    )


def _consents(world: World) -> nw.LazyFrame:
    rows = consents_now(world).with_columns(
        pl.col("since", "until").replace("", None).str.to_date("%Y-%m-%d")
    )
    return nw.from_native(rows.lazy())


def _some(rows: pl.DataFrame) -> list[pl.DataFrame]:
    return [rows] if rows.width else []
