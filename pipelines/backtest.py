"""`keepwell backtest`: the churn model beside the dull rules at each past cutoff."""

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from features.definitions import Definitions
from features.errors import DataError
from features.params import ChurnParams
from features.schemas import LABELS
from models.baselines import dull_risks
from models.churn import churn_columns
from models.evaluation import OURS
from models.fitting import Task, fit_churn
from models.metrics import auc, binary_log_losses, ece, lift, paired_aucs
from models.params import GateParams, TrainParams
from models.splits import Fold, folds
from pipelines import tracking
from pipelines.examples import buyers_of, churn_examples, columns_of, labelled
from pipelines.features import read_cutoffs
from pipelines.metrics import write_json
from pipelines.tables import read

METRICS = ("auc", "log_loss", "ece", "top_decile_lift")


class Backtest(NamedTuple):
    """What a backtest is made with."""

    definitions: Definitions
    churn: ChurnParams
    train: TrainParams
    gate: GateParams
    tracking: tracking.TrackingParams
    seed: int


def backtest(
    features: Path, labels: Path, reports: Path, *, made: Backtest, root: Path
) -> list[dict[str, Any]]:
    """Judge at each past cutoff what would have been trained on that day; track it in MLflow.

    Returns
    -------
    list of dict
        One row a cutoff and model, with ``gain``, ``gain_low``, ``gain_high`` of the AUC over the
        best baseline in the rows of the model.

    Raises
    ------
    DataError
        If there is no cutoff with an earlier one whose label window had ended.
    """
    cutoffs = read_cutoffs(features)
    days = [*cutoffs.train, *([cutoffs.test] if cutoffs.test else [])]
    origins = folds(days, made.churn.reach, len(days))
    known = labelled(features, read(labels, LABELS), days) if origins else None
    rows = [row for fold in origins for row in _judged(fold, known, made)]
    if not rows:
        raise DataError(
            "backtest: the history is too short, or nobody or everybody churned. Got "
            f"{len(days)} past cutoffs. Expected at least 2, a label window apart. Load a longer "
            "history, or lower cutoffs.step_days or churn.horizon_days."
        )
    _track(rows, made, root)
    write_json(_metrics(rows), reports / "backtest.json")
    write_json([r for r in rows if r["model"] == OURS], reports / "backtest_cutoffs.json")
    return rows


def _judged(fold: Fold, known: pl.DataFrame | None, made: Backtest) -> list[dict[str, Any]]:
    assert known is not None
    columns = columns_of(made.definitions)
    earlier = known.filter(pl.col("as_of").is_in(fold.fit))
    now = known.filter(pl.col("as_of") == fold.held_out)
    fit, test = churn_examples(earlier, columns), churn_examples(now, columns)
    if min(len(set(fit.y)), len(set(test.y))) < 2:
        return []
    own = churn_columns(fit.x)
    bought = buyers_of(pl.concat([earlier, now]))
    task = Task(fit._replace(x=fit.x[own]), bought, made.churn, made.train, made.seed)
    model = fit_churn(task).on(fold.held_out)
    risks = dull_risks(fit, test, bought[fold.held_out], made.churn.horizon_days)
    risks[OURS] = model.predict_proba(test.x.loc[:, own])[:, 1]
    return _rows(fold.held_out, test.y, risks, made)


def _rows(
    day: date, y: np.ndarray, risks: dict[str, np.ndarray], made: Backtest
) -> list[dict[str, Any]]:
    best = max((name for name in risks if name != OURS), key=lambda name: auc(y, risks[name]))
    samples = made.gate.bootstrap_samples
    gain = paired_aucs(y, [risks[OURS], risks[best]], samples, made.seed)[1]
    rows: list[dict[str, Any]] = []
    for name, risk in risks.items():
        values = (auc(y, risk), float(binary_log_losses(y, risk).mean()), ece(y, risk))
        figures = dict(zip(METRICS, (*values, lift(y, risk)), strict=True))
        row = {"as_of": day.isoformat(), "model": name, "n": len(y), "churn_rate": float(y.mean())}
        rows.append({**row, **figures})
    rows[-1] |= {"against": best, "gain": gain.mean, "gain_low": gain.low, "gain_high": gain.high}
    return rows


def _metrics(rows: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Means over the cutoffs, by model."""
    names = dict.fromkeys(row["model"] for row in rows)
    return {
        name: {m: float(np.mean([r[m] for r in rows if r["model"] == name])) for m in METRICS}
        for name in names
    }


def _track(rows: list[dict[str, Any]], made: Backtest, root: Path) -> None:
    """One MLflow run for the backtest, with a child for each cutoff."""
    mlflow = tracking.open_store(made.tracking, root)
    means = {f"churn.{n}.{m}": v for n, f in _metrics(rows).items() for m, v in f.items()}
    with mlflow.start_run(run_name="backtest"):
        mlflow.log_params({f"train.{k}": v for k, v in made.train.model_dump().items()})
        mlflow.log_params({f"churn.{k}": v for k, v in made.churn.model_dump().items()})
        mlflow.log_metrics(means)
        for day in dict.fromkeys(row["as_of"] for row in rows):
            with mlflow.start_run(run_name=f"backtest {day}", nested=True):
                for row in (r for r in rows if r["as_of"] == day):
                    mlflow.log_metrics({f"churn.{row['model']}.{m}": row[m] for m in METRICS})


def spoken(rows: list[dict[str, Any]], churn: ChurnParams) -> str:
    """The table for the terminal: each cutoff, and the mean."""
    ours = [row for row in rows if row["model"] == OURS]
    names = [name for name in dict.fromkeys(r["model"] for r in rows) if name != OURS]
    by = {(r["as_of"], r["model"]): r for r in rows}
    head = f"{'as of':12}{'customers':>10}{'churned':>9}" + "".join(
        f"{name:>14}" for name in (OURS, *names)
    )
    lines = [
        f"Customers with a value event in the {churn.lookback_days} days before; churned = none in "
        f"the {churn.horizon_days} days from {churn.gap_days} days after. AUC:",
        head + "   gain over the best rule (95 % interval)   log-loss    ECE",
    ]
    for row in ours:
        aucs = "".join(f"{by[row['as_of'], name]['auc']:14.3f}" for name in (OURS, *names))
        gain = f"{row['gain']:+.3f} ({row['gain_low']:+.3f} to {row['gain_high']:+.3f})"
        lines.append(
            f"{row['as_of']:12}{row['n']:10,d}{row['churn_rate']:9.3f}{aucs}   {gain:40}"
            f"{row['log_loss']:10.3f}{row['ece']:7.3f}"
        )
    means = _metrics(rows)
    aucs = "".join(f"{means[name]['auc']:14.3f}" for name in (OURS, *names))
    gain = f"{np.mean([row['gain'] for row in ours]):+.3f}"
    ends = f"{means[OURS]['log_loss']:10.3f}{means[OURS]['ece']:7.3f}"
    return "\n".join([*lines, f"{'mean':31}{aucs}   {gain:40}{ends}"])
