"""Churn: P(no value event in the horizon) for customers with one in the look-back.

Three members that err differently, added up in log-odds: gradient boosting on all features,
regularised logistic regression on the strong ones, and what a customer's purchase history alone
says (MBG/NBD). Adding log-odds keeps it all additive, so that a risk can be taken apart exactly.
"""

from copy import copy
from datetime import date
from typing import Any, NamedTuple, Self

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from models.blend import Blend, offset
from models.params import TrainParams
from models.preprocessing import STRONG, informative, logistic
from models.purchases import Histories, Purchases, fit_purchases, p_alive, p_purchase
from models.season import year_before

MEMBERS: tuple[str, ...] = ("boosting", "logistic", "purchases")
HISTORY: tuple[str, ...] = ("value_gaps", "value_span_days", "days_since_first_value")
# Sums in linear algebra are added in another order by other numbers of threads.
ONE_BLAS_THREAD = threadpool_limits.wrap(limits=1, user_api="blas")
SAID = "purchase_log_odds"  # what the purchase history alone says, as a feature
SMALLEST = 1e-6


class Examples(NamedTuple):
    """Feature rows, shape (n, n_features), their labels and their as-of dates [datetime64 day]."""

    x: pd.DataFrame
    y: np.ndarray
    as_of: np.ndarray

    @property
    def days(self) -> list[date]:
        """The as-of dates that occur, oldest first."""
        return np.unique(self.as_of).tolist()

    def offsets(self, log_odds: np.ndarray) -> dict[date, float]:
        """What must be added to log-odds at each as-of date for its level to be what came."""
        parts = {day: self.as_of == np.datetime64(day) for day in self.days}
        return {day: offset(log_odds[part], self.y[part]) for day, part in parts.items()}

    def at(self, days: list[date]) -> "Examples":
        """The rows of some as-of dates."""
        chosen = np.isin(self.as_of, np.array(days, dtype="datetime64[D]"))
        return self._rows(chosen)

    def sample(self, most: int, seed: int) -> "Examples":
        """At most so many rows, drawn by chance, in their order."""
        if len(self.y) <= most:
            return self
        drawn = np.random.default_rng(seed).choice(len(self.y), most, replace=False)
        chosen = np.zeros(len(self.y), dtype=bool)
        chosen[drawn] = True
        return self._rows(chosen)

    def _rows(self, chosen: np.ndarray) -> "Examples":
        return Examples(self.x.loc[chosen], self.y[chosen], self.as_of[chosen])


def histories(x: pd.DataFrame) -> Histories:
    """The purchase histories in a feature table; the unknown counts as 0 [purchases, days]."""
    return Histories(*(x[name].fillna(0.0).to_numpy(dtype=float) for name in HISTORY))


def churn_columns(x: pd.DataFrame) -> list[str]:
    """What the model reads of a feature table: all that tells customers apart, and the history."""
    wanted = {*informative(x), *HISTORY}
    return [name for name in x.columns if name in wanted]


def boosted(rows: Examples, start: np.ndarray, params: TrainParams, seed: int) -> lgb.Booster:
    """Gradient boosting on all columns, of what `start` leaves to be learned.

    Splits are drawn by chance (extremely randomised trees), which errs less in later months. The
    same bytes for a seed, whatever the threads.

    Parameters
    ----------
    start : array, shape (n,)
        Log-odds to begin with: the level of the as-of date. Without it trees learn which date a row
        is of, and take that date's level for something of the customer.
    """
    settings = {
        "objective": "binary",
        "learning_rate": params.churn_learning_rate,
        "num_leaves": params.churn_leaves,
        "min_data_in_leaf": params.churn_min_leaf,
        "feature_fraction": params.churn_columns,
        "extra_trees": True,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": params.churn_l2,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbose": -1,
    }
    names = [f"f{k}" for k in range(rows.x.shape[1])]
    table = lgb.Dataset(rows.x.to_numpy(), rows.y, init_score=start, feature_name=names)
    return lgb.train(settings, table, params.churn_rounds)


def strong_logistic(columns: list[str], c: float) -> Pipeline:
    """Logistic regression on those of the strong features that there are, and on MBG/NBD's word."""
    chosen = [*(name for name in STRONG if name in columns), SAID]
    select = ColumnTransformer([("strong", "passthrough", chosen)], verbose_feature_names_out=False)
    return Pipeline([("select", select), ("model", logistic(c))])


