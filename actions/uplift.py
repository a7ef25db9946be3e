"""What each action changes for whom, learned from arms with known propensity.

Doubly robust scores turn every decision into an unbiased, if noisy, guess of what each action would
have brought; a linear model of their differences says how the effect depends on what is known of
the customer. It is used only as far as it proves itself on customers that it was not fitted on.

References
----------
Kennedy E. H., 2023, Towards optimal doubly robust estimation of heterogeneous causal effects,
Electronic Journal of Statistics 17, 3008-3049.
Chernozhukov V., Demirer M., Duflo E., Fernandez-Val I., 2018, Generic machine learning inference on
heterogeneous treatment effects in randomized experiments, NBER 24678 (the calibration slope).
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import Ridge

from actions.intervals import Z

FOLDS = 5
PENALTY = 10.0  # of the ridge regressions, on standardised features
SMALLEST = 1e-3  # propensities below it are not believed


class Trial(NamedTuple):
    """Decisions with known propensity, and what followed.

    Attributes
    ----------
    features : float, shape (n, n_features)
        Known before the decision; no nulls.
    arm : int, shape (n,)
        0 for no action, 1 and more for the actions; -1 for actions that are not looked at.
    propensity : float, shape (n,)
        Probability of the arm that each customer was in.
    outcome : float, shape (n,)
    fold : int, shape (n,)
        0 to FOLDS - 1; all decisions of a customer in one fold.
    """

    features: np.ndarray
    arm: np.ndarray
    propensity: np.ndarray
    outcome: np.ndarray
    fold: np.ndarray

    @property
    def n_arms(self) -> int:
        """No action, and the actions."""
        return int(self.arm.max()) + 1


class Line(NamedTuple):
    """A linear function of the features."""

    intercept: float
    slopes: np.ndarray

    def at(self, features: np.ndarray) -> np.ndarray:
        """Values, shape (n,)."""
        return self.intercept + features @ self.slopes


class Effect(NamedTuple):
    """The effect of one action against none.

    Attributes
    ----------
    mean, error : average effect and its standard error
    line : effect by features, shrunk by what chance adds; a constant unless `proven`
    slope, slope_error : how far the predicted differences between customers come true (1: fully)
    """

    mean: float
    error: float
    line: Line
    slope: float
    slope_error: float

    @property
    def proven(self) -> bool:
        """Whether customers differ in the predicted way, beyond chance."""
        return self.slope - Z * self.slope_error > 0


class Learned(NamedTuple):
    """What a trial taught.

    Attributes
    ----------
    effects : of the actions, in order of the arms from 1
    cross_fitted : float, shape (n, n_actions)
        Effect of each action for each customer, by models that did not see them.
    scores : float, shape (n, n_arms)
        Doubly robust outcome of each customer in each arm.
    """

    effects: list[Effect]
    cross_fitted: np.ndarray
    scores: np.ndarray


class Gain(NamedTuple):
    """What choosing by customer brings over the best single arm, with its 95 % interval."""

    mean: float
    low: float
    high: float
    best_arm: int


def learn(trial: Trial) -> Learned:
    """Fit the effect of every action, cross-fitted and calibrated."""
    scores = robust_scores(trial)
    gaps = scores[:, 1:] - scores[:, :1]
    cross = np.zeros_like(gaps)
    for fold in range(FOLDS):
        out, own = trial.fold == fold, trial.fold != fold
        for k in range(gaps.shape[1]):
            cross[out, k] = fit_line(trial.features[own], gaps[own, k]).at(trial.features[out])
    effects = [_effect(trial, gaps[:, k], cross[:, k]) for k in range(gaps.shape[1])]
    return Learned(effects, cross, scores)


def robust_scores(trial: Trial) -> np.ndarray:
    """Outcome of each customer in each arm, without bias, shape (n, n_arms)."""
    scores = np.zeros((len(trial.arm), trial.n_arms))
    weight = 1 / np.maximum(trial.propensity, SMALLEST)
    for arm in range(trial.n_arms):
        expected, mine = np.zeros(len(trial.arm)), trial.arm == arm
        for fold in range(FOLDS):
            out = trial.fold == fold
            own = mine & ~out
            expected[out] = fit_line(trial.features[own], trial.outcome[own]).at(
                trial.features[out]
            )
        scores[:, arm] = expected + mine * weight * (trial.outcome - expected)
    return scores


def fit_line(features: np.ndarray, values: np.ndarray) -> Line:
    """Ridge regression on standardised features, as a line of the plain ones."""
    if not len(values):
        return Line(0.0, np.zeros(features.shape[1]))
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    fitted = Ridge(alpha=PENALTY).fit((features - centre) / spread, values)
    slopes = fitted.coef_ / spread
    return Line(float(fitted.intercept_ - centre @ slopes), slopes)


def _effect(trial: Trial, gaps: np.ndarray, predicted: np.ndarray) -> Effect:
    mean, error = float(gaps.mean()), float(gaps.std() / sqrt(len(gaps)))
    slope, slope_error = _calibration(gaps, predicted)
    plain = fit_line(trial.features, gaps)
    proven = slope - Z * slope_error > 0
    used = _shrinkage(trial.features, gaps, plain) if proven else 0.0
    level = float(plain.at(trial.features).mean())
    line = Line(mean + used * (plain.intercept - level), used * plain.slopes)
    return Effect(mean, error, line, slope, slope_error)


def _shrinkage(features: np.ndarray, gaps: np.ndarray, line: Line) -> float:
    """Share of the slopes to keep, 0 to 1: what is left when chance's part is taken off.

    References
    ----------
    James W., Stein C., 1961, Estimation with quadratic loss, 4th Berkeley Symposium, 361-379.
    """
    centred = features - features.mean(axis=0)
    kept = centred.std(axis=0) > 0
    x, slopes = centred[:, kept], line.slopes[kept]
    inverse = np.linalg.pinv(x.T @ x)
    residual = (gaps - line.at(features))[:, None] * x
    covariance = inverse @ (residual.T @ residual) @ inverse
    rank = int(np.linalg.matrix_rank(covariance))
    strength = float(slopes @ np.linalg.pinv(covariance) @ slopes)
    return max(0.0, 1 - max(rank - 2, 0) / strength) if strength > 0 else 0.0


def _calibration(gaps: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Slope of what happened on what was predicted, with its robust standard error."""
    x, y = predicted - predicted.mean(), gaps - gaps.mean()
    spread = float(x @ x)
    if spread == 0:
        return 0.0, 0.0
    slope = float(x @ y) / spread
    return slope, sqrt(float(((x * (y - slope * x)) ** 2).sum())) / spread


