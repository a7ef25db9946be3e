"""Whether monitoring is quiet while all is well, and speaks at once when it is not.

``python -m benchmarks.monitor`` runs the nightly job for 52 weeks on a simulated company whose
models are trained once, before the first, then breaks the last week of the company's events in
four ways, each in a copy of the project.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.record import Goal, line
from pipelines.monitor import read_monitor
from pipelines.project import Project
from pipelines.run import STATE, run
from pipelines.settings import with_values
from pipelines.simulate import simulate_project

ROOT = Path(__file__).resolve().parent.parent
UNTIL = date(2026, 1, 1)
WEEK = timedelta(days=7)
SHIFT_WEEKS = 2
# The company is seasonal, which is no drift: its models have seen each month once before.
DAYS = 1095
KNOWS_A_YEAR = {"cutoffs.count": 15}
GOALS = [
    Goal("false_alarms", 1, "<="),
    Goal("stopped_feed_caught", 1, ">="),
    Goal("halved_volume_caught", 1, ">="),
    Goal("mis_mapped_column_caught", 1, ">="),
    Goal("shift_caught_in_runs", SHIFT_WEEKS, "<="),
]
Break = Callable[[pl.DataFrame, pl.Expr], pl.DataFrame]


def main() -> None:
    """Print how often monitoring spoke."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder) / "shop"
        simulate_project(
            ROOT, shop, customers=asked.customers, seed=asked.seed, until=UNTIL, days=DAYS
        )
        text = (shop / "params.yaml").read_text("utf-8")
        (shop / "params.yaml").write_text(with_values(text, KNOWS_A_YEAR), "utf-8")
        weeks = [UNTIL - WEEK * k for k in reversed(range(asked.weeks))]
        alarms = [watched(shop, day)["status"] != "ok" for day in weeks[:-SHIFT_WEEKS]]
        kept = Path(folder) / "kept"
        shutil.copytree(shop, kept, symlinks=True)
        alarms += [watched(shop, day)["status"] != "ok" for day in weeks[-SHIFT_WEEKS:]]
        figures = {"weeks": len(weeks), "false_alarms": sum(alarms)}
        for name, change in BREAKS.items():
            broken = Path(folder) / name
            shutil.copytree(kept, broken, symlinks=True)
            figures[f"{name}_caught"] = runs_until_caught(broken, change, weeks[-SHIFT_WEEKS:][:1])
        shutil.copytree(kept, Path(folder) / "shifted", symlinks=True)
        figures["shift_caught_in_runs"] = runs_until_caught(
            Path(folder) / "shifted", shifted, weeks[-SHIFT_WEEKS:]
        )
    for name in BREAKS:
        figures[f"{name}_caught"] = int(figures[f"{name}_caught"] == 1)
    print(line("monitor", figures, GOALS))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Quiet weeks, and broken ones.")
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def watched(folder: Path, day: date) -> dict[str, Any]:
    """Run the job for a day; what monitoring found."""
    project = Project(folder)
    run(project, day, training="auto", say=lambda _: None)
    found = read_monitor(project.paths(STATE).monitor)
    spoken = [f"{f['check']}: {f['words']}" for f in found["findings"] if f["severity"] != "ok"]
    print(day, found["status"], *spoken, sep="  ", file=sys.stderr, flush=True)
    return found


def runs_until_caught(folder: Path, change: Break, days: list[date]) -> int:
    """How many runs after the change it took to speak of an error; one too many where none did."""
    file = folder / "raw" / "events.csv"
    rows = pl.read_csv(file, infer_schema=False)
    since = pl.col("occurred_at") >= (days[0] - WEEK).isoformat()
    change(rows, since).write_csv(file)
    for number, day in enumerate(days, start=1):
        if watched(folder, day)["status"] == "error":
            return number
    return len(days) + 1


def stopped(rows: pl.DataFrame, since: pl.Expr) -> pl.DataFrame:
    """The most frequent type of event arrives no more."""
    often = rows["event"].mode().sort()[0]
    return rows.filter(~(since & (pl.col("event") == often)))


def halved(rows: pl.DataFrame, since: pl.Expr) -> pl.DataFrame:
    """Every second event is missing."""
    return rows.with_row_index("n").filter(~since | (pl.col("n") % 2 == 0)).drop("n")


def mis_mapped(rows: pl.DataFrame, since: pl.Expr) -> pl.DataFrame:
    """Money arrives in cents where it was in euros."""
    cents = (pl.col("value").cast(pl.Float64, strict=False) * 100).cast(pl.String)
    return rows.with_columns(value=pl.when(since).then(cents).otherwise("value"))


def shifted(rows: pl.DataFrame, since: pl.Expr) -> pl.DataFrame:
    """A third of the customers who were active before visit once more on the first day."""
    ids = rows["customer_id"].unique().sort()
    more = ids.gather_every(3)
    first = rows.filter(since).sort("occurred_at").row(0, named=True)
    visits = rows.filter(pl.col("event") == "Page Viewed").head(1)
    template = visits.row(0, named=True) if visits.height else first
    extra = pl.DataFrame(
        [{**template, "event_id": f"extra{k}", "customer_id": customer,
          "occurred_at": first["occurred_at"], "loaded_at": first["occurred_at"]}
         for k, customer in enumerate(more)],
        schema=rows.schema,
    )  # fmt: skip
    return pl.concat([rows, extra])


BREAKS: dict[str, Break] = {
    "stopped_feed": stopped,
    "halved_volume": halved,
    "mis_mapped_column": mis_mapped,
}


if __name__ == "__main__":
    main()
