"""Lifetime value on CDNOW and Online Retail II UK: money and orders of the next 90 days.

``python -m benchmarks.value [--data ../shared/data]`` follows `benchmarks.public_logs`:
fitted on the cutoffs before the test with the repository's own parameters, judged once on the test,
customers with an order before it. Baselines are computed in the same run: MBG/NBD with Gamma-Gamma
alone, and the last 90 days again. ``--earlier 1`` (2, 3) tests on the latest (second, third latest)
training cutoff instead, which is what to use while trying things.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.public_logs import HORIZON_DAYS, LOGS, Log, customer_days, earlier, snapshots
from benchmarks.record import Goal, line
from features.definitions import all_features
from features.time import day_number
from models.lifetime_value import fit_start, forecasts, started
from models.preprocessing import informative, matrix
from models.spread import coverage
from models.value_backtest import Cutoff, Window, fit_value
from models.value_judge import accuracy
from pipelines.project import Project

ROOT = Path(__file__).resolve().parent.parent
PURCHASES, MONEY = "purchases", "money"
GOALS = [
    Goal("cdnow_purchases_rmse", 0.618, "<="),
    Goal("cdnow_purchases_bias", 0.85, ">="),
    Goal("cdnow_purchases_bias", 1.15, "<="),
    Goal("cdnow_money_rmse", 30.9, "<="),
    Goal("cdnow_money_spearman", 0.41, ">="),
    Goal("or2_uk_purchases_rmse", 1.16, "<="),
    Goal("or2_uk_purchases_bias", 0.85, ">="),
    Goal("or2_uk_purchases_bias", 1.15, "<="),
    Goal("or2_uk_money_spearman", 0.575, ">="),
    Goal("or2_uk_money_mae", 375, "<="),
    Goal("or2_uk_money_bias", 0.85, ">="),
    Goal("or2_uk_money_bias", 1.15, "<="),
    *(Goal(f"{name}_coverage", bound, direction) for name in ("cdnow", "or2_uk")
      for bound, direction in ((0.75, ">="), (0.85, "<="))),
]  # fmt: skip


class Test(NamedTuple):
    """The cutoffs to learn from, and the one that judges."""

    train: list[Cutoff]
    test: Cutoff
    columns: list[str]


def main() -> None:
    """Fit and judge on each data set and print the figures."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--data", type=Path, default=Path("../shared/data"))
    reader.add_argument("--earlier", type=int, default=0, help="test on an earlier cutoff")
    asked = reader.parse_args()
    figures: dict[str, float] = {}
    for log in LOGS:
        if log.name == "stats_se":  # posts bring no money
            continue
        found = judged(read(earlier(log, asked.earlier), asked.data))
        print(log.name, found, file=sys.stderr)
        figures |= {f"{log.name}_{key}": round(value, 4) for key, value in found.items()}
    print(line("value", figures, GOALS))


def read(log: Log, data: Path) -> Test:
    """Snapshots of all cutoffs with what followed each."""
    days = customer_days(log.name, data).with_columns(day=pl.col("on").cast(pl.Int32))
    with TemporaryDirectory() as folder:
        rows = snapshots(log, data, Path(folder))
    cutoffs = [_cutoff(part, days) for part in rows.partition_by("as_of")]
    features = [feature.name for feature in all_features(Project(ROOT).definitions)]
    columns = informative(matrix(pl.concat([c.rows for c in cutoffs[:-1]]), features))
    return Test(cutoffs[:-1], cutoffs[-1], columns)


def _cutoff(rows: pl.DataFrame, days: pl.DataFrame) -> Cutoff:
    as_of = rows["as_of"][0]
    start = day_number(as_of)
    window = days.filter(pl.col("day").is_between(start, start + HORIZON_DAYS - 1))
    sums = window.group_by("customer_id").agg(orders=pl.len(), cents=pl.col("cents").sum())
    came = rows.select("customer_id").join(
        sums, on="customer_id", how="left", maintain_order="left"
    )
    orders, cents = (
        came[name].fill_null(0).to_numpy().astype(float) for name in ("orders", "cents")
    )
    return Cutoff(as_of, rows, orders, np.maximum(cents, 0))


def judged(task: Test) -> dict[str, float]:
    """Accuracy of purchases and money (in units, not cents), of the baselines, and coverage."""
    params = Project(ROOT).params
    window = Window(0, HORIZON_DAYS)
    rows, orders, cents = task.test.rows, task.test.orders, task.test.cents
    model = fit_value(task.train, rows, task.columns, window, params.value, params.run.seed)
    ours = forecasts(model, rows, task.test.as_of, [HORIZON_DAYS])[0]
    start = started(fit_start(rows), rows, 0, HORIZON_DAYS)
    naive = rows.select("value_events_90d", "value_cents_90d").cast(pl.Float64).to_numpy().T
    pairs = {"": ours, "mbg_nbd_": start, "naive_": naive}
    found = {"customers": float(rows.height), "season": float(bool(model.seasons))}
    for name, expected in pairs.items():
        found |= _measured(f"{name}{PURCHASES}", orders, expected[0])
        found |= _measured(f"{name}{MONEY}", cents / 100, expected[1] / 100)
    inside, of_all = coverage(np.rint(ours.low_cents), np.rint(ours.high_cents), cents)
    for name, trust in zip((PURCHASES, MONEY), model.trust, strict=True):
        found |= {f"{name}_trust_{kind}": share for kind, share in trust._asdict().items()}
    wide = float((np.rint(ours.high_cents) > 0).mean())
    return found | {"coverage": inside, "coverage_all": of_all, "with_interval_share": wide}


def _measured(name: str, actual: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    return {f"{name}_{key}": value for key, value in accuracy(actual, expected).items()}


if __name__ == "__main__":
    main()
