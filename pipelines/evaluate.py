"""Step: judge the trained models out of time, track them in MLflow, promote what may be."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from features.definitions import Definitions
from features.params import ChurnParams
from features.schemas import LABELS
from models.baselines import dull_risks, look_up, stays_table, transition_table
from models.evaluation import OURS, Judged, Leaks, judge_churn, judge_standing
from models.leaks import too_telling
from models.params import GateParams
from models.preprocessing import matrix
from models.standing import probabilities, with_current
from models.subgroups import of_churn, of_standing
from pipelines import tracking, worth
from pipelines.artifacts import load_model
from pipelines.champions import KINDS, champions_of, nothing, write_champions
from pipelines.examples import (
    Standing,
    buyers_of,
    churn_examples,
    classes,
    labelled,
    standing_examples,
)
from pipelines.leaks import changed_features
from pipelines.metrics import write_reports
from pipelines.promotion import Trial, recorded
from pipelines.tables import read
from pipelines.train import STANDINGS, Training, read_training

EXAMPLE = 100  # rows that a model's signature is inferred from


class Bench(NamedTuple):
    """Everything that the trials share."""

    mlflow: Any
    training: Training
    known: pl.DataFrame
    test: pl.DataFrame
    changed: list[str]
    params: GateParams
    seed: int
    prefix: str


def evaluate(
    features: Path, daily: Path, labels: Path, models: Path, out: Path, reports: Path, *,
    params: GateParams, definitions: Definitions, tracking_params: tracking.TrackingParams,
    seed: int, root: Path,
) -> dict[str, Any]:  # fmt: skip
    """Judge, track and register; write ``evaluation.json``, ``champions.json`` and DVC's metrics.

    Returns
    -------
    dict
        The content of ``evaluation.json``: for churn, stage and level the test's rows, baselines,
        gain with interval, whether it was promoted, and why.
    """
    training = read_training(models)
    mlflow = tracking.open_store(tracking_params, root)
    prefix = tracking_params.experiment
    evaluation = {kind: _absent(training, kind) for kind in KINDS}
    if training.test is not None:
        changed = changed_features(features, daily, definitions, training.test)
        bench = _bench(mlflow, training, features, labels, changed, params, seed, prefix)
        tried = {kind: _try(bench, models, kind) for kind in training.models}
        evaluation |= {k: nothing(why) for k, why in tried.items() if isinstance(why, str)}
        trials = [trial for trial in tried.values() if not isinstance(trial, str)]
        run = f"as_of {training.as_of}"
        evaluation = recorded(mlflow, run, _logged(training, params, seed), trials, evaluation)
    champions = champions_of(mlflow, prefix)
    write_champions(champions, evaluation, out)
    write_reports(evaluation, reports)
    return evaluation


def _bench(
    mlflow: Any,
    training: Training,
    features: Path,
    labels: Path,
    changed: list[str],
    params: GateParams,
    seed: int,
    prefix: str,
) -> Bench:
    table = read(labels, LABELS)
    known = labelled(features, table, training.train)
    assert training.test is not None
    test = labelled(features, table, [training.test])
    return Bench(mlflow, training, known, test, changed, params, seed, prefix)


def _absent(training: Training, kind: str) -> dict[str, Any]:
    return nothing(f"not trained: {training.why_not.get(kind, 'see the log')}")


def _try(bench: Bench, models: Path, kind: str) -> Trial | str:
    """A model judged beside the baselines and the champion, or why it cannot be judged."""
    fingerprint = bench.training.models[kind]
    model = load_model(models / f"{kind}.skops", fingerprint)
    name, label = f"{bench.prefix}-{kind}", _label(bench.training)
    now = tracking.champion(bench.mlflow, name)
    loads = now is not None and now.label == label and tracking.readable(bench.mlflow, now)
    rival = tracking.load(bench.mlflow, now) if now and loads else None
    if kind == "churn" and bench.test.filter("in_population")["churned"].n_unique() < 2:
        return "cannot be judged: at the test everybody churned, or nobody did"
    if kind == "churn":
        judged, example, facts = _try_churn(bench, model, rival)
    elif kind == "value":
        judged, example, facts = worth.judged(model, rival, bench.test, bench.params, bench.seed)
        facts |= _span(bench.training)
    else:
        standing = next(s for s in STANDINGS if s.name == kind)
        judged, example, facts = _try_standing(bench, model, rival, standing)
    return Trial(kind, name, model, fingerprint, label, example.head(EXAMPLE), judged, facts)


def _try_churn(bench: Bench, model: Any, rival: Any) -> tuple[Judged, Any, dict[str, Any]]:
    training, day = bench.training, bench.training.test
    assert day is not None
    fit = churn_examples(bench.known, training.columns)
    test = churn_examples(bench.test, training.columns)
    horizon = training.label.horizon_days
    predictions = dull_risks(fit, test, buyers_of(bench.test)[day], horizon)
    predictions[OURS] = _risk(model.on(day), bench.test)
    champion = None if rival is None else _risk(rival.on(day), bench.test)
    suspects = too_telling(test.x, test.y, bench.params.max_feature_auc)
    leaks = Leaks(bench.changed, suspects)
    judged = judge_churn(test.y, predictions, champion, bench.params, bench.seed, leaks)
    days = training.label.lookback_days
    facts = {
        **_span(training),
        "population": f"customers with a value event in the {days} days before",
        "n": len(test.y),
        "churn_rate": float(test.y.mean()),
        "card": of_churn(test.y, predictions[OURS], bench.test.filter("in_population"), bench.seed),
    }
    return judged, test.x[list(model.feature_names_in_)], facts


def _risk(model: Any, test: pl.DataFrame) -> np.ndarray:
    population = test.filter("in_population")
    return model.predict_proba(matrix(population, list(model.feature_names_in_)))[:, 1]


def _try_standing(
    bench: Bench, model: Any, rival: Any, standing: Standing
) -> tuple[Judged, Any, dict[str, Any]]:
    order, columns = standing.classes, bench.training.columns
    x, following, _ = standing_examples(bench.test, columns, standing)
    now, before = classes(bench.test, standing.name), classes(bench.known, standing.name)
    after = classes(bench.known, f"{standing.name}_next")
    tables = {
        "stays": stays_table(before, after, len(order)),
        "transition_table": transition_table(before, after, order),
    }
    predictions = {name: look_up(table, now, order) for name, table in tables.items()}
    predictions[OURS] = probabilities(model, x, order)
    champion = None
    if rival is not None:
        own = [c for c in rival.feature_names_in_ if c in bench.test.columns]
        champion = probabilities(rival, with_current(matrix(bench.test, own), now, order), order)
    judged = judge_standing(following, predictions, champion, order, bench.params, bench.seed)
    example = x[list(model.feature_names_in_)]
    card = of_standing(following, predictions[OURS], now, order, bench.test, bench.seed)
    return judged, example, {**_span(bench.training), "n": len(following), "card": card}


def _span(training: Training) -> dict[str, Any]:
    return {
        "test_as_of": str(training.test),
        "train_as_of": [str(day) for day in training.train],
        "horizon_days": training.label.horizon_days,
        "gap_days": training.label.gap_days,
    }


def _label(training: Training) -> str:
    label: ChurnParams = training.label
    return json.dumps(label.model_dump(), sort_keys=True)


def _logged(training: Training, params: GateParams, seed: int) -> dict[str, Any]:
    """What the run is logged with."""
    return {
        "as_of": training.as_of,
        "test_as_of": training.test,
        "train_as_of": ",".join(map(str, training.train)),
        "features": len(training.columns),
        "data_sha256": training.data_sha256,
        "seed": seed,
        **{f"churn.{k}": v for k, v in training.label.model_dump().items()},
        **{f"gate.{k}": v for k, v in params.model_dump().items()},
    }
