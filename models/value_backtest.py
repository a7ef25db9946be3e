"""Fit a value model, and decide by past cutoffs how far its parts are believed.

Each of the latest cutoffs is predicted by models fitted on cutoffs whose label windows had
ended by then. What did best on them is used: nothing is chosen on a test.
"""

from datetime import date, timedelta
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import polars as pl

from models.lifetime_value import (
    Money,
    Ratio,
    Start,
    ValueModel,
    blended,
    fit_start,
    log_ratios,
    raw_correction,
    season_of,
    started,
)
from models.params import ValueParams
from models.preprocessing import matrix
from models.season import Trial as SeasonTrial
from models.season import season_helps
from models.spread import Spread, fit_spread

KINDS: dict[str, dict[str, Any]] = {
    "orders": {"objective": "poisson"},
    "cents": {"objective": "tweedie", "tweedie_variance_power": 1.5},
}
TRUSTS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Window(NamedTuple):
    """When a label window begins and ends, in days from its cutoff."""

    gap_days: int
    horizon_days: int

    @property
    def reach(self) -> timedelta:
        """From a cutoff to the end of its window."""
        return timedelta(days=self.gap_days + self.horizon_days)


class Cutoff(NamedTuple):
    """Customers with an order before a past date, and what followed in the label window.

    Attributes
    ----------
    as_of : date
    rows : feature table, shape (n, .)
    orders, cents : array, shape (n,)
        Days with an order, and money, at least 0.
    """

    as_of: date
    rows: pl.DataFrame
    orders: np.ndarray
    cents: np.ndarray


class Seen(NamedTuple):
    """A cutoff with what its own start expected, and the ratio of what came to that."""

    cutoff: Cutoff
    start: Start
    expected: Money
    ratio: Ratio


class Trial(NamedTuple):
    """A cutoff as predicted from what lay before it, with or without a season.

    Attributes
    ----------
    seen : Seen
    expected : Money
        By the start, times the season of a year ago where that is believed.
    factors : Money
        Of the boostings alone.
    """

    seen: Seen
    expected: Money
    factors: Money


def fit_value(
    cutoffs: list[Cutoff], latest: pl.DataFrame, columns: list[str], window: Window,
    params: ValueParams, seed: int,
) -> ValueModel:  # fmt: skip
    """Fit on past cutoffs, oldest first.

    Parameters
    ----------
    cutoffs : list of Cutoff
    latest : feature table, shape (n, .)
        The newest histories that may be seen, without labels: MBG/NBD and Gamma-Gamma are of them.
    columns : list of str
        Features that the boostings may read.
    window : Window
    params : ValueParams
    seed : int
    """
    seen = [_seen(cutoff, window) for cutoff in cutoffs]
    use_season = _season_helps(seen, window, params)
    trials = _backtest(seen, columns, window, params, seed, seasonal=use_season)
    trust = (_trust(trials, "orders"), _trust(trials, "cents"))
    boosters = _boosters(seen, columns, params, seed, seasonal=use_season)
    return ValueModel(
        days=window.horizon_days,
        columns=tuple(columns),
        start=fit_start(latest),
        boosters=boosters,
        trust=trust,
        seasons=tuple(s.ratio for s in seen) if use_season else (),
        spread=_spread(seen, trials, trust),
    )


def _seen(cutoff: Cutoff, window: Window) -> Seen:
    start = fit_start(cutoff.rows)
    expected = started(start, cutoff.rows, window.gap_days, window.reach.days)
    sums = (float(y.sum() / e.sum()) for y, e in zip(cutoff[2:], expected, strict=True))
    return Seen(cutoff, start, expected, Ratio(cutoff.as_of, *sums))


def _backtest(
    seen: list[Seen], columns: list[str], window: Window, params: ValueParams, seed: int, *,
    seasonal: bool,
) -> list[Trial]:  # fmt: skip
    """Predict each of the latest cutoffs from those whose windows had ended, if any had."""
    trials = []
    for one in seen[-params.backtest_cutoffs :]:
        before = [s for s in seen if s.cutoff.as_of + window.reach <= one.cutoff.as_of]
        if not before:
            continue
        ratios = tuple(s.ratio for s in before) if seasonal else ()
        ratio = season_of(ratios, one.cutoff.as_of)
        boosters = _boosters(before, columns, params, seed, seasonal=seasonal)
        x = matrix(one.cutoff.rows, columns).to_numpy()
        factors = Money(*(raw_correction(text, x) for text in boosters))
        trials.append(Trial(one, _times(one.expected, ratio), factors))
    return trials


