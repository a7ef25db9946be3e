"""Step: features and labels of past cutoffs -> churn, stage and level models, not yet judged."""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.definitions import Definitions
from features.params import ChurnParams
from features.records import Record
from features.schemas import LABELS, LEVELS, STAGES
from models.churn import churn_columns
from models.fitting import Task, fit_churn
from models.params import TrainParams, ValueParams
from models.standing import fit_standing, standing_columns
from pipelines import worth
from pipelines.artifacts import save_model
from pipelines.champions import KINDS
from pipelines.examples import (
    Standing,
    buyers_of,
    churn_examples,
    columns_of,
    labelled,
    standing_examples,
)
from pipelines.features import read_cutoffs, read_snapshot
from pipelines.tables import present, read, write_text

TRAINING = "training.json"
STANDINGS = (Standing("stage", STAGES), Standing("level", LEVELS))


class Training(Record):
    """What was trained on what; models that were not trained say why."""

    as_of: date
    train: list[date]
    test: date | None
    label: ChurnParams
    columns: list[str]
    data_sha256: str
    models: dict[str, str]
    why_not: dict[str, str]


def train(
    features: Path, labels: Path, out: Path, *, params: TrainParams, value: ValueParams,
    definitions: Definitions, churn: ChurnParams, seed: int,
) -> Training:  # fmt: skip
    """Fit the four models and write them with ``training.json`` to `out`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    cutoffs = read_cutoffs(features)
    columns = columns_of(definitions)
    facts: dict[str, Any] = {"as_of": cutoffs.now, "label": churn, "columns": columns}
    if cutoffs.test is None:
        training = _untrained(facts, "the history is too short for a training and a test cutoff")
    else:
        training = _fit(features, read(labels, LABELS), out, facts, params, value, seed)
    write_text(training.model_dump_json(indent=2) + "\n", out / TRAINING)
    return training


def read_training(models: Path) -> Training:
    """What `train` wrote."""
    return Training.model_validate(json.loads(present(models / TRAINING, "models").read_text()))


def _untrained(facts: dict[str, Any], why: str) -> Training:
    nothing: dict[str, Any] = {"train": [], "test": None, "data_sha256": ""}
    return Training(**facts, **nothing, models={}, why_not=dict.fromkeys(KINDS, why))


def _fit(
    features: Path,
    labels: pl.DataFrame,
    out: Path,
    facts: dict[str, Any],
    params: TrainParams,
    value: ValueParams,
    seed: int,
) -> Training:
    cutoffs = read_cutoffs(features)
    known = labelled(features, labels, cutoffs.train)
    models: dict[str, str] = {}
    why_not: dict[str, str] = {}
    examples = churn_examples(known, facts["columns"])
    poor = too_few(examples.y, params.min_per_class)
    if poor:
        why_not["churn"] = poor
    else:
        own = churn_columns(examples.x)
        assert cutoffs.test is not None
        test = read_snapshot(features, cutoffs.test)
        bought = buyers_of(known) | buyers_of(test)
        rows = examples._replace(x=examples.x[own])
        model = fit_churn(Task(rows, bought, facts["label"], params, seed))
        models["churn"] = save_model(model, out / "churn.skops")
    for standing in STANDINGS:
        x, following, _ = standing_examples(known, facts["columns"], standing)
        if len(set(following)) < 2:
            why_not[standing.name] = "everybody has the same next class"
            continue
        model = fit_standing(x.loc[:, standing_columns(x)], following, params, seed)
        models[standing.name] = save_model(model, out / f"{standing.name}.skops")
    latest = read_snapshot(features, cutoffs.test) if cutoffs.test else known.clear()
    valued = worth.fit(known, latest, facts["columns"], facts["label"], value, seed)
    if valued is None:
        why_not["value"] = (
            f"fewer than {value.min_customers} customers with an order at the past cutoffs after "
            "which anybody paid, or nothing tells them apart"
        )
    else:
        models["value"] = save_model(valued, out / "value.skops")
    return Training(
        **facts, train=cutoffs.train, test=cutoffs.test, data_sha256=_digest(known),
        models=models, why_not=why_not,
    )  # fmt: skip


def too_few(churned: np.ndarray, minimum: int) -> str | None:
    """Why there are too few examples for a churn model, or None where there are enough."""
    yes, no = int(churned.sum()), int(len(churned) - churned.sum())
    if min(yes, no) >= minimum:
        return None
    return (
        f"too few examples at the past cutoffs: {yes} churned and {no} kept customers, at least "
        f"{minimum} of each are needed"
    )


def _digest(rows: pl.DataFrame) -> str:
    return hashlib.sha256(rows.write_csv().encode()).hexdigest()
