"""Expected orders and money of a customer: MBG/NBD and Gamma-Gamma, corrected by boosting.

Two gradient boostings learn how far what followed past cutoffs lay above or below what MBG/NBD and
Gamma-Gamma expected of the customer: Poisson for orders, Tweedie for money, both starting from that
expectation at the level of the cutoff. `models.value_backtest` decides how far they are believed.
"""

import json
from datetime import date
from typing import NamedTuple

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
from sklearn.base import BaseEstimator, RegressorMixin

from models.order_values import OrderValues, expected_order_value, fit_order_values
from models.preprocessing import matrix
from models.purchases import Histories, Purchases, expected_purchases, fit_purchases, p_alive
from models.season import year_before
from models.spread import Spread, interval

HISTORY = ("value_days", "value_span_days", "days_since_first_value", "order_cents")
SMALLEST = 1e-6
LEAST_ORDERS = 0.005  # nobody is ever certain to have left
MOST = 100_000  # histories that a fit reads


class Money(NamedTuple):
    """Expected ``orders`` and ``cents`` of customers, each of shape (n,)."""

    orders: np.ndarray
    cents: np.ndarray


class Start(NamedTuple):
    """MBG/NBD and Gamma-Gamma, as fitted on the histories of one day."""

    rates: Purchases
    values: OrderValues


class Ratio(NamedTuple):
    """What followed a past cutoff over what its start expected, summed over everybody."""

    as_of: date
    orders: float
    cents: float


class Trust(NamedTuple):
    """Shares of the boosting of orders and of that of money in a correction; together up to 1."""

    orders: float
    cents: float


class ValueModel(NamedTuple):
    """A fitted model, made of plain numbers and text.

    Attributes
    ----------
    days : int
        Length of the label window that it learnt on.
    columns : tuple of str
        Features that the boostings read.
    start : Start
    boosters : tuple of str
        The boosting of orders and that of money, as LightGBM's text.
    trust : tuple of Trust
        How far both are believed of the orders, and of the money.
    level : Ratio
        Mean of the past cutoffs, for days whose season is not known.
    seasons : tuple of Ratio
        Past cutoffs, where the season of a year ago is believed; else empty.
    spread : Spread
    """

    days: int
    columns: tuple[str, ...]
    start: Start
    boosters: tuple[str, str]
    trust: tuple[Trust, Trust]
    level: Ratio
    seasons: tuple[Ratio, ...]
    spread: Spread


class SavedValue(RegressorMixin, BaseEstimator):
    """A value model as text, so that its file holds nothing that could run when it is loaded.

    Attributes
    ----------
    text_ : str
        The model as JSON.
    """

    def of(self, model: ValueModel) -> "SavedValue":
        """Keep a fitted model."""
        start = {"rates": list(model.start.rates), "values": list(model.start.values)}
        level, *seasons = (
            [r.as_of.isoformat(), r.orders, r.cents] for r in (model.level, *model.seasons)
        )
        spread = [values.tolist() for values in model.spread]
        levels = {"level": level, "seasons": seasons}
        plain = {**model._asdict(), **levels, "start": start, "spread": spread}
        self.text_ = json.dumps(plain)
        return self

    @property
    def model(self) -> ValueModel:
        """The model."""
        plain = json.loads(self.text_)
        start, levels = plain["start"], [plain["level"], *plain["seasons"]]
        plain["start"] = Start(Purchases(*start["rates"]), OrderValues(*start["values"]))
        ratios = tuple(Ratio(date.fromisoformat(d), o, c) for d, o, c in levels)
        plain["level"], plain["seasons"] = ratios[0], ratios[1:]
        plain["spread"] = Spread(*(np.array(values) for values in plain["spread"]))
        plain["trust"] = tuple(Trust(*shares) for shares in plain["trust"])
        for name in ("columns", "boosters"):
            plain[name] = tuple(plain[name])
        return ValueModel(**plain)

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Columns that are read."""
        own = json.loads(self.text_)["columns"]
        return np.array([*HISTORY, *(name for name in own if name not in HISTORY)], dtype=object)

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """Expected money in the label window [cents], without a season, shape (n,)."""
        model = self.model
        return forecasts(model, pl.from_pandas(x), date.max, [model.days])[0].cents


class Forecast(NamedTuple):
    """Expected orders and money, and the 80 % interval of the money, each of shape (n,)."""

    orders: np.ndarray
    cents: np.ndarray
    low_cents: np.ndarray
    high_cents: np.ndarray


def forecasts(
    model: ValueModel, rows: pl.DataFrame, as_of: date, windows_days: list[int]
) -> list[Forecast]:
    """What customers with at least one order are expected to bring in the days from `as_of` on.

    Parameters
    ----------
    model : ValueModel
    rows : feature table, shape (n, .)
    as_of : date
    windows_days : list of int
        The correction of the boostings is taken over from the label window; what MBG/NBD expects
        grows with the window, and beyond the label window no season is assumed.

    Returns
    -------
    list of Forecast
        One for each window; nothing in them is negative.
    """
    factors = corrections(model, rows)
    return [_forecast(model, rows, as_of, days, factors) for days in windows_days]


def _forecast(
    model: ValueModel, rows: pl.DataFrame, as_of: date, days: int, factors: Money
) -> Forecast:
    inside = started(model.start, rows, 0, min(days, model.days))
    season, usual = season_of(model, as_of), model.level
    orders, cents = inside.orders * season.orders, inside.cents * season.cents
    if days > model.days:
        beyond = started(model.start, rows, model.days, days)
        orders, cents = orders + beyond.orders * usual.orders, cents + beyond.cents * usual.cents
    orders, cents = orders * factors.orders, cents * factors.cents
    return Forecast(orders, cents, *interval(model.spread, orders, cents))


def corrections(model: ValueModel, rows: pl.DataFrame) -> Money:
    """By how much the boostings change what the start expects, as factors, each of shape (n,)."""
    raw = raw_corrections(model.boosters, matrix(rows, list(model.columns)).to_numpy())
    return Money(*(blended(raw, trust) for trust in model.trust))


def raw_corrections(boosters: tuple[str, str], x: np.ndarray) -> Money:
    """Factors that each boosting alone would apply."""
    models = [lightgbm.Booster(model_str=text) for text in boosters]
    return Money(*(np.exp(np.asarray(each.predict(x, raw_score=True))) for each in models))


def blended(raw: Money, trust: Trust) -> np.ndarray:
    """Weighted mean of the boostings' factors and of none."""
    none = 1 - trust.orders - trust.cents
    return none + trust.orders * raw.orders + trust.cents * raw.cents


