"""Ingest: hostile files of which nothing may get lost, and speed beside Polars without any check.

``python -m benchmarks.ingest --hostile 10000`` and ``python -m benchmarks.ingest --rows 10000000``.
"""

import argparse
import multiprocessing
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import pipelines.cli  # noqa: F401  (sets Polars' allocator, as every command does)
from benchmarks.hostile import FILES, Verdict, judge
from benchmarks.record import Goal, line
from features.taxonomy import Taxonomy
from pipelines.config import read_params
from pipelines.ingest import ingest
from pipelines.intake.sources import Business, Source, SourceCatalogue

ROOT = Path(__file__).resolve().parent.parent
TYPES = ("order_completed", "page_viewed", "product_viewed", "email_opened")
COLUMNS = ("event_id", "customer_id", "occurred_at", "event_type", "channel", "value")
ROLES = dict(zip(TYPES, ("value", "visit", "visit", "visit"), strict=True))
DAYS = 365
HOSTILE_GOALS = [
    Goal("files", 10_000, ">="),
    Goal("rows_lost", 0, "<="),
    Goal("silent_coercions", 0, "<="),
    Goal("tracebacks", 0, "<="),
]
SPEED_GOALS = [
    *(Goal(f"{kind}_times_polars", 3, "<=") for kind in ("csv", "parquet")),
    *(Goal(f"{kind}_peak_mib", 3 * 1024, "<=") for kind in ("csv", "parquet")),
    *(Goal(f"{kind}_again_seconds", 2, "<=") for kind in ("csv", "parquet")),
    *(Goal(f"{kind}_one_day_share", 0.05, "<=") for kind in ("csv", "parquet")),
]


def main() -> None:
    """Run one of the two and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hostile", type=int, default=0, help="hostile files to generate")
    parser.add_argument("--rows", type=int, default=0, help="rows to time")
    asked = parser.parse_args()
    if asked.hostile:
        figures = hostile(asked.hostile)
        print(line("ingest", figures, HOSTILE_GOALS))
    if asked.rows:
        print(line("ingest", speed(asked.rows), SPEED_GOALS))


def hostile(count: int) -> dict[str, float]:
    """Generate and ingest so many hostile files; what became of their rows."""
    drawn = random.Random(0)
    total: dict[str, float] = dict.fromkeys(Verdict._fields[:-1], 0)
    reasons: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            make = FILES[number % len(FILES)]
            verdict = judge(make(drawn), Path(folder) / "case")
            for name, value in zip(Verdict._fields[:-1], verdict[:-1], strict=True):
                total[name] += value
            for reason, rows in verdict.reasons.items():
                reasons[reason] = reasons.get(reason, 0) + rows
            if (number + 1) % 500 == 0:
                print(f"{number + 1:,} files: {total}", file=sys.stderr)
    for reason, rows in sorted(reasons.items()):
        print(f"{reason:<24} {rows:>10,}", file=sys.stderr)
    return {"files": count, **total, **{f"reason_{r}": n for r, n in sorted(reasons.items())}}


def speed(rows: int) -> dict[str, float]:
    """Seconds and memory of Polars alone and of ingest, each in a process of its own."""
    figures: dict[str, float] = {"rows": rows}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _alone(_write, folder, rows)
        for kind in ("csv", "parquet"):
            bare, bare_mib = _alone(_polars, folder, kind)
            full, mib = _alone(_ingest, folder, kind)
            again, _ = _alone(_ingest, folder, kind)
            _alone(_add_day, folder, kind)
            day, _ = _alone(_ingest, folder, kind)
            shutil.rmtree(folder / f"{kind}-tables")
            figures |= {
                f"{kind}_polars_seconds": round(bare, 2),
                f"{kind}_polars_peak_mib": round(bare_mib),
                f"{kind}_ingest_seconds": round(full, 2),
                f"{kind}_times_polars": round(full / bare, 2),
                f"{kind}_peak_mib": round(mib),
                f"{kind}_again_seconds": round(again, 3),
                f"{kind}_one_day_seconds": round(day, 2),
                f"{kind}_one_day_share": round(day / full, 4),
            }
            print(figures, file=sys.stderr)
    return figures


def _alone(function: Callable[..., None], *arguments: object) -> tuple[float, float]:
    """Seconds and peak memory [MiB] of a function in a fresh process, start-up not counted."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_timed, args=(function, arguments, send))
    process.start()
    seconds, mib = receive.recv()
    process.join()
    return seconds, mib


def _timed(function: Callable[..., None], arguments: tuple[object, ...], send) -> None:
    start = time.perf_counter()
    function(*arguments)
    seconds = time.perf_counter() - start
    send.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _write(folder: Path, rows: int) -> None:
    for kind in ("csv", "parquet"):
        (folder / kind).mkdir()
    events = _events(rows, first=0, day=0, days=DAYS)
    events.write_parquet(folder / "parquet" / "year.parquet")
    events.with_columns(pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(
        folder / "csv" / "year.csv"
    )


def _add_day(folder: Path, kind: str) -> None:
    rows = pl.scan_parquet(folder / "parquet" / "year.parquet").select(pl.len()).collect().item()
    events = _events(rows // DAYS, first=rows, day=DAYS, days=1)
    if kind == "csv":
        text = events.with_columns(pl.col("occurred_at").dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
        text.write_csv(folder / "csv" / "day.csv")
    else:
        events.write_parquet(folder / "parquet" / "day.parquet")


def _events(rows: int, *, first: int, day: int, days: int) -> pl.DataFrame:
    drawn = np.random.default_rng(first)
    start = 1_672_531_200 + 86_400 * day
    seconds = np.sort(drawn.integers(start, start + 86_400 * days, rows))
    numbers = pl.DataFrame(
        {
            "event": np.arange(first, first + rows),
            "customer": drawn.integers(0, 200_000, rows),
            "second": seconds,
            "type": drawn.integers(0, len(TYPES), rows),
            "cents": drawn.integers(100, 20_000, rows),
        }
    )
    return numbers.select(
        ("e" + pl.col("event").cast(pl.String).str.zfill(9)).alias("event_id"),
        ("c" + pl.col("customer").cast(pl.String).str.zfill(7)).alias("customer_id"),
        pl.from_epoch("second").dt.replace_time_zone("UTC").alias("occurred_at"),
        pl.col("type").replace_strict(dict(enumerate(TYPES))).alias("event_type"),
        pl.lit("web").alias("channel"),
        (pl.col("cents") / 100).alias("value"),
    )


def _polars(folder: Path, kind: str) -> None:
    out = folder / "polars.parquet"
    if kind == "csv":
        pl.scan_csv(folder / "csv" / "year.csv").sink_parquet(out)
    else:
        pl.scan_parquet(folder / "parquet" / "year.parquet").sink_parquet(out)


def _ingest(folder: Path, kind: str) -> None:
    origins = {name: {"column": name} for name in COLUMNS}
    source = Source.model_validate(
        {"table": "events", "path": kind, "timezone": "UTC", "columns": origins}
    )
    business = Business(name="Benchmark", timezone="UTC", currency="USD")
    catalogue = SourceCatalogue(business=business, sources={"shop": source})
    taxonomy = Taxonomy.model_validate(
        {"channels": ["web"], "events": {t: {"role": r} for t, r in ROLES.items()}}
    )
    rows_per_bucket = read_params(ROOT / "params.yaml").features.rows_per_bucket
    ingest(folder, folder / f"{kind}-tables", catalogue, taxonomy, rows_per_bucket)


if __name__ == "__main__":
    main()
