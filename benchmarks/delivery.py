"""All files of a large delivery: rows a second, peak memory, and how soon the report answers.

``python -m benchmarks.delivery [--customers 1000000] [--actions 200000]`` makes scores and
decisions up, writes every format and every platform's files, and opens the report in Chromium where
there is one. The peak is that of the whole process, the made-up tables included.
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from actions.catalogue import ActionCatalogue
from benchmarks.record import Goal, line
from delivery.canonical import REACH_COLUMNS
from delivery.clearance import Clearances, cleared
from delivery.facts import Known
from features import schemas
from pipelines.config import Catalogue, Params, read_catalogue, read_params
from pipelines.deliver import files_of
from pipelines.delivery_inputs import Inputs
from pipelines.tables import polars_schema

ROOT = Path(__file__).resolve().parent.parent
AS_OF = date(2026, 1, 1)
GOALS = [
    Goal("peak_mib", 3072, "<="),
    Goal("report_mb", 5, "<="),
    Goal("interactive_seconds", 2, "<="),
]


def main() -> None:
    """Make, write and open; print the figures."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--customers", type=int, default=1_000_000)
    words.add_argument("--actions", type=int, default=200_000)
    chosen = words.parse_args()
    catalogue, params = read_catalogue(ROOT / "catalogue"), read_params(ROOT / "params.yaml")
    every = params.deliver.model_copy(update={"platforms": tuple(catalogue.platforms.platforms)})
    inputs = made_up(chosen.customers, chosen.actions, catalogue, params)
    sys.stderr.write("made up; writing\n")
    start = time.perf_counter()
    made = files_of(inputs, catalogue, params.score, every)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(made.rows.values())
    figures = {
        "customers": chosen.customers,
        "actions": made.rows["actions.csv"],
        "files": len(made.files),
        "rows": rows,
        "megabytes": round(sum(map(len, made.files.values())) / 1e6, 1),
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds),
        "peak_mib": round(peak),
        "report_mb": round(len(made.files["report.html"]) / 1e6, 2),
        "interactive_seconds": round(interactive(made.files["report.html"]), 2),
    }
    goals = [goal for goal in GOALS if figures[goal.key] >= 0]
    print(line("delivery", figures, goals))


def made_up(customers: int, actions: int, catalogue: Catalogue, params: Params) -> Inputs:
    """Scores and decisions of customers who never were, with addresses and consents."""
    draw = np.random.default_rng(0)
    ids = pl.Series("customer_id", np.arange(customers)).cast(pl.String).str.zfill(9)
    allowed = pl.DataFrame({"customer_id": ids}).join(_channels(catalogue.actions), how="cross")
    scores = _scores(ids, draw)
    known = Clearances(
        permitted=allowed.with_columns(basis=pl.lit("opt_in")),
        refused=allowed.head(0),
        objected=allowed.head(0).select("customer_id"),
        suppressions=pl.DataFrame(schema=polars_schema(schemas.SUPPRESSIONS)),
        identities=_identities(ids),
    )
    decisions = _decisions(ids, actions, draw, catalogue.actions)
    weekday, hour = draw.integers(1, 8, customers), draw.integers(0, 24, customers)
    reach = pl.DataFrame([ids, pl.Series("best_weekday", weekday), pl.Series("best_hour", hour)])
    moved = [(a, b, 1000) for a in schemas.STAGES for b in schemas.STAGES]
    return Inputs(
        scores=scores,
        decisions=cleared(decisions, known, catalogue.actions),
        known=known,
        reach=reach.select(*REACH_COLUMNS),
        movement=pl.DataFrame(moved, ["stage_before", "stage_now", "customers"], orient="row"),
        evaluation={},
        run={
            "as_of": AS_OF.isoformat(), "previous_as_of": "2025-12-25", "published_before": True,
            "judged_on": "2026-01-31", "run_id": "benchmark",
            "company": "Made up", "currency": "EUR", "budget_cents": 30 * actions,
            "spent_cents": int(decisions["cost_cents"].sum()), "holdout_share": 0.1,
            "horizon_days": params.churn.horizon_days, "gap_days": 0, "lookback_days": 90,
            "data_span": ["2024-01-01", "2025-12-31"], "sources": [], "definitions": {},
        },
        besides=Known(_curve(30 * actions)),
        erased=0,
    )  # fmt: skip


