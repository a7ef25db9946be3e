"""Step: events -> the daily state, and a feature snapshot with its standing for each date."""

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import polars as pl

from features.consents import objected
from features.definitions import Definitions
from features.errors import DataError
from features.params import ChurnParams, CutoffParams, Cutoffs, StageParams
from features.pauses import ORDER
from features.population import INPUTS, with_population
from features.schemas import CONSENTS, CUSTOMERS, STAGE_LABELS
from features.snapshot import customer_snapshots, names
from features.standing import RULES, StandingRules, with_own_stage, with_standing
from features.time import cutoffs, day_number, refuse_after
from pipelines.buckets import BUCKET, with_bucket
from pipelines.ingest import read_events
from pipelines.origin import sources
from pipelines.progress import followed
from pipelines.state import (
    SPARK_FILES,
    coded,
    collected,
    daily_files,
    history,
    identity,
    ids_of,
    in_order,
    update_bucket,
)
from pipelines.tables import polars_schema, present, read, write_frame, write_text

DATES = "cutoffs.json"
PLAN = "plan.sha256"
CUSTOMERS_OF = "customers-{:04d}.parquet"
POPULATION_OF = "population-{:04d}.parquet"
OwnStage = Callable[[nw.DataFrame], nw.DataFrame]
NO_OWN_STAGES = pl.DataFrame(schema=polars_schema(STAGE_LABELS))


class Span(NamedTuple):
    """First value event, and the last day on which any customer did something."""

    first_value: date
    last_day: date


def build_features(
    tables: Path, daily: Path, out: Path, dates: list[date], definitions: Definitions,
    standing: StandingRules, now: date, own_stages: pl.DataFrame = NO_OWN_STAGES,
) -> None:  # fmt: skip
    """Bring the daily state up to date and write one snapshot a date, ``as_of=YYYY-MM-DD/``.

    Customers who object as of `now` are in none of them. `own_stages` is a table of
    schemas.STAGE_LABELS, empty where the rules alone say the stage. A snapshot that is already
    there, made of the same, is kept: so a run that was killed goes on where it was.
    """
    if any(daily.glob(SPARK_FILES)):  # this engine keeps another state
        shutil.rmtree(daily)
    spine = _spine(tables, now)
    folders = sorted((tables / "events").glob("bucket-????"))
    placed = with_bucket(spine, len(folders))
    for _, events in followed(folders, "daily state"):
        update_bucket(events, daily / events.name, definitions.dimensions)
    states = [daily / folder.name for folder in folders]
    _start(out, _plan(states, spine, dates, definitions, standing, own_stages))
    for number, state in followed(states, "features"):
        members = placed.lazy().filter(pl.col(BUCKET) == number).drop(BUCKET)
        _write_customers(state, members, out, number, dates, definitions)
    for _, day in followed(dates, "ranks and stages"):
        own = _own_stage(own_stages, day)
        _write_population(snapshot_path(out, day), len(states), definitions, standing, own)


def read_own_stages(tables: Path, params: StageParams) -> pl.DataFrame:
    """The company's own stage labels; empty where the rules alone say the stage.

    Raises
    ------
    DataError
        If they are asked for and there are none.
    """
    labels = read(tables / "stage_labels.parquet", STAGE_LABELS)
    if params.label_source == RULES:
        return labels.clear()
    if not labels.height:
        raise DataError(
            "params.yaml, stages.label_source: own, but there is no stage label. Got 0 rows. "
            "Expected a source of table stage_labels in catalogue/sources.yaml. Add one, or set it "
            "to rules."
        )
    return labels


def write_cutoffs(out: Path, dates: Cutoffs) -> None:
    """Record which snapshots are for training, testing and now."""
    write_text(dates.model_dump_json(indent=2) + "\n", out / DATES)


def read_cutoffs(features: Path) -> Cutoffs:
    """The cutoffs that a features folder was made for."""
    return Cutoffs.model_validate(json.loads(present(features / DATES, "features").read_text()))


def snapshot_path(features: Path, day: date) -> Path:
    """The folder of one as-of date."""
    return features / f"as_of={day.isoformat()}"


def read_snapshot(features: Path, day: date) -> pl.DataFrame:
    """Features and standing as of a day, sorted by customer."""
    return scan_snapshot(features, day).sort("customer_id").collect()


def scan_snapshot(features: Path, day: date) -> pl.LazyFrame:
    """Features and standing as of a day, lazily."""
    return pl.concat(snapshot_parts(features, day))


def snapshot_parts(features: Path, day: date) -> list[pl.LazyFrame]:
    """Features and standing as of a day, each bucket of customers lazily."""
    folder = present(snapshot_path(features, day), f"features as of {day}")
    if written := sorted(folder.glob(SPARK_FILES)):
        return [pl.scan_parquet(written)]
    count = len(list(folder.glob("population-*.parquet")))
    return [
        pl.concat([_part(folder, name, k) for name in (CUSTOMERS_OF, POPULATION_OF)],
                  how="horizontal")
        for k in range(count)
    ]  # fmt: skip


def read_daily(daily: Path) -> pl.LazyFrame:
    """The whole daily table, lazily."""
    return pl.scan_parquet(daily_files(daily))


def plan(
    tables: Path, as_of: date, churn: ChurnParams, past: CutoffParams, max_staleness_days: int
) -> Cutoffs:
    """The cutoffs of a run.

    Raises
    ------
    DataError
        If `as_of` lies too far after the end of the data, or there is no value event before it.
    """
    span = data_span(tables, as_of)
    refuse_after(as_of, last_day=span.last_day, slack_days=max_staleness_days)
    return cutoffs(as_of, span.first_value, span.last_day + timedelta(days=1), churn, past)


