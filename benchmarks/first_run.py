"""A new user's first hour: from a CSV that nobody has described to an action file, in two commands.

``python -m benchmarks.first_run --rows 1000000`` types what a new user types, ``keepwell init
--events orders.csv`` on a terminal with Enter at every question and ``keepwell run``, and measures
how long both take together. The CSV has the order lines of Online Retail II (United Kingdom);
beyond their number, the same customers again under other ids.
"""

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from benchmarks.record import Goal, line

DATA = Path("../shared/data")
KEEPWELL = [sys.executable, "-c", "from pipelines.cli import app; app()"]
GOALS = [
    Goal("rows", 1_000_000, ">="),
    Goal("commands", 2, "<="),
    Goal("seconds", 300, "<="),
    Goal("actions", 1, ">="),
    Goal("report", 1, ">="),
]


def main() -> None:
    """Walk the walk once and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(line("first_run", walk(Path(folder), asked.data, asked.rows), GOALS))


def walk(folder: Path, data: Path, rows: int) -> dict[str, float]:
    """Both commands in an empty folder with nothing but the CSV; what they took and left."""
    write_orders(data / "online_retail_ii_uk" / "transactions.parquet", folder, rows)
    seen: list[float] = []
    for words in (["init", "--events", "orders.csv"], ["run"]):
        start = time.perf_counter()
        on_a_terminal([*KEEPWELL, *words], folder)
        seen.append(time.perf_counter() - start)
    delivered = folder / "outbox" / "latest"
    return {
        "rows": rows,
        "commands": len(seen),
        "init_seconds": round(seen[0], 1),
        "run_seconds": round(seen[1], 1),
        "seconds": round(sum(seen), 1),
        "actions": pl.scan_csv(delivered / "actions.csv").select(pl.len()).collect().item(),
        "report": int((delivered / "report.html").stat().st_size > 0),
    }


def write_orders(transactions: Path, folder: Path, rows: int) -> None:
    """``orders.csv`` of exactly so many order lines."""
    own = pl.read_parquet(transactions)
    copies = [
        own.select(
            order_no=pl.format("{}-{}", "inv", pl.lit(copy)),
            customer=pl.format("{}-{}", "cid", pl.lit(copy)),
            ordered_at=pl.col("ts").dt.strftime("%Y-%m-%d %H:%M:%S"),
            article="sku",
            quantity="qty",
            unit_price="price",
        )
        for copy in range(-(-rows // own.height))
    ]
    pl.concat(copies).head(rows).write_csv(folder / "orders.csv")


def on_a_terminal(words: list[str], folder: Path) -> None:
    """Run a command on a terminal of its own, Enter at every question; show what it prints."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        os.write(ours, b"\n" * 20)
        try:
            while part := os.read(ours, 65536):
                sys.stderr.write(part.decode(errors="replace"))
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    if run.returncode:
        raise SystemExit(f"first_run: {' '.join(words[3:])} failed with {run.returncode}")


if __name__ == "__main__":
    main()
