"""CPU seconds, wall seconds and peak memory of the features, beside a floor and other ways.

``python -m benchmarks.features --events 10000000`` makes a log of two years once, in a folder
outside the repository, then runs in turn, each as a process of its own:

* floors: DuckDB builds the full daily table of the same files, with the columns of each set, and
  DuckDB counts events by customer and day;
* Keepwell: daily state and snapshots of six as-of dates, from scratch, with both sets of
  `benchmarks.scope`;
* ``--many-dates``: the matched set at four times as many dates;
* ``--doubling``: one new day over existing state (default set, one date), with a history of two
  years and of four;
* ``--engine spark``: the matched set by Spark as well, in one process with two cores;
* ``--peers``: the matched set by pandas and by DuckDB's SQL, and, on a million events, the same
  families by featuretools.

Needs the extra ``benchmarks``; featuretools gets an environment of its own in the folder.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from datetime import date
from pathlib import Path

from benchmarks.measure import Cost, Job, medians, module, output_of, prepared, say
from benchmarks.record import Goal, line
from benchmarks.scope import CHANNELS, DAYS, UNTIL, as_of_dates

FEATURETOOLS_EVENTS = 1_000_000
FEATURETOOLS = ("featuretools==1.31.0", "setuptools<81", "pandas<3", "pyarrow")
MANY = 4  # times as many dates
GOALS = (
    Goal("default_features", 120, ">="),
    Goal("matched_cpu_over_daily_table", 2.8, "<="),
    Goal("matched_cpu_over_group_by", 10, "<="),
    Goal("matched_peak_mib", 1536, "<="),
    Goal("default_peak_mib", 1536, "<="),
    Goal("many_dates_cpu_ratio", 2.5, "<="),
    Goal("doubling_cpu_growth", 0.15, "<="),
    Goal("pandas_cpu_ratio", 2.5, ">="),
    Goal("sql_cpu_ratio", 1, ">="),
    Goal("sql_peak_ratio", 1, ">="),
    Goal("featuretools_cpu_ratio", 25, ">="),
)


def main() -> None:
    """Measure what was asked for and print the figures."""
    asked = arguments()
    if asked.folder:
        figures = measured(asked, asked.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            figures = measured(asked, Path(folder))
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(line("features", rounded, [goal for goal in GOALS if goal.key in rounded]))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Measure the features.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--dates", type=int, default=6)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--engine", choices=("polars", "spark"), default="polars")
    parser.add_argument("--many-dates", action="store_true")
    parser.add_argument("--doubling", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--folder", type=Path, help="keeps the logs for the next time")
    return parser.parse_args()


def measured(asked: argparse.Namespace, folder: Path) -> dict[str, float]:
    """All figures: costs by job, then ratios."""
    tables, dates = log(folder, asked.events), as_of_dates(asked.dates)
    jobs = {**floors(tables, folder), **keepwell(tables, folder, dates)}
    if asked.engine == "spark":
        jobs["spark"] = build(tables, folder / "spark", "matched", dates, "--engine", "spark")
    if asked.many_dates:
        many = as_of_dates(asked.dates * MANY)
        jobs["many_dates"] = build(tables, folder / "many_dates", "matched", many)
    if asked.doubling:
        jobs |= {name: nightly(tables, folder / name, years) for name, years in NIGHTLY.items()}
    if asked.peers:
        jobs |= peers(tables, folder, dates)
    costs = medians(jobs, asked.runs)
    figures = {"events": asked.events, "dates": asked.dates, "runs": asked.runs, **counts()}
    figures |= {f"{name}_{k}": v for name, c in costs.items() for k, v in c._asdict().items()}
    figures |= ratios(costs)
    if asked.peers:
        figures |= {f"{p}_equal_columns": equal_columns(folder, p, dates[0]) for p in PEERS}
        figures |= featuretools(folder, dates, asked.runs)
    return figures


def counts() -> dict[str, float]:
    """How many features each set has."""
    found = json.loads(output_of(module("benchmarks.feature_sets")))
    return {f"{name}_features": n for name, n in found.items()}


def ratios(costs: dict[str, Cost]) -> dict[str, float]:
    """What the goals are about."""
    cpu = {name: cost.cpu_seconds for name, cost in costs.items()}
    made = {
        f"{name}_cpu_over_{floor}": cpu[name] / cpu[job]
        for name in CHANNELS
        for floor, job in (("daily_table", f"daily_table_{name}"), ("group_by", "group_by"))
    }
    if "many_dates" in cpu:
        made["many_dates_cpu_ratio"] = cpu["many_dates"] / cpu["matched"]
    if "nightly_4_years" in cpu:
        made["doubling_cpu_growth"] = cpu["nightly_4_years"] / cpu["nightly_2_years"] - 1
    for peer in PEERS:
        if peer in cpu:
            made[f"{peer}_cpu_ratio"] = cpu[peer] / cpu["matched"]
            made[f"{peer}_peak_ratio"] = costs[peer].peak_mib / costs["matched"].peak_mib
    return made


def log(folder: Path, events: int) -> Path:
    """Tables of a simulated log; made once."""
    tables = folder / f"log-{events}"
    if not (tables / "consents.parquet").exists():  # the last file that is written
        say(f"making a log of {events} events")
        prepared(
            module("benchmarks.logs", "--events", events, "--days", DAYS, "--until", UNTIL,
                   "--out", tables)
        )  # fmt: skip
    return tables


def floors(tables: Path, folder: Path) -> dict[str, Job]:
    """What nobody who reads these files can do without."""
    events, out = tables / "events", folder / "daily_table.parquet"
    daily = {
        f"daily_table_{name}": Job(
            module("benchmarks.peers.daily", "--events", events, "--set", name, "--out", out)
        )
        for name in CHANNELS
    }
    return {**daily, "group_by": Job(module("benchmarks.peers.group_by", "--events", events))}


def keepwell(tables: Path, folder: Path, dates: list[date]) -> dict[str, Job]:
    """Both sets, from scratch."""
    return {name: build(tables, folder / name, name, dates) for name in CHANNELS}


def build(tables: Path, work: Path, name: str, dates: list[date], *options: str) -> Job:
    """Daily state and snapshots, from scratch."""
    return Job([*build_command(tables, work, name, dates), *options], lambda: _clear(work))


def build_command(tables: Path, work: Path, name: str, dates: list[date]) -> list[str]:
    """The command that measures and preparations have in common."""
    return module(
        "benchmarks.build", "--tables", tables, "--work", work, "--set", name, "--dates", *dates
    )


NIGHTLY = {"nightly_2_years": 2, "nightly_4_years": 4}


def nightly(tables: Path, folder: Path, years: int) -> Job:
    """One new day in each bucket over the state of the evening before."""
    say(f"making a history of {years} years")
    prepared(module("benchmarks.histories", "--tables", tables, "--out", folder, "--years", years))
    known, tonight = folder / "known", folder / "tonight"
    yesterday = as_of_dates(1, days_before=1)
    prepared(build_command(known, folder / "state", "default", yesterday))

    def new_day() -> None:
        _clear(tonight)
        shutil.copytree(known, tonight / "tables")
        shutil.copytree(folder / "state", tonight / "work")
        shutil.copytree(folder / "new", tonight / "tables" / "events", dirs_exist_ok=True)

    return Job(
        build_command(tonight / "tables", tonight / "work", "default", as_of_dates(1)), new_day
    )


PEERS = {"pandas": "benchmarks.peers.frames", "sql": "benchmarks.peers.sql"}


def peers(tables: Path, folder: Path, dates: list[date]) -> dict[str, Job]:
    """The matched set by others."""
    return {
        name: Job(module(script, "--tables", tables, "--out", folder / name, "--dates", *dates))
        for name, script in PEERS.items()
    }


def equal_columns(folder: Path, peer: str, day: date) -> int:
    """Columns that a peer has in common with Keepwell, equal in every row of the latest date.

    Raises
    ------
    ValueError
        If some are not equal: then the comparison is of two different things.
    """
    command = module(
        "benchmarks.agreement", "--ours", folder / "matched" / "features",
        "--theirs", folder / peer / f"as_of={day}.parquet", "--date", day,
    )  # fmt: skip
    found = json.loads(output_of(command))
    if found["differing"]:
        raise ValueError(f"{peer}: columns differ. Got {found['differing']}. Expected none.")
    return found["columns"]


def featuretools(folder: Path, dates: list[date], runs: int) -> dict[str, float]:
    """Keepwell and featuretools on a million events."""
    python = _environment(folder / "featuretools-environment")
    tables, out = log(folder, FEATURETOOLS_EVENTS), folder / "featuretools"
    command = [
        str(python), "-m", "benchmarks.peers.synthesis", "--tables", str(tables), "--out",
        str(out), "--dates", *map(str, dates),
    ]  # fmt: skip
    jobs = {
        "matched_million": build(tables, folder / "matched_million", "matched", dates),
        "featuretools": Job(command),
    }
    costs = medians(jobs, runs)
    figures = {f"{name}_{k}": v for name, c in costs.items() for k, v in c._asdict().items()}
    ratio = costs["featuretools"].cpu_seconds / costs["matched_million"].cpu_seconds
    return {**figures, "featuretools_cpu_ratio": ratio}


def _environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        say("making an environment for featuretools")
        subprocess.run(module("venv", folder), check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *FEATURETOOLS], check=True)
        (folder / "ready").touch()
    return python


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
