"""A challenger beside the dull rules, on the same customers, out of time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from models.gate import Rival, Verdict, judge
from models.metrics import (
    auc,
    binary_log_losses,
    calibration_table,
    class_log_losses,
    ece,
    ece_by_chance,
    macro_f1,
    paired_interval,
)
from models.params import GateParams

OURS = "keepwell"


class Judged(NamedTuple):
    """Numbers for the report and the verdict of the gate."""

    rows: list[dict[str, Any]]
    gain: dict[str, Any]
    verdict: Verdict
    calibration: list[dict[str, float]]


def judge_churn(
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    champion: np.ndarray | None,
    params: GateParams,
    seed: int,
) -> Judged:
    """Judge a churn model by AUC, with its calibration.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    predictions : dict
        Model -> P(churned), shape (n,); ``keepwell`` and the baselines, the dull rule first.
    champion : array, shape (n,), or None
    """

    def gain(rival: np.ndarray) -> Callable[[np.ndarray], float]:
        return lambda i: auc(y[i], predictions[OURS][i]) - auc(y[i], rival[i])

    rows = [
        {"model": m, "auc": auc(y, p), "log_loss": float(binary_log_losses(y, p).mean()),
         "ece": ece(y, p)}
        for m, p in predictions.items()
    ]  # fmt: skip
    bars = {m: gain(p) for m, p in predictions.items() if m != OURS}
    sound = _calibrated(ece(y, predictions[OURS]), ece_by_chance(predictions[OURS]), params.max_ece)
    against_champion = None if champion is None else gain(champion)
    verdict, bar = _verdict("AUC", bars, against_champion, sound, len(y), params, seed)
    table = calibration_table(y, predictions[OURS])
    return Judged(rows, {"metric": "auc", **bar}, verdict, table)


def _calibrated(error: float, by_chance: float, limit: float) -> Verdict:
    why = (
        f"calibration error {error:.3f} (chance alone would give {by_chance:.3f}) is more than "
        f"gate.max_ece {limit} above chance"
    )
    return Verdict(error - by_chance <= limit, why)


def judge_standing(
    following: np.ndarray,
    predictions: dict[str, np.ndarray],
    champion: np.ndarray | None,
    classes: tuple[str, ...],
    params: GateParams,
    seed: int,
) -> Judged:
    """Judge a next-stage or next-level model by log-loss; predictions have shape (n, n_classes)."""
    losses = {m: class_log_losses(following, p, classes) for m, p in predictions.items()}

    def gain(rival: np.ndarray) -> Callable[[np.ndarray], float]:
        return lambda i: float((rival[i] - losses[OURS][i]).mean())

    rows = [
        {"model": m, "macro_f1": macro_f1(following, p, classes),
         "log_loss": float(losses[m].mean())}
        for m, p in predictions.items()
    ]  # fmt: skip
    bars = {m: gain(x) for m, x in losses.items() if m != OURS}
    against_champion = None
    if champion is not None:
        against_champion = gain(class_log_losses(following, champion, classes))
    sound = Verdict(True, "")
    n = len(following)
    verdict, bar = _verdict("log-loss", bars, against_champion, sound, n, params, seed)
    return Judged(rows, {"metric": "log_loss", **bar}, verdict, [])


Gain = Callable[[np.ndarray], float]


def _verdict(
    metric: str,
    bars: dict[str, Gain],
    champion: Gain | None,
    sound: Verdict,
    n: int,
    params: GateParams,
    seed: int,
) -> tuple[Verdict, dict[str, Any]]:
    def measured(name: str, gain: Gain) -> Rival:
        return Rival(name, paired_interval(gain, n, params.bootstrap_samples, seed))

    rivals = [measured(name, gain) for name, gain in bars.items()]
    best = min(rivals, key=lambda rival: rival.gain.mean)
    now = None if champion is None else measured("champion", champion)
    bar = {"against": best.name, **best.gain._asdict()}
    return judge(metric, rivals[0], best, now, sound), bar
