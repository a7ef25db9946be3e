"""Write a simulated log of any size, laid out as the job keeps its events.

``python -m benchmarks.logs --events 10000000 --days 730 --out DIR`` writes
``DIR/events/bucket-NNNN/PART.parquet``, ``DIR/customers.parquet`` and a ``DIR/consents.parquet``
without rows. See `simulation.logs` for what is in them.
"""

import argparse
import hashlib
import resource
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from benchmarks.record import Goal, line
from features.schemas import CONSENTS
from pipelines.buckets import bucket_numbers
from pipelines.tables import polars_schema, write
from simulation.logs import LogPlan, log_chunks, log_customers, log_ids, log_plan

EVENTS_PER_BUCKET = 3_000_000  # as params.yaml has it
GOALS = [Goal("events_missing_share", 0.001, "<="), Goal("peak_mib", 1536, "<=")]


def main() -> None:
    """Write the log and print what it took."""
    asked = arguments()
    start = time.perf_counter()
    plan = log_plan(
        events=asked.events,
        until=asked.until,
        days=asked.days,
        seed=asked.seed,
        seasonal=not asked.even,
    )
    written = write_log(plan, asked.out, buckets=asked.buckets or buckets_for(asked.events))
    figures = {
        "events": written,
        "customers": plan.customers,
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "events_missing_share": abs(written - asked.events) / asked.events,
    }
    print(line("logs", figures, GOALS))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Write a simulated log of any size.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--until", type=date.fromisoformat, default=date(2026, 1, 1))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--buckets", type=int, help="default: one for each 3 million events")
    parser.add_argument("--even", action="store_true", help="no seasons")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def buckets_for(events: int) -> int:
    """Buckets of at most 3 million events on average."""
    return -(-events // EVENTS_PER_BUCKET)


def write_log(plan: LogPlan, out: Path, *, buckets: int) -> int:
    """Write the whole log in place of what `out` held; returns the number of events."""
    shutil.rmtree(out / "events", ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    log_customers(plan).write_parquet(out / "customers.parquet", compression="zstd")
    placed = bucket_numbers(pl.Series(log_ids(plan)), buckets).to_numpy()
    written = sum(
        _write_part(log_chunks(plan, np.flatnonzero(placed == n)), out / "events", number=n)
        for n in range(buckets)
    )
    write(pl.DataFrame(schema=polars_schema(CONSENTS)), out / "consents.parquet", CONSENTS)
    return written


def _write_part(chunks: Iterator[pl.DataFrame], events: Path, *, number: int) -> int:
    """One row group a chunk; the file is named by what it holds."""
    folder = events / f"bucket-{number:04d}"
    folder.mkdir(parents=True)
    unfinished, writer, written = folder / ".part", None, 0
    for chunk in chunks:
        table = chunk.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(unfinished, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=chunk.height)
        written += chunk.height
    if writer:
        writer.close()
        with unfinished.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        unfinished.rename(folder / f"{digest[:16]}.parquet")
    return written


if __name__ == "__main__":
    main()
