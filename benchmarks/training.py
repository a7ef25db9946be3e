"""What training costs beside the boosting alone, and scoring; whether a seed fixes every byte.

``python -m benchmarks.training`` fits the churn model on made-up customers (200,000 x 100 features
x 6 cutoffs by default) in processes of their own, with one and with two threads, and scores a
million with their reasons as ``keepwell score`` does, with the churn model and rules for the rest.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from scipy.special import expit

from benchmarks.public_logs import ROOT
from benchmarks.record import Goal, line
from features.definitions import all_features
from features.params import ChurnParams, Cutoffs
from features.schemas import ENGAGEMENT_TYPES
from features.standing import with_standing
from models.churn import HISTORY, ChurnModel, Examples, boosted, histories
from models.fitting import Task, fit_churn
from models.preprocessing import STRONG
from models.scoring import Champion, Champions
from pipelines.config import read_params
from pipelines.features import CUSTOMERS_OF, POPULATION_OF, snapshot_path, write_cutoffs
from pipelines.project import Project
from pipelines.score import Rules, scored
from pipelines.tables import write_frame

GOALS = [
    Goal("times_the_boosting", 3.0, "<="),
    Goal("scoring_peak_mib", 4096, "<="),
    Goal("same_bytes_same_seed", 1, ">="),
    Goal("same_bytes_1_and_2_threads", 1, ">="),
]
CHURN = ChurnParams(horizon_days=30, gap_days=0, lookback_days=90)
LATEST = date(2026, 1, 1)
SEED = 0
BUCKET_ROWS = 250_000
PLACED = ("stage", "level", "activity", "stage_source")


def main() -> None:
    """Measure in child processes, or be one of them."""
    asked = arguments()
    if asked.child:
        print(json.dumps(measured(asked)))
        return
    whole = child(asked, asked.customers, threads=2, what="cost")
    small = min(asked.customers, 20_000)
    scoring = child(asked, small, threads=1, what="score")
    one, again, two = (child(asked, small, threads=n, what="model") for n in (1, 1, 2))
    figures = {
        "customers": asked.customers,
        "features": asked.features,
        "cutoffs": asked.cutoffs,
        **{name: value for name, value in whole.items() if name != "sha256"},
        **{name: value for name, value in scoring.items() if name != "training_cpu_s"},
        "times_the_boosting": round(whole["training_cpu_s"] / whole["boosting_cpu_s"], 3),
        "same_bytes_same_seed": int(one["sha256"] == again["sha256"]),
        "same_bytes_1_and_2_threads": int(one["sha256"] == two["sha256"]),
    }
    print(line("training", figures, GOALS))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Measure what training costs.")
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--cutoffs", type=int, default=6)
    parser.add_argument("--scored", type=int, default=1_000_000, help="Customers to score.")
    parser.add_argument("--child", choices=("cost", "model", "score"), help=argparse.SUPPRESS)
    return parser.parse_args()


def child(asked: argparse.Namespace, customers: int, *, threads: int, what: str) -> dict:
    """What a process with so many threads measured."""
    sizes = ["--customers", customers, "--features", asked.features, "--cutoffs", asked.cutoffs,
             "--scored", asked.scored]  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.training", "--child", what, *map(str, sizes)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    print(f"{what}, {customers:,} customers, {threads} threads: done", file=sys.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measured(asked: argparse.Namespace) -> dict:
    """CPU seconds of the whole training and of the boosting alone; a digest of the predictions."""
    rows = made_up(asked.customers, asked.features, asked.cutoffs)
    params = read_params(ROOT / "params.yaml").train
    buyers = {day: histories(rows.at([day]).x) for day in rows.days}
    start = time.process_time()
    model = fit_churn(Task(rows, buyers, CHURN, params, SEED))
    training = time.process_time() - start
    figures: dict = {"training_cpu_s": round(training, 1)}
    if asked.child == "score":
        return figures | scoring_of(model, asked.scored)
    if asked.child == "model":
        risk = model.predict_proba(rows.x.head(20_000))
        return figures | {"sha256": hashlib.sha256(risk.tobytes()).hexdigest()}
    start = time.process_time()
    boosted(rows, np.zeros(len(rows.y)), params, SEED)
    figures["boosting_cpu_s"] = round(time.process_time() - start, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return figures | {"peak_mib": round(peak / 1024)}


def made_up(customers: int, features: int, cutoffs: int) -> Examples:
    """Customers with purchase histories, strong features and others, and who of them churned."""
    draw = np.random.default_rng(SEED)
    n = customers * cutoffs
    names = [*HISTORY, *(name for name in STRONG if name not in HISTORY)]
    names += [f"other_{k}" for k in range(features - len(names))]
    x = pd.DataFrame(draw.gamma(1.0, 10.0, (n, features)).round(1), columns=names)
    silence = draw.integers(1, 91, n)
    x["value_gaps"] = draw.poisson(3, n).astype(float)
    x["value_span_days"] = np.where(x["value_gaps"] > 0, draw.integers(1, 365, n), 0).astype(float)
    x["days_since_first_value"] = x["value_span_days"] + silence
    x["days_since_last_value"] = silence.astype(float)
    log_odds = silence / 30 - 0.3 * x["value_gaps"] + 0.02 * x["visit_events_28d"] - 0.5
    y = (draw.random(n) < expit(log_odds.to_numpy())).astype(int)
    days = [LATEST - timedelta(days=30 * k) for k in reversed(range(cutoffs))]
    return Examples(x, y, np.repeat(np.array(days, dtype="datetime64[D]"), customers))


def scoring_of(model: ChurnModel, customers: int) -> dict:
    """Rows a second, CPU seconds and peak memory of scoring a snapshot on disk, with reasons."""
    project = Project(ROOT)
    rules = Rules(
        all_features(project.definitions), project.catalogue.standing, CHURN,
        project.params.recommend.margin_rate,
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        features, daily = Path(folder, "features"), Path(folder, "daily")
        write_snapshots(features, daily, customers, model, rules)
        begun, cpu = time.perf_counter(), time.process_time()
        scores = scored(features, daily, Champions(churn=Champion(model, "churn")), rules)
        seconds, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    assert scores["reason_1"].count() > customers / 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "scored": customers,
        "scoring_cpu_s": round(cpu_s, 1),
        "scoring_rows_a_second": round(customers / seconds),
        "scoring_peak_mib": round(peak / 1024),
    }


def write_snapshots(
    features: Path, daily: Path, customers: int, model: ChurnModel, rules: Rules
) -> None:
    """A snapshot of many customers in buckets, and small ones of the label window before."""
    dates = Cutoffs(train=[], test=None, before=LATEST - CHURN.reach, now=LATEST)
    write_cutoffs(features, dates)
    sizes = {dates.before: 1000, LATEST: customers}
    for day, most in sizes.items():
        for bucket, start in enumerate(range(0, most, BUCKET_ROWS)):
            rows = snapshot_rows(start, min(BUCKET_ROWS, most - start), day, model, rules)
            own = [c for c in rows.columns if c not in PLACED]
            folder = snapshot_path(features, day)
            write_frame(rows.select(own), folder / CUSTOMERS_OF.format(bucket))
            write_frame(rows.select(PLACED), folder / POPULATION_OF.format(bucket))
    nothing = {"customer_id": pl.String, "day": pl.Int64, "visible_day": pl.Int64,
               "first_value_sight": pl.Int64, "cents": pl.Int64}  # fmt: skip
    write_frame(pl.DataFrame(schema=nothing), daily / "part-0000.parquet")


def snapshot_rows(
    start: int, count: int, day: date, model: ChurnModel, rules: Rules
) -> pl.DataFrame:
    """Customers with what the model, the rules and the scores read."""
    draw = np.random.default_rng([SEED, start])
    read = {*model.feature_names_in_, *(c.feature for _, c in rules.standing.conditions),
            "order_cents", "value_days", "value_events_365d"}  # fmt: skip
    columns = {name: draw.gamma(1.0, 10.0, count).round(1) for name in sorted(read)}
    rows = pl.DataFrame(columns).with_columns(
        pl.Series("customer_id", [f"C{k:08d}" for k in range(start, start + count)]),
        *(pl.Series(f"{t}_score", draw.uniform(0, 100, count)) for t in ENGAGEMENT_TYPES),
        pl.Series("recency_ratio", draw.gamma(1.0, 1.5, count)),
        pl.col("value_events", "value_days", "order_cents", "value_events_365d").cast(pl.Int64),
        as_of=pl.lit(day),
    )
    return with_standing(nw.from_native(rows, eager_only=True), rules.standing).to_native()


if __name__ == "__main__":
    main()
