"""Churn models on three public logs, two populations each, beside dull baselines.

``python -m benchmarks.quality`` uses one configuration, ``params.yaml``, for everything. The test
of each log is looked at once; ``--earlier 1`` (2, 3) moves the test back to the latest (second,
third latest) training cutoff, which is what to use while trying things.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.public_logs import HORIZON_DAYS, LOGS, ROOT, Log, earlier, snapshots
from benchmarks.record import Goal, line
from features.params import ChurnParams
from models.baselines import dull_risks
from models.churn import churn_columns
from models.fitting import Task, fit_churn
from models.metrics import Interval, auc, binary_log_losses, ece, lift, paired_aucs, paired_interval
from models.params import TrainParams
from pipelines.config import read_params
from pipelines.examples import buyers_of, churn_examples

DATA = ROOT.parent / "shared" / "data"
LOOKBACK_DAYS = {"all": 3650, "recent": 180}
SAMPLES, SEED = 500, 0
OURS, BARS = "keepwell", ("rfm_logistic", "mbg_nbd")
NOT_FEATURES = (
    "customer_id", "as_of", "stage", "stage_source", "level", "activity", "churned",
    "in_population",
)  # fmt: skip


class Bounds(NamedTuple):
    """What is asked for, by reference/quality.md's table of figures to reach."""

    must: float
    goal: float
    log_loss: float
    ece: float


BOUNDS = {
    "or2_uk_all": Bounds(0.797, 0.801, 0.550, 0.05),
    "or2_uk_recent": Bounds(0.768, 0.775, 0.550, 0.03),
    "cdnow_all": Bounds(0.839, 0.842, 0.2955, 0.015),
    "cdnow_recent": Bounds(0.7265, 0.731, 0.581, 0.02),
    "stats_se_all": Bounds(0.852, 0.855, 0.1915, 0.010),
    "stats_se_recent": Bounds(0.797, 0.800, 0.3565, 0.015),
}
LEAST_GOALS, LEAST_LOG_LOSS, LEAST_ECE = 4, 5, 4


def main() -> None:
    """Judge every log and population and print the figures."""
    asked = arguments()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for log in LOGS:
            work = (asked.work or Path(folder)) / log.name
            rows = snapshots(log, asked.data, work)
            for population in LOOKBACK_DAYS:
                figures |= judged(earlier(log, asked.earlier), rows, population)
    print(line("quality", figures | totals(figures), goals()))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Judge churn models on public logs.")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--work", type=Path, help="keep the features here, for another run")
    parser.add_argument("--earlier", type=int, default=0, help="test on an earlier cutoff")
    return parser.parse_args()


def judged(log: Log, rows: pl.DataFrame, population: str) -> dict[str, float]:
    """Figures of one log and population, by name."""
    name = f"{log.name}_{population}"
    inside = pl.col("days_since_last_value") <= LOOKBACK_DAYS[population]
    placed = rows.with_columns(in_population=inside.fill_null(False))
    y, risks = predicted(log, placed, LOOKBACK_DAYS[population])
    figures = measured(y, risks)
    say(name, log.test, y, figures)
    return {f"{name}_{key}": value for key, value in figures.items()}


