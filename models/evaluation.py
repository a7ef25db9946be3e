"""A challenger beside the dull rules, on the same customers, out of time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from models.gate import Rival, Verdict, first_refusal, judge, spoken
from models.leaks import Suspect, audited
from models.metrics import (
    Interval,
    auc,
    binary_log_losses,
    calibration_table,
    class_log_losses,
    ece,
    ece_by_chance,
    lift,
    macro_f1,
    paired_aucs,
    paired_interval,
)
from models.params import GateParams

OURS = "keepwell"


class Leaks(NamedTuple):
    """Features that change when later events are added, and those that tell too much alone."""

    changed: list[str]
    suspects: list[Suspect]


NO_LEAKS = Leaks([], [])


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
    leaks: Leaks = NO_LEAKS,
) -> Judged:
    """Judge a churn model by AUC, with its log-loss and calibration.

    Parameters
    ----------
    y : array of 0 and 1, shape (n,)
    predictions : dict
        Model -> P(churned), shape (n,); ``keepwell`` and the baselines, the dull rule first.
    champion : array, shape (n,), or None
    leaks : Leaks
    """
    ours = predictions[OURS]
    rows = [
        {"model": m, "auc": auc(y, p), "log_loss": float(binary_log_losses(y, p).mean()),
         "ece": ece(y, p), "top_decile_lift": lift(y, p)}
        for m, p in predictions.items()
    ]  # fmt: skip
    bars = {m: p for m, p in predictions.items() if m != OURS}
    gains = [
        Rival(name, _auc_gain(y, ours, p, params, seed))
        for name, p in [*bars.items(), ("champion", champion)]
        if p is not None
    ]
    rivals, now = gains[: len(bars)], (gains[len(bars) :] or [None])[0]
    best = min(rivals, key=lambda rival: rival.gain.mean)
    sound = first_refusal(
        [
            audited(*leaks, best.gain.mean, params),
            _calibrated(ece(y, ours), ece_by_chance(ours), params.max_ece),
            _not_worse(y, ours, {**bars, "the champion": champion}, params, seed),
        ]
    )
    verdict = judge("AUC", rivals[0], best, now, sound)
    gain = {"metric": "auc", "against": best.name, **best.gain._asdict()}
    return Judged(rows, gain, verdict, calibration_table(y, ours))


def _auc_gain(
    y: np.ndarray, ours: np.ndarray, rival: np.ndarray, params: GateParams, seed: int
) -> Interval:
    return paired_aucs(y, [ours, rival], params.bootstrap_samples, seed)[1]


def _not_worse(
    y: np.ndarray,
    ours: np.ndarray,
    rivals: dict[str, np.ndarray | None],
    params: GateParams,
    seed: int,
) -> Verdict:
    """Whether the log-loss is not surely worse than anybody's."""
    own = binary_log_losses(y, ours)
    for name, risk in rivals.items():
        if risk is None:
            continue
        saved = binary_log_losses(y, risk) - own
        gain = paired_interval(
            lambda i, saved=saved: float(saved[i].mean()), len(y), params.bootstrap_samples, seed
        )
        if gain.high < 0:
            return Verdict(False, f"worse log-loss than {name}: {spoken('log-loss', gain)}")
    return Verdict(True, "")


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
