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
    SMALLEST,
    Money,
    Ratio,
    Start,
    Trust,
    ValueModel,
    blended,
    fit_start,
    log_ratios,
    mean_ratio,
    raw_corrections,
    started,
)
from models.params import ValueParams
from models.preprocessing import matrix
from models.season import Trial as SeasonTrial
from models.season import season_helps
from models.spread import Spread, fit_spread

OBJECTIVES: dict[str, dict[str, Any]] = {
    "orders": {"objective": "poisson"},
    "cents": {"objective": "tweedie", "tweedie_variance_power": 1.5},
}
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
TRUSTS = {
    "orders": [Trust(share, 0.0) for share in SHARES],
    "cents": [Trust(o, c) for o in SHARES for c in SHARES if o + c <= 1],
}


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
    factors : Money
        Of each boosting alone.
    """

    seen: Seen
    factors: Money

    def expected(self, kind: str, trust: Trust) -> np.ndarray:
        """What was expected: the level is an error common to all, so it is taken out."""
        start = getattr(self.seen.expected, kind) * blended(self.factors, trust)
        return _at_level(start, getattr(self.seen.cutoff, kind))

    def growth(self, kind: str, trust: Trust) -> float:
        """Logarithm of the factor by which the boostings change the total."""
        start = getattr(self.seen.expected, kind)
        return float(np.log(np.average(blended(self.factors, trust), weights=start)))


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
    trials = _backtest(seen, columns, window, params, seed)
    trust = (_trust(trials, "orders"), _trust(trials, "cents"))
    ratios = after_boosting([s.ratio for s in seen], trials, trust)
    return ValueModel(
        days=window.horizon_days,
        columns=tuple(columns),
        start=fit_start(latest),
        boosters=_boosters(seen, columns, params, seed),
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
            boosters = _boosters(before, columns, params, seed)
            x = matrix(one.cutoff.rows, columns).to_numpy()
            trials.append(Trial(one, raw_corrections(boosters, x)))
    return trials


def _boosters(
    seen: list[Seen], columns: list[str], params: ValueParams, seed: int
) -> tuple[str, str]:
    x = np.vstack([matrix(s.cutoff.rows, columns).to_numpy() for s in seen])
    orders, cents = (_booster(kind, x, seen, params, seed) for kind in OBJECTIVES)
    return orders, cents


def _booster(kind: str, x: np.ndarray, seen: list[Seen], params: ValueParams, seed: int) -> str:
    """Begins with what was expected at the level of each cutoff, so as not to learn its level."""
    pairs = [(getattr(s.expected, kind), getattr(s.cutoff, kind)) for s in seen]
    start = np.concatenate([_at_level(expected, came) for expected, came in pairs])
    y = np.concatenate([came for _, came in pairs]).astype(float)
    settings = {
        **OBJECTIVES[kind],
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


def _trust(trials: list[Trial], kind: str) -> Trust:
    """The trust that did best; none in boostings that were never tested."""
    losses = [np.mean([_loss(t, kind, trust) for t in trials]) for trust in TRUSTS[kind] if trials]
    return TRUSTS[kind][int(np.argmin(losses))] if losses else Trust(0.0, 0.0)


def after_boosting(
    ratios: list[Ratio], trials: list[Trial], trust: tuple[Trust, Trust]
) -> tuple[Ratio, ...]:
    """The ratios to what the start and the boostings expected, which need not keep the total.

    Where the boosting of orders corrects money, for example, those who spend most count most.
    """
    if not trials:
        return tuple(ratios)
    orders, cents = (
        float(np.exp(np.mean([trial.growth(kind, own) for trial in trials])))
        for kind, own in zip(OBJECTIVES, trust, strict=True)
    )
    return tuple(Ratio(r.as_of, r.orders / orders, r.cents / cents) for r in ratios)


def _loss(trial: Trial, kind: str, trust: Trust) -> float:
    """Mean deviance, up to a constant: Poisson for orders, Tweedie with power 1.5 for money."""
    y = getattr(trial.seen.cutoff, kind)
    mean = np.maximum(trial.expected(kind, trust), SMALLEST)
    if kind == "orders":
        return float(np.mean(mean - y * np.log(mean)))
    return float(np.mean(2 * np.sqrt(mean) + 2 * y / np.sqrt(mean)))


def _spread(seen: list[Seen], trials: list[Trial], trust: tuple[Trust, Trust]) -> Spread:
    """Of the trials; where there are none, of what the starts alone expected."""
    tried = trials or [Trial(s, Money(np.ones(1), np.ones(1))) for s in seen]
    orders, cents = (
        np.concatenate([trial.expected(kind, own) for trial in tried])
        for kind, own in zip(OBJECTIVES, trust, strict=True)
    )
    return fit_spread(orders, cents, np.concatenate([t.seen.cutoff.cents for t in tried]))