def predicted(
    log: Log, rows: pl.DataFrame, lookback_days: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What happened at the test, and the risk by the model and by each baseline."""
    columns = [name for name in rows.columns if name not in NOT_FEATURES]
    known = rows.filter(pl.col("as_of").is_in(log.train))
    test = rows.filter(pl.col("as_of") == log.test)
    fit, final = churn_examples(known, columns), churn_examples(test, columns)
    own = churn_columns(fit.x)
    churn = ChurnParams(horizon_days=HORIZON_DAYS, gap_days=0, lookback_days=lookback_days)
    params: TrainParams = read_params(ROOT / "params.yaml").train
    bought = buyers_of(pl.concat([known, test]))
    model = fit_churn(Task(fit._replace(x=fit.x[own]), bought, churn, params, SEED)).on(log.test)
    risks = dull_risks(fit, final, bought[log.test], HORIZON_DAYS)
    print(json.dumps({**model.blend_, "season": bool(model.season_)}), file=sys.stderr)
    return final.y, {OURS: model.predict_proba(final.x[own])[:, 1], **risks}


def measured(y: np.ndarray, risks: dict[str, np.ndarray]) -> dict[str, float]:
    """AUC, log-loss, calibration and lift with 95 % intervals, and the gain over the better bar."""
    figures: dict[str, float] = {"n": len(y), "churn_rate": float(y.mean())}
    for name, risk in risks.items():
        values = {"auc": paired_aucs(y, [risk], SAMPLES, SEED)[0]}
        for metric, of in (("log_loss", log_loss), ("ece", ece), ("top_decile_lift", lift)):
            values[metric] = paired_interval(
                lambda i, of=of, p=risk: of(y[i], p[i]), len(y), SAMPLES, SEED
            )
        figures |= {f"{name}_{m}_{end}": v for m, i in values.items() for end, v in ends(i)}
    best = max(BARS, key=lambda name: auc(y, risks[name]))
    gain = paired_aucs(y, [risks[OURS], risks[best]], SAMPLES, SEED)[1]
    return figures | {f"auc_gain_{end}": value for end, value in ends(gain)}


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Mean over customers."""
    return float(binary_log_losses(y, p).mean())


def ends(interval: Interval) -> list[tuple[str, float]]:
    """Names and values for the record; the mean has no name of its own."""
    return [(end, round(value, 5)) for end, value in interval._asdict().items()]


def say(name: str, test: date, y: np.ndarray, figures: dict[str, float]) -> None:
    """One line a model, for the reader."""
    print(f"{name}, test {test}, n {len(y)}, churn {y.mean():.3f}", file=sys.stderr)
    for model in (OURS, *BARS, "recency"):
        parts = [
            f"{metric} {figures[f'{model}_{metric}_mean']:.4f} "
            f"({figures[f'{model}_{metric}_low']:.4f} to {figures[f'{model}_{metric}_high']:.4f})"
            for metric in ("auc", "log_loss", "ece", "top_decile_lift")
        ]
        print(f"  {model:13s} " + "  ".join(parts), file=sys.stderr)
    gain = [figures[f"auc_gain_{end}"] for end in ("mean", "low", "high")]
    print("  gain over the better of RFM and MBG/NBD {:+.4f} ({:+.4f} to {:+.4f})".format(*gain),
          file=sys.stderr)  # fmt: skip


def totals(figures: dict[str, float]) -> dict[str, float]:
    """How many of the six rows reach the goal, the log-loss and the calibration asked for."""

    def count(metric: str, met: Callable[[float, Bounds], bool]) -> int:
        return sum(met(figures[f"{n}_{OURS}_{metric}_mean"], b) for n, b in BOUNDS.items())

    return {
        "rows_at_goal_auc": count("auc", lambda value, bounds: value >= bounds.goal),
        "rows_at_log_loss": count("log_loss", lambda value, bounds: value <= bounds.log_loss),
        "rows_at_ece": count("ece", lambda value, bounds: value <= bounds.ece),
    }


def goals() -> list[Goal]:
    """Every AUC that must be reached, the firm gate, and the number of rows at each bound."""
    return [
        *(Goal(f"{name}_{OURS}_auc_mean", b.must, ">=") for name, b in BOUNDS.items()),
        *(Goal(f"{name}_auc_gain_low", 0.0, ">=") for name in BOUNDS),
        Goal("rows_at_goal_auc", LEAST_GOALS, ">="),
        Goal("rows_at_log_loss", LEAST_LOG_LOSS, ">="),
        Goal("rows_at_ece", LEAST_ECE, ">="),
    ]


if __name__ == "__main__":
    main()
