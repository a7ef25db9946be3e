"""How a churn model is fitted: members on all cutoffs, blend and level on held-out ones."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np

from features.params import ChurnParams
from models.blend import Blend, offset, stacked
from models.churn import MEMBERS, ONE_BLAS_THREAD, ChurnModel, Examples
from models.params import TrainParams
from models.purchases import Histories
from models.season import Trial, season_helps
from models.splits import Fold, folds

CALM = MEMBERS.index("logistic")  # too simple a member to learn by heart which cutoff is which


class Held(NamedTuple):
    """What models of earlier cutoffs said of a held-out one, and the truth."""

    logits: np.ndarray
    y: np.ndarray
    trial: Trial


class Task(NamedTuple):
    """What a churn model is fitted on.

    Attributes
    ----------
    rows : Examples
        Of all training cutoffs.
    buyers : mapping of date to Histories
        Everybody who ever bought, as of each training cutoff and the day of judging; no label is
        read from them.
    churn : ChurnParams
    params : TrainParams
    seed : int
    """

    rows: Examples
    buyers: Mapping[date, Histories]
    churn: ChurnParams
    params: TrainParams
    seed: int


@ONE_BLAS_THREAD
def fit_churn(task: Task) -> ChurnModel:
    """Fit the members on all cutoffs; weigh them by held-out ones.

    The general level is that of all training cutoffs, with the season's offset where it helps: how
    far the latest cutoffs were off does not foretell the next one (docs/models.md). What is left of
    the held-out intercepts makes up for weights that do not add up to 1.
    """
    model = _members(task, task.rows, max(task.buyers))
    held = [_held(task, fold) for fold in _folds(task)]
    if not held:
        return model
    groups = np.repeat(np.arange(len(held)), [len(h.y) for h in held])
    logits, y = np.concatenate([h.logits for h in held]), np.concatenate([h.y for h in held])
    weights, levels = stacked(logits, y, groups)
    season = _season(task, model, held)
    level = float(np.mean(levels - [h.trial.offset for h in held]))
    named = dict(zip(MEMBERS, map(float, weights), strict=True))
    return model.with_blend(Blend(named, level)).with_season(season)


def _folds(task: Task) -> list[Fold]:
    """The latest held-out cutoffs with both outcomes, before and after."""

    def both(days: list[date]) -> bool:
        return len(set(task.rows.at(days).y)) == 2

    every = folds(task.rows.days, task.churn.reach, task.params.held_out)
    return [fold for fold in every if both(fold.fit) and both([fold.held_out])]


def _held(task: Task, fold: Fold) -> Held:
    earlier = task.rows.at(fold.fit).sample(task.params.fold_rows, task.seed)
    model = _members(task, earlier, fold.held_out)
    later = task.rows.at([fold.held_out])
    logits = model.member_logits(later.x)
    calm = model.logistic_log_odds(earlier.x)
    trial = Trial(fold.held_out, offset(logits[:, CALM], later.y), earlier.offsets(calm))
    return Held(logits, later.y, trial)


def _members(task: Task, rows: Examples, day: date) -> ChurnModel:
    params, horizon = task.params, task.churn.horizon_days
    return ChurnModel().fit(rows, task.buyers[day], params, horizon, task.seed)


def _season(task: Task, model: ChurnModel, held: list[Held]) -> dict[date, float]:
    """Offsets of all cutoffs where last year's foretell this year's; else nothing."""
    offsets = task.rows.offsets(model.logistic_log_odds(task.rows.x))
    trials = [h.trial for h in held]
    return offsets if season_helps(trials, offsets, task.params.season_ratio) else {}