def data_span(tables: Path, as_of: date) -> Span:
    """First value event known before `as_of`, and last day of the customers' own activity.

    Exposures are left out: they are what the company does.

    Raises
    ------
    DataError
        If there is no value event.
    """
    own = read_events(tables).filter(pl.col("role") != "exposure")
    known_value = (pl.col("role") == "value") & (pl.col("visible_day") < day_number(as_of))
    value = pl.col("on").filter(known_value)
    ends = own.select(value.min().alias("first"), pl.col("on").max())
    first, last = ends.collect(engine="streaming").row(0)
    if first is None:
        raise DataError(
            f"events: no value event before {as_of}. Expected at least one event whose type has "
            f"the role `value`. Give a later --as-of, or map a type in catalogue/taxonomy.yaml."
        )
    return Span(first, last)


def _spine(tables: Path, now: date) -> pl.DataFrame:
    customers = read(tables / "customers.parquet", CUSTOMERS)
    consents = nw.from_native(read(tables / "consents.parquet", CONSENTS).lazy())
    events = nw.from_native(read_events(tables))
    gone = objected(consents, events, now).collect().to_native()
    kept = customers.join(gone, on="customer_id", how="anti")
    days = pl.col("known_since").cast(pl.Int32).cast(pl.Int64)
    return kept.select("customer_id", known_day=days).sort("customer_id")


def _plan(
    states: list[Path], spine: pl.DataFrame, dates: list[date], definitions: Definitions,
    standing: StandingRules, own_stages: pl.DataFrame,
) -> str:  # fmt: skip
    """What the snapshots are made of, as a hash."""
    digest = hashlib.sha256(spine.hash_rows().to_numpy().tobytes())
    digest.update(own_stages.write_csv().encode())
    params, dimensions, custom = definitions
    made_of = [
        repr(dates), params.model_dump_json(), repr(dimensions), custom.source if custom else "",
        standing.model_dump_json(), *map(identity, states),
        *sources(["features"]),
    ]  # fmt: skip
    for text in made_of:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()


def _start(out: Path, plan_hash: str) -> None:
    """Keep what an earlier run made of the same; clear away anything else."""
    file = out / PLAN
    if not file.is_file() or file.read_text() != plan_hash:
        shutil.rmtree(out, ignore_errors=True)
        write_text(plan_hash, file)
    for unfinished in out.glob("as_of=*/.*.parquet.*"):  # by a run that was killed
        unfinished.unlink()


def _write_customers(
    state: Path, members: pl.LazyFrame, out: Path, number: int, dates: list[date],
    definitions: Definitions,
) -> None:  # fmt: skip
    files = {day: snapshot_path(out, day) / CUSTOMERS_OF.format(number) for day in dates}
    missing = [day for day in dates if not files[day].exists()]
    if not missing:
        return
    history_days = definitions.params.history_days
    daily, past = history(state, min(missing), history_days, definitions.dimensions)
    ids = ids_of(members, daily, *([] if past is None else [past]))
    rows = customer_snapshots(
        nw.from_native(in_order(collected(nw.from_native(coded(daily, ids))), *ORDER)),
        nw.from_native(coded(members, ids)), missing, definitions, materialise=_materialised,
        past=None if past is None else nw.from_native(coded(past, ids)),
    )  # fmt: skip
    for day, snapshot in rows:
        # joins in memory keep the order of the customers, so that there is nothing to sort
        whole = snapshot.collect().to_native().sort("customer_id")
        write_frame(whole.with_columns(pl.col("customer_id").cast(pl.String)), files[day])
        del snapshot, whole  # what they hold would stay while the next date is made


def _materialised(rows: nw.LazyFrame) -> nw.LazyFrame:
    return nw.from_native(collected(rows).lazy())


def _own_stage(labels: pl.DataFrame, day: date) -> OwnStage:
    """How the company's own labels replace the rules' stage of a day."""
    known = nw.from_native(labels, eager_only=True)

    def replaced(placed: nw.DataFrame) -> nw.DataFrame:
        told = with_own_stage(placed.with_row_index("place"), known, day)
        return told.sort("place").drop("place")

    return replaced


def _write_population(
    folder: Path,
    count: int,
    definitions: Definitions,
    standing: StandingRules,
    own_stage: OwnStage,
) -> None:
    """Compare every customer with all others, on the few columns that this needs."""
    customers = [folder / CUSTOMERS_OF.format(k) for k in range(count)]
    inputs = [pl.read_parquet(file, columns=["customer_id", *INPUTS]) for file in customers]
    everybody = nw.from_native(pl.concat(inputs), eager_only=True)
    ranked = with_population(everybody, definitions.params).to_native().drop("customer_id", *INPUTS)
    own = set(names(definitions))
    needed = sorted({c.feature for _, c in standing.conditions} & own)
    start = 0
    for k, (file, part) in enumerate(zip(customers, inputs, strict=True)):
        ranks = ranked.slice(start, part.height)
        start += part.height
        rows = pl.concat(
            [part.select("customer_id"), pl.read_parquet(file, columns=needed), ranks],
            how="horizontal",
        )
        by_rules = with_standing(nw.from_native(rows, eager_only=True), standing)
        placed = own_stage(by_rules).to_native()
        write_frame(placed.drop("customer_id", *needed), folder / POPULATION_OF.format(k))


def _part(folder: Path, name: str, number: int) -> pl.LazyFrame:
    return pl.scan_parquet(present(folder / name.format(number), "features"))
