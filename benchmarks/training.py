"""What training costs beside the boosting alone, and whether a seed fixes every byte.

``python -m benchmarks.training`` fits the churn model on made-up customers (200,000 x 100 features
x 6 cutoffs by default) in processes of their own, with one and with two threads.
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

import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.public_logs import ROOT
from benchmarks.record import Goal, line
from features.params import ChurnParams
from models.churn import HISTORY, Examples, boosted, histories
from models.fitting import Task, fit_churn
from models.preprocessing import STRONG
from pipelines.config import read_params

GOALS = [
    Goal("times_the_boosting", 3.0, "<="),
    Goal("same_bytes_same_seed", 1, ">="),
    Goal("same_bytes_1_and_2_threads", 1, ">="),
]
CHURN = ChurnParams(horizon_days=30, gap_days=0, lookback_days=90)
LATEST = date(2026, 1, 1)
SEED = 0


def main() -> None:
    """Measure in child processes, or be one of them."""
    asked = arguments()
    if asked.child:
        print(json.dumps(measured(asked.customers, asked.features, asked.cutoffs, asked.child)))
        return
    whole = child(asked, asked.customers, threads=2, what="cost")
    small = min(asked.customers, 20_000)
    one, again, two = (child(asked, small, threads=n, what="model") for n in (1, 1, 2))
    figures = {
        "customers": asked.customers,
        "features": asked.features,
        "cutoffs": asked.cutoffs,
        **{name: value for name, value in whole.items() if name != "sha256"},
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
    parser.add_argument("--child", choices=("cost", "model"), help=argparse.SUPPRESS)
    return parser.parse_args()


def child(asked: argparse.Namespace, customers: int, *, threads: int, what: str) -> dict:
    """What a process with so many threads measured."""
    sizes = ["--customers", customers, "--features", asked.features, "--cutoffs", asked.cutoffs]
    command = [sys.executable, "-m", "benchmarks.training", "--child", what, *map(str, sizes)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    print(f"{what}, {customers:,} customers, {threads} threads: done", file=sys.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measured(customers: int, features: int, cutoffs: int, what: str) -> dict:
    """CPU seconds of the whole training and of the boosting alone; a digest of the predictions."""
    rows = made_up(customers, features, cutoffs)
    params = read_params(ROOT / "params.yaml").train
    buyers = {day: histories(rows.at([day]).x) for day in rows.days}
    start = time.process_time()
    model = fit_churn(Task(rows, buyers, CHURN, params, SEED))
    training = time.process_time() - start
    figures: dict = {"training_cpu_s": round(training, 1)}
    if what == "model":
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


if __name__ == "__main__":
    main()
