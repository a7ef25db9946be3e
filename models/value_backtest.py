"""Fit a value model, and decide by past cutoffs how far its parts are believed.

Each of the latest cutoffs is predicted by models fitted on cutoffs whose label windows had
ended by then. What did best on them is used: nothing is chosen on a test.
"""

from datetime import date, timedelta
from typing import NamedTuple

import lightgbm
import numpy as np
import polars as pl

from models.lifetime_value import (
    SMALLEST,
    Money,
    Ratio,
    Start,
    ValueModel,
    blended,
    fit_start,
    log_ratios,
    mean_ratio,
    raw_correction,
    started,
)
from models.params import ValueParams
from models.preprocessing import matrix
from models.season import Trial as SeasonTrial
from models.season import season_helps
from models.spread import Spread, fit_spread

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
    """A cutoff as predicted from what lay before it, at the level that came.

    Attributes
    ----------
    seen : Seen
    factor : array, shape (n,)
        Of the boosting alone.
    """

    seen: Seen
    factor: np.ndarray

    def expected(self, trust: float) -> Money:
        """What was expected: the level is an error common to all, so it is taken out."""
        factor = blended(self.factor, trust)
        cutoff, start = self.seen.cutoff, self.seen.expected
        return Money(
            _at_level(start.orders * factor, cutoff.orders),
            _at_level(start.cents * factor, cutoff.cents),
        )


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
        Features that the boosting may read.
    window : Window
    params : ValueParams
    seed : int
    """
    seen = [_seen(cutoff, window) for cutoff in cutoffs]
    ratios = tuple(s.ratio for s in seen)
    trials = _backtest(seen, columns, window, params, seed)
    trust = _trust(trials)
    return ValueModel(
        days=window.horizon_days,
        columns=tuple(columns),
        start=fit_start(latest),
        booster=_booster(seen, columns, params, seed),
        trust=trust,
        level=mean_ratio(ratios),
        seasons=ratios if _season_helps(seen, window, params) else (),
        spread=_spread(seen, trials, trust),
    )


def _seen(cutoff: Cutoff, window: Window) -> Seen:
    start = fit_start(cutoff.rows)
    expected = started(start, cutoff.rows, window.gap_days, window.reach.days)
    sums = (float(y.sum() / e.sum()) for y, e in zip(cutoff[2:], expected, strict=True))
    return Seen(cutoff, start, expected, Ratio(cutoff.as_of, *sums))


def _backtest(
    seen: list[Seen], columns: list[str], window: Window, params: ValueParams, seed: int
) -> list[Trial]:
    """Predict each of the latest cutoffs from those whose windows had ended, if any had."""
    trials = []
    for one in seen[-params.backtest_cutoffs :]:
        before = _ended(seen, one, window)
        if before:
            booster = _booster(before, columns, params, seed)
            x = matrix(one.cutoff.rows, columns).to_numpy()
            trials.append(Trial(one, raw_correction(booster, x)))
    return trials


def _booster(seen: list[Seen], columns: list[str], params: ValueParams, seed: int) -> str:
    """Of the orders, beginning with what was expected at the level of each cutoff."""
    x = np.vstack([matrix(s.cutoff.rows, columns).to_numpy() for s in seen])
    y = np.concatenate([s.cutoff.orders for s in seen]).astype(float)
    start = np.concatenate([_at_level(s.expected.orders, s.cutoff.orders) for s in seen])
    settings = {
        "objective": "poisson",
        "learning_rate": params.learning_rate,
        "num_leaves": params.boosting_leaves,
        "min_data_in_leaf": params.min_customers_in_leaf,
        "lambda_l2": 10.0,
        "feature_fraction": 0.3,
        "extra_trees": True,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "boost_from_average": False,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,  # so that the number of threads changes no byte
        "verbose": -1,
    }
    rows = lightgbm.Dataset(x, y, init_score=np.log(np.maximum(start, SMALLEST)))
    return lightgbm.train(settings, rows, params.boosting_rounds).model_to_string()


def _at_level(expected: np.ndarray, came: np.ndarray) -> np.ndarray:
    """The same differences between customers, with the total that came."""
    return expected * came.sum() / max(expected.sum(), SMALLEST)


def _season_helps(seen: list[Seen], window: Window, params: ValueParams) -> bool:
    """Whether last year's ratios foretell those of the latest cutoffs.

    By orders, which are less noisy than money.
    """
    offsets = log_ratios(tuple(s.ratio for s in seen), "orders")
    days = [(one, one.cutoff.as_of) for one in seen[-params.backtest_cutoffs :]]
    trials = [
        SeasonTrial(
            day,
            offsets[day],
            log_ratios(tuple(s.ratio for s in _ended(seen, one, window)), "orders"),
        )
        for one, day in days
    ]
    return season_helps(trials, offsets, params.season_ratio)


def _ended(seen: list[Seen], one: Seen, window: Window) -> list[Seen]:
    """The cutoffs whose label windows had ended by another cutoff."""
    return [s for s in seen if s.cutoff.as_of + window.reach <= one.cutoff.as_of]


def _trust(trials: list[Trial]) -> float:
    """The trust that did best; none in a boosting that was never tested."""
    losses = [np.mean([_loss(trial, trust) for trial in trials]) for trust in TRUSTS if trials]
    return TRUSTS[int(np.argmin(losses))] if losses else 0.0


def _loss(trial: Trial, trust: float) -> float:
    """Mean Poisson deviance of the orders, up to a constant."""
    y, mean = trial.seen.cutoff.orders, np.maximum(trial.expected(trust).orders, SMALLEST)
    return float(np.mean(mean - y * np.log(mean)))


def _spread(seen: list[Seen], trials: list[Trial], trust: float) -> Spread:
    """Of the trials; where there are none, of what the starts alone expected."""
    tried = trials or [Trial(s, np.ones(1)) for s in seen]
    expected = [trial.expected(trust) for trial in tried]
    came = [trial.seen.cutoff.cents for trial in tried]
    orders, cents = (np.concatenate(parts) for parts in zip(*expected, strict=True))
    return fit_spread(orders, cents, np.concatenate(came))
