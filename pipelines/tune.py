"""`keepwell tune`: a small Optuna study of the churn model's parameters, on past cutoffs alone."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.errors import ConfigurationError, DataError
from features.schemas import LABELS
from models.churn import churn_columns
from models.fitting import Task, fit_churn
from models.metrics import binary_log_losses
from models.params import TrainParams
from models.splits import Fold, folds
from pipelines.backtest import Backtest
from pipelines.examples import buyers_of, churn_examples, columns_of, labelled
from pipelines.features import read_cutoffs
from pipelines.metrics import write_json
from pipelines.tables import read

ORIGINS = 2


def tune(features: Path, labels: Path, out: Path, *, made: Backtest, trials: int) -> dict[str, Any]:
    """Look for parameters with a smaller log-loss at held-out training cutoffs.

    The out-of-time test of the gate is never read.

    Returns
    -------
    dict
        ``log_loss`` of the best and of the present parameters, and ``values`` of the best.

    Raises
    ------
    DataError
        If no training cutoff has an earlier one whose label window had ended.
    ConfigurationError
        If Optuna is not installed.
    """
    cutoffs = read_cutoffs(features)
    origins = folds(cutoffs.train, made.churn.reach, ORIGINS)
    if not origins:
        raise DataError(
            f"tune: nothing to hold out. Got {len(cutoffs.train)} training cutoffs. Expected at "
            "least 2, a label window apart. Load a longer history."
        )
    known = labelled(features, read(labels, LABELS), cutoffs.train)
    study = _study(made.seed)

    def loss(params: TrainParams) -> float:
        return float(np.mean([_loss(fold, known, made, params) for fold in origins]))

    study.enqueue_trial({name: getattr(made.train, name) for name in _space(None)})
    study.optimize(lambda t: loss(made.train.model_copy(update=_space(t))), n_trials=trials)
    best = {
        "log_loss": study.best_value,
        "log_loss_now": study.trials[0].value,
        "values": {f"train.{name}": value for name, value in study.best_params.items()},
    }
    write_json(best, out)
    return best


def _study(seed: int) -> Any:
    try:
        import optuna
    except ImportError:
        raise ConfigurationError(
            "tune: Optuna is not installed. Install it: `pip install 'keepwell[optuna]'`."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))


def _space(trial: Any) -> dict[str, Any]:
    """What is tried; without a trial, the names alone."""
    ranges: dict[str, tuple[str, float, float]] = {
        "churn_rounds": ("int", 50, 400),
        "churn_learning_rate": ("float", 0.01, 0.15),
        "churn_leaves": ("int", 3, 31),
        "churn_min_leaf": ("int", 20, 500),
        "churn_l2": ("float", 0.1, 100.0),
        "churn_columns": ("float", 0.1, 1.0),
        "logistic_c": ("float", 0.001, 10.0),
    }
    if trial is None:
        return dict.fromkeys(ranges)
    return {
        name: trial.suggest_int(name, int(low), int(high), log=True)
        if kind == "int"
        else trial.suggest_float(name, low, high, log=True)
        for name, (kind, low, high) in ranges.items()
    }


def _loss(fold: Fold, known: pl.DataFrame, made: Backtest, params: TrainParams) -> float:
    earlier = known.filter(pl.col("as_of").is_in(fold.fit))
    now = known.filter(pl.col("as_of") == fold.held_out)
    fit = churn_examples(earlier, columns_of(made.definitions))
    own = churn_columns(fit.x)
    buyers = buyers_of(pl.concat([earlier, now]))
    model = fit_churn(Task(fit._replace(x=fit.x[own]), buyers, made.churn, params, made.seed))
    test = churn_examples(now, own)
    risk = model.on(fold.held_out).predict_proba(test.x)[:, 1]
    return float(binary_log_losses(test.y, risk).mean())


def spoken(best: dict[str, Any]) -> str:
    """What was found, as a command that tries it."""
    settings = " ".join(
        f"-S {name}={value if isinstance(value, int) else format(value, '.4g')}"
        for name, value in best["values"].items()
    )
    return (
        f"Log-loss at held-out cutoffs {best['log_loss']:.4f}; now {best['log_loss_now']:.4f}.\n"
        f"Try it: dvc exp run {settings}"
    )
