"""A value model beside the dull rule, on the same customers, out of time."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import spearmanr

from models.evaluation import OURS, Judged
from models.gate import Rival, Verdict, first_refusal, judge
from models.lifetime_value import SMALLEST, Forecast
from models.metrics import paired_interval
from models.params import GateParams
from models.spread import coverage


def judge_value(
    cents: np.ndarray,
    forecast: Forecast,
    others: Mapping[str, np.ndarray],
    champion: np.ndarray | None,
    params: GateParams,
    seed: int,
) -> Judged:
    """Judge by the mean absolute error, and only with a total and intervals that are about right.

    The error alone would reward expecting almost nothing of anybody.

    Parameters
    ----------
    cents : array, shape (n,)
        Money that came, at least 0.
    forecast : Forecast
        Of the challenger.
    others : mapping
        Baseline -> expected money, the dull rule first.
    champion : array, shape (n,), or None
    """

    def against(name: str, rival: np.ndarray) -> Rival:
        gaps = np.abs(rival - cents) - np.abs(forecast.cents - cents)
        n, samples = len(cents), params.bootstrap_samples
        return Rival(name, paired_interval(lambda i: float(gaps[i].mean()), n, samples, seed))

    rivals = [against(name, rival) for name, rival in others.items()]
    now = None if champion is None else against("champion", champion)
    rows = [
        {"model": name, **accuracy(cents, expected)}
        for name, expected in {**others, OURS: forecast.cents}.items()
    ]
    rows[-1] |= _inside(cents, forecast)
    sound = first_refusal([_fair(rows[-1]["bias"], params), _wide(rows[-1]["coverage"], params)])
    verdict = judge("mean error [cents]", rivals[0], rivals[0], now, sound)
    gain = {"metric": "mae", "against": rivals[0].name, **rivals[0].gain._asdict()}
    return Judged(rows, gain, verdict, [])


def accuracy(actual: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """MAE, RMSE, Spearman's rank correlation, and bias (predicted total over actual)."""
    error = expected - actual
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt(np.square(error).mean())),
        "spearman": _ranked(actual, expected),
        "bias": float(expected.sum() / max(actual.sum(), SMALLEST)),
    }


def _ranked(actual: np.ndarray, expected: np.ndarray) -> float:
    """Spearman's rank correlation; nan where either is the same for everybody."""
    if not np.ptp(actual) or not np.ptp(expected):
        return float("nan")
    return float(np.asarray(spearmanr(actual, expected))[0])


def _fair(bias: float, params: GateParams) -> Verdict:
    low, high = params.min_value_bias, params.max_value_bias
    return Verdict(
        low <= bias <= high,
        f"predicted {bias:.2f} times the money that came, outside of {low} to {high} "
        "(gate.min_value_bias, gate.max_value_bias)",
    )


def _wide(inside: float, params: GateParams) -> Verdict:
    """Refuses what is surely too narrow; nan, where nobody has an interval, is not."""
    return Verdict(
        not inside < params.min_value_coverage,
        f"the 80 % intervals hold {inside:.0%} of the customers, less than "
        f"gate.min_value_coverage {params.min_value_coverage}",
    )


def _inside(cents: np.ndarray, forecast: Forecast) -> dict[str, float]:
    low, high = np.rint(forecast.low_cents), np.rint(forecast.high_cents)
    of_intervals, of_all = coverage(low, high, cents)
    return {"coverage": of_intervals, "coverage_all": of_all}