def started(start: Start, rows: pl.DataFrame, begin: float, end: float) -> Money:
    """What MBG/NBD and Gamma-Gamma expect of the days from `begin` to `end`."""
    known = histories(rows)
    orders = expected_purchases(known, start.rates, end)
    if begin > 0:
        orders = orders - expected_purchases(known, start.rates, begin)
    each = np.maximum(expected_order_value(start.values, *order_means(rows)), SMALLEST)
    positive = np.maximum(orders, LEAST_ORDERS)
    return Money(positive, positive * each)


def fit_start(rows: pl.DataFrame) -> Start:
    """MBG/NBD and Gamma-Gamma of a day's histories."""
    return Start(fit_purchases(thinned(histories(rows))), fit_order_values(*order_means(rows)))


def thinned(known: Histories) -> Histories:
    """Every k-th history where there are many: four parameters need no more."""
    step = max(1, len(known.age) // MOST)
    return Histories(*(values[::step] for values in known))


def histories(rows: pl.DataFrame) -> Histories:
    """What MBG/NBD reads, from a feature table of customers with an order."""
    days = rows.select(HISTORY[:3])
    orders, last, age = days.cast(pl.Float64).to_numpy().T
    return Histories(orders - 1, last, age)


def order_means(rows: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Days with an order and the mean money of such a day [cents], each of shape (n,)."""
    orders, cents = rows.select("value_days", "order_cents").cast(pl.Float64).to_numpy().T
    return orders, np.maximum(cents, 0) / orders


def season_of(model: ValueModel, as_of: date) -> Ratio:
    """The ratio of a year before, between those of the cutoffs around it; else the mean."""
    then = [year_before(as_of, log_ratios(model.seasons, kind)) for kind in ("orders", "cents")]
    known = [float(np.exp(each)) for each in then if each is not None]
    return Ratio(as_of, *known) if len(known) == len(then) else model.level


def log_ratios(ratios: tuple[Ratio, ...], kind: str) -> dict[date, float]:
    """Logarithms of the ratios of ``orders`` or ``cents``, by date, for `models.season`."""
    return {r.as_of: float(np.log(max(getattr(r, kind), SMALLEST))) for r in ratios}


def mean_ratio(ratios: tuple[Ratio, ...]) -> Ratio:
    """Geometric mean over cutoffs."""
    means = [np.mean(list(log_ratios(ratios, kind).values())) for kind in ("orders", "cents")]
    return Ratio(ratios[-1].as_of, *(float(np.exp(mean)) for mean in means))


def days_to_next_order(start: Start, rows: pl.DataFrame) -> np.ndarray:
    """Days until an order is as likely to have come as not; inf where it never gets as likely."""
    known = histories(rows)
    alive = p_alive(known, start.rates)
    shape, since = start.rates.r + known.repeats, start.rates.alpha + known.age
    still = np.maximum(1 - 0.5 / np.maximum(alive, 0.5), 0)
    with np.errstate(divide="ignore", over="ignore"):
        return since * (still ** (-1 / shape) - 1)
