"""Effects that differ between customers, learned from the log of decisions.

For each action, everybody who could have had it is looked at: those who got it and those who got
nothing are compared by the probability of either, and what others would have brought is predicted.
The result is a line over what is known of every customer, small enough to be read in a file.
"""

import json
from typing import Any

import numpy as np
import polars as pl

from actions.arms import USUAL
from actions.intervals import Z, holm, two_sided
from actions.params import MeasureParams
from actions.power import ALPHA
from actions.sensitivity import responsiveness
from actions.uplift import FOLDS, Line, Trial, gain_over_best_arm, learn
from features.schemas import ACTIVITIES, STAGES

FEATURES = ("p_value", "responsive", "log_order_value", "log_expected_value")
NAMES = (*FEATURES, *(f"stage_{s}" for s in STAGES), *(f"activity_{a}" for a in ACTIVITIES))
LearnedEffects = dict[str, dict[str, Any]]


def context(rows: pl.DataFrame) -> np.ndarray:
    """What is known of each customer when it is decided, shape (n, len(NAMES)).

    Parameters
    ----------
    rows : table
        ``p_value``, ``order_value_cents``, ``expected_value_cents``, ``stage``, ``activity``.
    """
    p = rows["p_value"].to_numpy()
    money = [
        np.log1p(np.maximum(rows[name].to_numpy(), 0))
        for name in ("order_value_cents", "expected_value_cents")
    ]
    stages = [(rows["stage"] == name).to_numpy() for name in STAGES]
    activities = [(rows["activity"] == name).to_numpy() for name in ACTIVITIES]
    return np.column_stack([p, responsiveness(p), *money, *stages, *activities]).astype(float)


def learned_effects(rows: pl.DataFrame, params: MeasureParams) -> LearnedEffects:
    """Effects of the actions for which choosing by customer is proven to pay.

    Parameters
    ----------
    rows : result of actions.measurement.matured
    params : MeasureParams

    Returns
    -------
    dict
        Action -> ``intercept``, ``slopes`` by name, ``gain`` and its interval (further successes a
        customer over the better of giving it to all who may have it and to none), ``decisions``.
        An action is absent where the interval of the gain is not above 0.
    """
    known = rows.filter(pl.col("arm") != USUAL, pl.col("action_propensity").is_not_null())
    trials = {
        action: _trial(known, action) for action in sorted(known["action_id"].drop_nulls().unique())
    }
    fewest = max(params.min_per_arm, 10 * FOLDS)
    large = {action: trial for action, trial in trials.items() if _smaller_arm(trial) >= fewest}
    learned = {action: learn(trial) for action, trial in large.items()}
    gains = {a: gain_over_best_arm(large[a], learned[a], np.zeros(1)) for a in large}
    corrected = holm([two_sided(gain.mean, (gain.high - gain.mean) / Z) for gain in gains.values()])
    return {
        action: _entry(learned[action].effects[0].line, gain[:3], len(large[action].arm))
        for (action, gain), p in zip(gains.items(), corrected, strict=True)
        if gain.mean > 0 and p < ALPHA and learned[action].effects[0].proven
    }


def _trial(rows: pl.DataFrame, action: str) -> Trial:
    """Those planned for the action: of everybody else next to nobody had a chance to get it."""
    own = rows.filter(pl.col("planned_action_id") == action)
    arm = own.select(
        pl.when(pl.col("action_id").is_null())
        .then(0)
        .when(pl.col("action_id") == action)
        .then(1)
        .otherwise(-1)
    ).to_series()
    fold = own["customer_id"].rank("dense").to_numpy().astype(np.int64) % FOLDS
    return Trial(
        context(own),
        arm.to_numpy(),
        own["action_propensity"].to_numpy(),
        own["success"].to_numpy(),
        fold,
    )


def _smaller_arm(trial: Trial) -> int:
    return int(np.bincount(trial.arm[trial.arm >= 0], minlength=2).min())


def _entry(line: Line, gain: tuple[float, ...], decisions: int) -> dict[str, Any]:
    slopes = dict(zip(NAMES, line.slopes.round(9).tolist(), strict=True))
    mean, low, high = (round(value, 6) for value in gain)
    return {
        "intercept": round(line.intercept, 9),
        "slopes": slopes,
        "gain": mean,
        "gain_low": low,
        "gain_high": high,
        "decisions": decisions,
    }


def uplift_of(entry: dict[str, Any], rows: pl.DataFrame) -> np.ndarray:
    """Learned change of P(success) of each customer, shape (n,)."""
    slopes = np.array([entry["slopes"][name] for name in NAMES])
    return Line(entry["intercept"], slopes).at(context(rows))


def learned_text(found: LearnedEffects) -> str:
    """Canonical JSON."""
    return json.dumps(found, sort_keys=True, indent=2) + "\n"
