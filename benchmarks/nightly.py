"""The nightly run of a large company: a long history is in, one new day has come.

``python -m benchmarks.nightly`` makes a history of 100 million events of a million customers, runs
the whole job once on it, adds a day and runs `keepwell run` again, for the history and for one of
twice its length. What is finished below ``--dir DIR`` is not done again, so the benchmark can be
cut off and goes on; ``--until STEP`` ends it early. Training is left out: it is not a night's work.
Growth is judged by wall time; that of CPU seconds, which other work on the machine changes less,
is printed beside it.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.record import Goal, line
from features.schemas import CONSENTS
from pipelines.runs import read_runs
from pipelines.settings import with_values
from pipelines.tables import polars_schema, write
from simulation.logs import LogPlan, log_chunks, log_customers, log_plan

TONIGHT = date(2026, 1, 1)  # the first day that the measured run may not see
DAYS = 730
STEPS = ("history", "first", "night")
REPOSITORY = Path(__file__).resolve().parent.parent
PEAK_MIB, GROWTH = 4096, 0.15
GOALS = [Goal("peak_mib", PEAK_MIB, "<="), Goal("growth_share", GROWTH, "<=")]
SOURCES = """\
business: {name: Nightly, timezone: UTC, currency: EUR}
sources:
  events:
    table: events
    path: raw/events
    columns:
      event_id: {column: event_id}
      customer_id: {column: customer_id}
      occurred_at: {column: occurred_at}
      loaded_at: {column: loaded_at}
      event_type: {column: event_type}
      channel: {column: channel}
      value: {column: value}
  customers:
    table: customers
    path: raw/customers.parquet
    columns:
      customer_id: {column: customer_id}
      known_since: {column: known_since}
  consents:
    table: consents
    path: raw/consents.parquet
    columns:
      customer_id: {column: customer_id}
      channel: {column: channel}
      purpose: {column: purpose}
      status: {column: status}
      basis: {column: basis}
      since: {column: since}
"""


def main() -> None:
    """Measure one night after a history, and after one of twice its length."""
    asked = arguments()
    if asked.dir is None:
        with tempfile.TemporaryDirectory() as folder:
            compare(asked, Path(folder))
    else:
        compare(asked, asked.dir)


def compare(asked: argparse.Namespace, home: Path) -> None:
    """Do what is not done yet below a folder; print the line when all of it is."""
    figures: dict[str, float] = {"customers": asked.customers, "past_events": asked.events}
    nights = []
    for times in (1, 2):
        folder = home / f"history-{times}"
        night = measured(folder, asked, times)
        if night is None:
            continue
        nights.append(night)
        prefix = "" if times == 1 else "double_history_"
        figures |= {f"{prefix}{name}": value for name, value in night.items()}
    if len(nights) == 2:
        single, double = nights
        figures["growth_share"] = round(double["seconds"] / single["seconds"] - 1, 4)
        figures["cpu_growth_share"] = round(double["cpu_seconds"] / single["cpu_seconds"] - 1, 4)
        figures["peak_mib"] = max(single["peak_mib"], double["peak_mib"])
        print(line("nightly", figures, GOALS))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Measure the nightly run of a large company.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=100_000_000)
    parser.add_argument("--dir", type=Path, help="default: a temporary folder")
    parser.add_argument("--until", choices=STEPS, default="night")
    return parser.parse_args()


def measured(folder: Path, asked: argparse.Namespace, times: int) -> dict[str, float] | None:
    """Figures of the night after a history, as far as was asked for."""
    doing = STEPS[: STEPS.index(asked.until) + 1]
    once(folder, "history", lambda: elsewhere(make_history, folder, asked, times))
    if "first" in doing:
        once(folder, "first", lambda: night(folder, TONIGHT - timedelta(days=1)))
    if "night" not in doing:
        return None
    return once(folder, "night", lambda: one_day_more(folder))


def once(folder: Path, step: str, work: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What a step found, now or when it was done before."""
    done = folder / f"{step}.json"
    if not done.is_file():
        start = time.perf_counter()
        found = work()
        print(f"{folder.name}, {step}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        done.write_text(json.dumps(found))
    return json.loads(done.read_text())


def elsewhere(work: Callable[..., dict[str, float]], *arguments: object) -> dict[str, float]:
    """Do it in another process: a run that is started later counts what this one once held."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def make_history(folder: Path, asked: argparse.Namespace, times: int) -> dict[str, float]:
    """Write a project whose source has all events but the last day's, which wait beside it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(REPOSITORY / "catalogue", folder / "catalogue")
    (folder / "catalogue" / "sources.yaml").write_text(SOURCES)
    values = {"run.as_of": TONIGHT.isoformat(), "recommend.budget_cents": 20 * asked.customers}
    text = (REPOSITORY / "params.yaml").read_text("utf-8")
    (folder / "params.yaml").write_text(with_values(text, values))
    plan = log_plan(
        events=times * asked.events, until=TONIGHT, days=times * DAYS, customers=asked.customers
    )
    (folder / "raw" / "events").mkdir(parents=True)
    written = _write_events(plan, folder)
    _write_people(plan, folder / "raw")
    return written


def night(folder: Path, as_of: date) -> dict[str, float]:
    """Run the command for a date: seconds by step, of all, and peak memory."""
    command = [sys.executable, "-c", "from pipelines.cli import app; app()", "run", "--project"]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(
        [*command, str(folder), "--as-of", as_of.isoformat(), "--train", "never"],
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"keepwell run ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    steps = read_runs(folder / "state")[-1].steps
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1
        ),
        "peak_mib": round(used.ru_maxrss / 1024),
        **{f"{name}_seconds": seconds for name, seconds in steps.items()},
    }


def one_day_more(folder: Path) -> dict[str, float]:
    """Let the new day arrive, and run the night."""
    for part in sorted((folder / "day").glob("*.parquet")):
        part.replace(folder / "raw" / "events" / part.name)
    return night(folder, TONIGHT)


def _write_events(plan: LogPlan, folder: Path) -> dict[str, float]:
    last = pl.lit(TONIGHT - timedelta(days=1))
    value = (pl.col("value_cents") / 100).alias("value")
    days, past = [], 0
    for number, chunk in enumerate(log_chunks(plan, rows=5_000_000)):
        rows = chunk.with_columns(value)
        arrived = pl.coalesce(pl.col("loaded_at").dt.date(), "on")
        history = rows.filter(arrived < last)
        history.write_parquet(folder / "raw" / "events" / f"history-{number:03d}.parquet")
        days.append(rows.filter(arrived == last))
        past += history.height
        print(f"{folder.name}: {past:,} past events", file=sys.stderr)
    (folder / "day").mkdir()
    day = pl.concat(days)
    day.write_parquet(folder / "day" / "last-day.parquet")
    return {"past_events": past, "new_events": day.height}


def _write_people(plan: LogPlan, raw: Path) -> None:
    """Everybody; six in ten allow e-mail."""
    customers = log_customers(plan)
    customers.write_parquet(raw / "customers.parquet")
    allowed = customers.filter(np.random.default_rng(0).random(customers.height) < 0.6)
    consents = allowed.select(
        "customer_id", channel=pl.lit("email"), purpose=pl.lit("marketing"),
        status=pl.lit("granted"), basis=pl.lit("opt_in"), since="known_since",
        until=pl.lit(None, pl.Date),
    )  # fmt: skip
    schema = polars_schema(CONSENTS)
    write(consents.select(schema.names()).cast(schema), raw / "consents.parquet", CONSENTS)


if __name__ == "__main__":
    main()