def _times(expected: Money, ratio: Ratio) -> Money:
    return Money(expected.orders * ratio.orders, expected.cents * ratio.cents)


def _boosters(
    seen: list[Seen], columns: list[str], params: ValueParams, seed: int, *, seasonal: bool
) -> tuple[str, str]:
    x = np.vstack([matrix(s.cutoff.rows, columns).to_numpy() for s in seen])
    starts = [_times(s.expected, s.ratio) if seasonal else s.expected for s in seen]
    texts = [_booster(kind, x, seen, starts, params, seed) for kind in KINDS]
    return texts[0], texts[1]


def _booster(
    kind: str, x: np.ndarray, seen: list[Seen], starts: list[Money], params: ValueParams, seed: int
) -> str:
    y = np.concatenate([getattr(s.cutoff, kind) for s in seen]).astype(float)
    begin = np.log(np.concatenate([getattr(start, kind) for start in starts]))
    settings = {
        **KINDS[kind],
        "learning_rate": params.learning_rate,
        "num_leaves": params.boosting_leaves,
        "min_data_in_leaf": params.min_customers_in_leaf,
        "lambda_l2": 10.0,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "boost_from_average": False,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,  # so that the number of threads changes no byte
        "verbose": -1,
    }
    rows = lightgbm.Dataset(x, y, init_score=begin)
    return lightgbm.train(settings, rows, params.boosting_rounds).model_to_string()


def _season_helps(seen: list[Seen], window: Window, params: ValueParams) -> bool:
    """Whether last year's ratios foretell those of the latest cutoffs.

    By orders, which are less noisy than money.
    """
    offsets = log_ratios(tuple(s.ratio for s in seen), "orders")
    days = [(one, one.cutoff.as_of) for one in seen[-params.backtest_cutoffs :]]
    trials = [
        SeasonTrial(day, offsets[day], log_ratios(_ended(seen, one, window), "orders"))
        for one, day in days
    ]
    return season_helps(trials, offsets, params.season_ratio)


def _ended(seen: list[Seen], one: Seen, window: Window) -> tuple[Ratio, ...]:
    """Ratios of the cutoffs whose label windows had ended by another cutoff."""
    reach, now = window.reach, one.cutoff.as_of
    return tuple(s.ratio for s in seen if s.cutoff.as_of + reach <= now)


def _trust(trials: list[Trial], kind: str) -> float:
    """The trust that did best; none in a boosting that was never tested."""
    return TRUSTS[int(np.argmin(_losses(trials, kind)))] if trials else 0.0


def _losses(trials: list[Trial], kind: str) -> list[float]:
    return [float(np.mean([_loss(t, kind, trust) for t in trials])) for trust in TRUSTS]


def _loss(trial: Trial, kind: str, trust: float) -> float:
    """Mean deviance, up to a constant: Poisson for orders, Tweedie with power 1.5 for money."""
    y = getattr(trial.seen.cutoff, kind)
    mean = getattr(trial.expected, kind) * blended(getattr(trial.factors, kind), trust)
    if kind == "orders":
        return _poisson(y, mean)
    return float(np.mean(2 * np.sqrt(mean) + 2 * y / np.sqrt(mean)))


def _poisson(y: np.ndarray, mean: np.ndarray) -> float:
    return float(np.mean(mean - y * np.log(mean)))


def _spread(seen: list[Seen], trials: list[Trial], trust: tuple[float, float]) -> Spread:
    """Of the trials; where there are none, of what the starts alone expected.

    The level of each cutoff is taken out: it is an error common to all, not their scatter.
    """
    tried = trials or [Trial(s, s.expected, Money(np.ones(1), np.ones(1))) for s in seen]
    parts = [_scatter(trial, trust) for trial in tried]
    return fit_spread(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _scatter(trial: Trial, trust: tuple[float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expected orders, expected money at the level that came, and the money that came."""
    expected, factors, came = trial.expected, trial.factors, trial.seen.cutoff.cents
    orders = expected.orders * blended(factors.orders, trust[0])
    cents = expected.cents * blended(factors.cents, trust[1])
    return orders, cents * came.sum() / cents.sum(), came