def best_arms(effects: np.ndarray, price: np.ndarray) -> np.ndarray:
    """The arm of most net worth for each customer, shape (n,); 0 where no action pays.

    Parameters
    ----------
    effects : float, shape (n, n_actions)
        In the unit of the outcome.
    price : float, shape (n_actions,)
        What an action costs, in the same unit.
    """
    net = np.column_stack([np.zeros(len(effects)), effects - price])
    return net.argmax(axis=1)


def gain_over_best_arm(trial: Trial, learned: Learned, price: np.ndarray) -> Gain:
    """What choosing by customer brings over giving everybody the best single arm.

    Every customer is judged by models that did not see them; the best single arm of each fold is
    that of the other folds.
    """
    full = np.concatenate([[0.0], price])
    net = learned.scores - full
    chosen = best_arms(learned.cross_fitted, price)
    single = np.zeros(len(chosen), dtype=np.int64)
    for fold in range(FOLDS):
        single[trial.fold == fold] = net[trial.fold != fold].mean(axis=0).argmax()
    rows = np.arange(len(chosen))
    gaps = net[rows, chosen] - net[rows, single]
    mean, error = float(gaps.mean()), float(gaps.std() / sqrt(len(gaps)))
    best = int(net.mean(axis=0).argmax())
    return Gain(mean, mean - Z * error, mean + Z * error, best)


def policy(
    trial: Trial, learned: Learned, features: np.ndarray, price: np.ndarray
) -> tuple[np.ndarray, Gain]:
    """The arm of each customer: by customer where that is proven to pay, else the best single arm.

    Parameters
    ----------
    trial, learned : Trial and Learned
    features : float, shape (n, n_features)
        Of those to decide on.
    price : float, shape (n_actions,)
    """
    gain = gain_over_best_arm(trial, learned, price)
    if gain.low <= 0:
        return np.full(len(features), gain.best_arm), gain
    effects = np.column_stack([effect.line.at(features) for effect in learned.effects])
    return best_arms(effects, price), gain