class ChurnModel(ClassifierMixin, BaseEstimator):
    """The blend: ``logit P(churned) = intercept + sum of weight x log-odds of each member``.

    Attributes
    ----------
    feature_names_in_ : array of str
        Columns that are read, in order.
    booster_ : str
        LightGBM's text: differences from the level of an as-of date.
    level_ : float
        Log-odds of the share of the training rows that churned.
    logistic_ : Pipeline
    purchases_ : list of float
        r, alpha, a, b of MBG/NBD, in days.
    horizon_days_ : int
    blend_ : dict
        ``weights`` (of each member) and ``intercept``.
    season_ : dict
        Offset of the log-odds at past cutoffs, by date (YYYY-MM-DD); empty where it does not help.
    """

    def fit(
        self, rows: Examples, buyers: Histories, params: TrainParams, horizon_days: int, seed: int
    ) -> Self:
        """Fit the members; the blend is their plain mean until `with_blend`.

        Parameters
        ----------
        rows : Examples
        buyers : Histories
            Everybody who ever bought, as of the day of judging: no label is read.
        params : TrainParams
        horizon_days, seed : int
        """
        self.classes_ = np.array([0, 1])
        self.feature_names_in_ = np.array(rows.x.columns, dtype=object)
        self.horizon_days_ = horizon_days
        self.purchases_ = list(fit_purchases(buyers)[:4])
        member = strong_logistic(list(rows.x.columns), params.logistic_c)
        self.logistic_ = member.fit(self._with_purchases(rows.x), rows.y)
        self.level_ = float(logit(rows.y.mean()))
        offsets = list(rows.offsets(self.logistic_log_odds(rows.x)).values())
        start = self.level_ + np.array(offsets)[np.unique(rows.as_of, return_inverse=True)[1]]
        self.booster_ = boosted(rows, start, params, seed).model_to_string()
        return self.with_blend(Blend.mean_of(MEMBERS)).with_season({})

    def with_blend(self, blend: Blend) -> Self:
        """Weigh the members so."""
        self.blend_ = {"weights": dict(blend.weights), "intercept": blend.intercept}
        return self

    def with_season(self, offsets: dict[date, float]) -> Self:
        """Remember past offsets, for `on`."""
        self.season_ = {day.isoformat(): value for day, value in offsets.items()}
        return self

    def on(self, day: date) -> Self:
        """The model for an as-of date: with the level of that season, where it has one."""
        offsets = {date.fromisoformat(known): value for known, value in self.season_.items()}
        blend = Blend(self.blend_["weights"], self.blend_["intercept"])
        shift = year_before(day, offsets) or 0.0
        return copy(self).with_blend(blend._replace(intercept=blend.intercept + shift))

    @ONE_BLAS_THREAD
    def member_logits(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn of each of `MEMBERS`, shape (n, 3)."""
        members = {
            "boosting": self.boosting_log_odds(x),
            "logistic": self.logistic_log_odds(x),
            "purchases": self.purchase_log_odds(x),
        }
        return np.column_stack([members[name] for name in MEMBERS])

    def boosting_log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn by the boosting member, shape (n,)."""
        return self.level_ + np.asarray(self._booster().predict(x.to_numpy(), raw_score=True))

    def logistic_log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn by the logistic member, shape (n,)."""
        return np.asarray(self.logistic_.decision_function(self._with_purchases(x)))

    def purchase_log_odds(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn by the purchase history alone, shape (n,)."""
        return logit(np.clip(1 - self.p_purchase(x), SMALLEST, 1 - SMALLEST))

    def decision_function(self, x: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn, shape (n,)."""
        weights = np.array([self.blend_["weights"][name] for name in MEMBERS])
        return self.member_logits(x) @ weights + self.blend_["intercept"]

    def predict_proba(self, x: pd.DataFrame) -> np.ndarray:
        """P(kept) and P(churned), shape (n, 2)."""
        risk = expit(self.decision_function(x))
        return np.column_stack([1 - risk, risk])

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """1 where churn is the likelier, shape (n,)."""
        return (self.decision_function(x) > 0).astype(int)

    def p_alive(self, x: pd.DataFrame) -> np.ndarray:
        """P(not yet dropped out), shape (n,): beside the risk, never in its place."""
        return p_alive(histories(x), self.counting)

    def p_purchase(self, x: pd.DataFrame) -> np.ndarray:
        """P(at least one value event in the horizon) by the purchase history, shape (n,)."""
        return p_purchase(histories(x), self.counting, self.horizon_days_)

    @property
    def counting(self) -> Purchases:
        """MBG/NBD as fitted [days]."""
        r, alpha, a, b = self.purchases_
        return Purchases(r, alpha, a, b)

    def boosting_attributions(self, x: pd.DataFrame) -> np.ndarray:
        """Exact tree attributions (SHAP), shape (n, n_features + 1); the last is the base value.

        A row adds up to the boosting member's log-odds.
        """
        shares = np.array(self._booster().predict(x.to_numpy(), pred_contrib=True))
        shares[:, -1] += self.level_
        return shares

    def logistic_attributions(self, x: pd.DataFrame) -> np.ndarray:
        """The logistic member's shares in the columns' order, shape (n, n_features + 2).

        Coefficient times standardised value; 0 for columns that it does not read; then the share of
        what MBG/NBD says, and the intercept. A row adds up to the member's log-odds.
        """
        select: Any = self.logistic_["select"]
        model: Any = self.logistic_["model"]
        places = {name: place for place, name in enumerate([*self.feature_names_in_, SAID])}
        own = [places[name] for name in select.get_feature_names_out()]
        shares = np.zeros((len(x), len(places) + 1))
        chosen = select.transform(self._with_purchases(x))
        shares[:, own] = model[:-1].transform(chosen) * model[-1].coef_[0]
        shares[:, -1] = model[-1].intercept_[0]
        return shares

    def attributions(self, x: pd.DataFrame) -> np.ndarray:
        """Shares of the log-odds of the risk, shape (n, n_features + 2).

        One for each column (boosting and logistic regression, weighted), one for the purchase
        history as a whole (MBG/NBD), and the constant. A row adds up to `decision_function`.
        """
        weights, intercept = self.blend_["weights"], self.blend_["intercept"]
        trees = weights["boosting"] * self.boosting_attributions(x)
        shares = weights["logistic"] * self.logistic_attributions(x)
        shares[:, :-2] += trees[:, :-1]
        shares[:, -2] += weights["purchases"] * self.purchase_log_odds(x)
        shares[:, -1] += trees[:, -1] + intercept
        return shares

    def _with_purchases(self, x: pd.DataFrame) -> pd.DataFrame:
        return x.assign(**{SAID: self.purchase_log_odds(x)})

    def _booster(self) -> lgb.Booster:
        return lgb.Booster(model_str=self.booster_)