def _table(table: schemas.Table, columns: dict[str, pl.Series], rows: int) -> pl.DataFrame:
    blanks = {"text": "x", "integer": 0, "float": 0.25, "date": AS_OF, "boolean": False}
    whole = {
        c.name: columns.get(c.name)
        if c.name in columns
        else pl.repeat(None if c.nullable else blanks[c.kind], rows, eager=True)
        for c in table.columns
    }
    return pl.DataFrame(whole).cast(polars_schema(table))


def _channels(catalogue: ActionCatalogue) -> pl.DataFrame:
    return pl.DataFrame({"channel": ["email", "ad"]}).filter(
        pl.col("channel").is_in(list(catalogue.channels))
    )


def _picked(
    options: list[str] | tuple[str, ...], rows: int, draw: np.random.Generator
) -> pl.Series:
    return pl.Series(options).gather(draw.integers(0, len(options), rows))


def _scores(ids: pl.Series, draw: np.random.Generator) -> pl.DataFrame:
    rows = len(ids)
    days = pl.Series(draw.integers(20, 200, rows)).cast(pl.String)
    reason = pl.select(pl.concat_str(pl.lit("no order for "), days, pl.lit(" days"))).to_series()
    columns = {
        "customer_id": ids,
        "reported_stage": _picked(schemas.STAGES, rows, draw),
        "reported_level": _picked(schemas.LEVELS, rows, draw),
        "activity": _picked(schemas.ACTIVITIES, rows, draw),
        "churn_risk": pl.Series(draw.random(rows)),
        "reason_1": reason,
    }
    return _table(schemas.SCORES, columns, rows)


def _decisions(
    ids: pl.Series, actions: int, draw: np.random.Generator, catalogue: ActionCatalogue
) -> pl.DataFrame:
    rows, number = len(ids), np.arange(len(ids))
    done = number < actions
    email = [action.id for action in catalogue.actions if "email" in action.channels]
    held = ~done & (number % 10 == 0)
    outcome = np.select([done, held], ["exported", "held_out"], "no_action")
    reason = np.select([done, held], ["", "holdout"], "no_gain")

    def where_done(values: pl.Series) -> pl.Series:
        return pl.select(pl.when(pl.Series(done)).then(values)).to_series()

    channel = pl.Series(np.where(number % 20 == 0, "ad", "email"))
    columns = {
        "decision_id": ids,
        "customer_id": ids,
        "outcome": pl.Series(outcome),
        "exit_reason": pl.Series(reason).replace("", None),
        "action_id": where_done(_picked(email, rows, draw)),
        "channel": where_done(channel),
        "basis": where_done(pl.repeat("assumed", rows, eager=True)),
        "expires_on": where_done(pl.repeat(AS_OF + timedelta(days=14), rows, eager=True)),
        "expected_net_value_cents": pl.Series(np.where(done, draw.integers(1, 9999, rows), 0)),
        "cost_cents": pl.Series(np.where(done, 25, 0)),
    }
    return _table(schemas.DECISIONS, columns, rows)


def _identities(ids: pl.Series) -> pl.DataFrame:
    who = pl.DataFrame({"customer_id": ids})
    return who.select(
        "customer_id",
        email=pl.format("person.{}@example.com", "customer_id"),
        phone=pl.format("+1555{}", "customer_id"),
        first_name=pl.lit("Ada"),
        last_name=pl.lit("Example"),
        country=pl.lit("US"),
    )


def _curve(own: int) -> pl.DataFrame:
    times = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
    rows = [(int(own * t), int(own * t), int(50 * own * t**0.5), int(1000 * t)) for t in times]
    names = ["budget_cents", "spent_cents", "net_value_cents", "actions"]
    return pl.DataFrame(rows, names, orient="row")


def interactive(page: bytes) -> float:
    """Seconds until the last picture is drawn, best of three; -1 without Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        return -1
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        path = Path(folder) / "report.html"
        path.write_bytes(page)
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        return min(_opened(browser.new_page(), path.as_uri()) for _ in range(3))


def _opened(page, address: str) -> float:
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_function("document.documentElement.dataset.ready === 'yes'")
    seconds = time.perf_counter() - start
    page.close()
    return seconds


if __name__ == "__main__":
    main()
