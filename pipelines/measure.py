"""Step: past decisions and what followed -> what the actions changed, and what to believe now."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from actions.catalogue import ActionCatalogue
from actions.gains import with_gains
from actions.learning import LearnedEffects, learned_effects, learned_text
from actions.ledger import ledger
from actions.measurement import balance, matured, measure
from actions.params import MeasureParams
from actions.posterior import effects_table
from features.schemas import DECISIONS, EFFECTS, LEDGER, MEASURED, SCORES, SENDS
from features.time import day_number
from pipelines.features import read_cutoffs
from pipelines.ingest import read_events
from pipelines.tables import polars_schema, present, read, write, write_frame, write_text

LEARNED = "learned.json"
PROVENANCE = ("decision_id", "run_id", "data_hash", "model_version", "catalogue_hash")
EXPECTED = ("customer_id", "as_of", "expected_value_cents")


class Measured(NamedTuple):
    """What a measurement found.

    Attributes
    ----------
    results : table of schemas.MEASURED
    ledger : table of schemas.LEDGER
    balance : see actions.measurement.balance
    runs, waiting : number of runs whose windows are complete, and of those that are not yet
    next_on : first date on which another window is complete
    """

    results: pl.DataFrame
    ledger: pl.DataFrame
    balance: pl.DataFrame
    runs: int
    waiting: int
    next_on: date | None


def measure_effects(
    tables: Path, features: Path, scores: Path, effects: Path, out: Path, *, outbox: Path,
    catalogue: ActionCatalogue, params: MeasureParams, kept_value_days: int,
) -> Measured:  # fmt: skip
    """Compare the arms of every published run whose window is complete, and update the beliefs.

    Parameters
    ----------
    tables, features : Path
        Of the run that measures; its as-of date is the first day that is not seen.
    scores : Path
        What is expected of customers now; of the past the log says it.
    effects : Path
        Beliefs to write, which the next decisions read.
    out : Path
        Folder of the results.
    outbox : Path
        The log of decisions: what was published stays as it was.
    catalogue : ActionCatalogue
    params : MeasureParams
    kept_value_days : int
        Days after a window for which what is expected then counts.
    """
    now = read_cutoffs(features).now
    log = scan_log(outbox, now)
    runs = runs_of(log)
    waiting = runs.filter(pl.col("window_end") > now)
    done = log.filter(pl.col("window_end") <= now).drop("window_end").collect()
    rows = matured(done, outcomes(tables, done, now))
    sends = read(tables / "sends.parquet", SENDS)
    found = Measured(
        measure(rows, params).cast(polars_schema(MEASURED)),
        ledger(rows, sends, catalogue).cast(polars_schema(LEDGER)),
        balance(rows),
        runs=runs.height - waiting.height,
        waiting=waiting.height,
        next_on=waiting["window_end"].min(),  # type: ignore[arg-type]
    )
    seen = pl.concat(
        [log.select(EXPECTED).collect(), read(scores, SCORES, EXPECTED).select(EXPECTED)]
    )
    believed = effects_table(with_gains(rows, seen, kept_value_days), catalogue, params)
    write(believed.cast(polars_schema(EFFECTS)), effects, EFFECTS)
    write_text(learned_text(learned_effects(rows, params)), out / LEARNED)
    write(found.results, out / "measured.parquet", MEASURED)
    write(found.ledger, out / "ledger.parquet", LEDGER)
    write_frame(found.balance, out / "balance.parquet")
    return found


def read_learned(measurement: Path) -> LearnedEffects:
    """Effects that differ between customers, as the last measurement left them."""
    return json.loads(present(measurement / LEARNED, "learned effects").read_text("utf-8"))


def scan_log(outbox: Path, before: date) -> pl.LazyFrame:
    """Every decision that was published for a date before this, with the end of its window.

    Without the columns that name the run, nearly half of the bytes: nothing is measured by them.
    What a release did not log yet is null.
    """
    paths = [
        path
        for path in sorted(outbox.glob("as_of=*/decisions.parquet"))
        if date.fromisoformat(path.parent.name.removeprefix("as_of=")) < before
    ]
    schema = polars_schema(DECISIONS)
    parts = [pl.scan_parquet(path, schema=schema, missing_columns="insert") for path in paths]
    log = pl.concat([pl.LazyFrame(schema=schema), *parts])
    end = pl.col("as_of") + pl.duration(days=pl.col("horizon_days"))
    return log.with_columns(window_end=end).drop(PROVENANCE)


def runs_of(log: pl.LazyFrame) -> pl.DataFrame:
    """``as_of`` and ``window_end`` of each run of a log, in order."""
    return log.select("as_of", "window_end").unique().sort("as_of").collect()


def outcomes(tables: Path, decisions: pl.DataFrame, now: date) -> pl.DataFrame:
    """Value events and money of each customer in the window of each run, as known by `now`."""
    known = read_events(tables).filter(pl.col("visible_day") < day_number(now))
    runs = decisions.select("as_of", "horizon_days").unique().sort("as_of").iter_rows()
    parts = [_in_window(known, as_of, days) for as_of, days in runs]
    empty = {"customer_id": pl.String, "as_of": pl.Date, "value_events": pl.Int64,
             "value_cents": pl.Int64}  # fmt: skip
    return pl.concat([pl.DataFrame(schema=empty), *parts])


def _in_window(events: pl.LazyFrame, as_of: date, days: int) -> pl.DataFrame:
    end = as_of + timedelta(days=days)
    inside = events.filter(pl.col("on") >= as_of, pl.col("on") < end)
    sums = inside.group_by("customer_id").agg(
        as_of=pl.lit(as_of),
        value_events=(pl.col("role") == "value").sum().cast(pl.Int64),
        value_cents=pl.col("value_cents").sum(),
    )
    return sums.sort("customer_id").collect()


def spoken(found: Measured) -> str:
    """The results in sentences."""
    if not found.runs:
        when = f" The first window is complete on {found.next_on}." if found.next_on else ""
        return f"Nothing can be measured yet: no published run has a complete window.{when}"
    lines = [f"{found.runs} runs with a complete window, {found.waiting} still open."]
    main = found.results.filter(pl.col("scope") != "action_stage")
    lines += main["words"].to_list() or ["No arm has anybody to compare with."]
    off = found.balance.filter(pl.col("difference").abs() >= 0.1)["feature"].to_list()
    lines.append(f"Arms differ beforehand in: {', '.join(off)}." if off else "The arms were alike.")
    return "\n".join(lines)
