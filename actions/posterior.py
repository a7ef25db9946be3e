"""Beliefs about effects: the catalogue's prior, moved by what was measured.

Each action has one effect of its own, drawn from the catalogue's prior, and in each stage it
departs from that by a little. With everything normal, the posterior is exact. How far the
catalogue is to be trusted is itself measured: guesses that the results contradict are taken less
seriously for the actions that were not measured, too (empirical Bayes).
"""

import numpy as np
import polars as pl

from actions.catalogue import ActionCatalogue
from actions.effects import ASSUMED, MEASURED
from actions.evidence import Evidence, evidence
from actions.params import MeasureParams
from features.schemas import EFFECTS

TRUST = np.linspace(0, 1, 11)  # in the catalogue's differences between actions
Prior = tuple[float, float]
Measured = list[tuple[float, float] | None]


def posterior(prior: Prior, stage_sd: float, measured: Measured) -> list[tuple[float, float]]:
    """Mean and standard deviation of the effect in each stage.

    Parameters
    ----------
    prior : (mean, sd)
        Of the action's own effect.
    stage_sd : float
        How far stages depart from it.
    measured : list of (estimate, standard error) or None
        By stage; None where nothing was measured.

    References
    ----------
    Gelman A. et al., 2013, Bayesian Data Analysis, 3rd edition, section 5.4.
    """
    mean, sd = prior
    n = len(measured)
    covariance = sd**2 * np.ones((n, n)) + stage_sd**2 * np.eye(n)
    seen = [k for k, one in enumerate(measured) if one is not None]
    if seen:
        y = np.array([one[0] for one in measured if one is not None])
        noise = np.diag([one[1] ** 2 for one in measured if one is not None])
        gain = np.linalg.solve(covariance[np.ix_(seen, seen)] + noise, covariance[seen]).T
        means = mean + gain @ (y - mean)
        covariance = covariance - gain @ covariance[seen]
    else:
        means = np.full(n, mean)
    return list(zip(means.tolist(), np.sqrt(np.diag(covariance)).tolist(), strict=True))


def tempered(priors: list[Prior], stage_share: float, measured: list[Measured]) -> list[Prior]:
    """The catalogue's priors, trusted as far as what was measured bears them out.

    Without trust every action is believed to do what the catalogue believes on average, give or
    take the differences that it sees. Every degree of trust counts as likely beforehand.

    Parameters
    ----------
    priors : list of (mean, sd)
    stage_share : float
        How far stages depart from an action's effect, as a share of its sd.
    measured : list, for each action as in `posterior`

    Returns
    -------
    list of (mean, sd)
        As they are where nothing was measured.

    References
    ----------
    Efron B., 2010, Large-Scale Inference, Cambridge, chapter 1.
    """
    if not any(one for by_stage in measured for one in by_stage):
        return priors
    tried = [_trusted(priors, trust) for trust in TRUST]
    fits = np.array([_fit(one, stage_share, measured) for one in tried])
    likely = np.exp(fits - fits.max())
    return _trusted(priors, float(likely @ TRUST / likely.sum()))


def _trusted(priors: list[Prior], trust: float) -> list[Prior]:
    means, sds = np.array(priors).T
    centre, spread = means.mean(), means.std()
    sds = np.hypot(trust * sds + (1 - trust) * np.sqrt((sds**2).mean()), (1 - trust) * spread)
    return list(zip((centre + trust * (means - centre)).tolist(), sds.tolist(), strict=True))


def _fit(priors: list[Prior], stage_share: float, measured: list[Measured]) -> float:
    """Log-likelihood of what was measured."""
    pairs = zip(priors, measured, strict=True)
    return sum(_log_likelihood(prior, stage_share * prior[1], seen) for prior, seen in pairs)


def _log_likelihood(prior: Prior, stage_sd: float, measured: Measured) -> float:
    seen = [one for one in measured if one is not None]
    if not seen:
        return 0.0
    points, errors = np.array(seen).T
    covariance = prior[1] ** 2 + np.diag(stage_sd**2 + errors**2)
    gap = points - prior[0]
    _, size = np.linalg.slogdet(covariance)
    return float(-0.5 * (size + gap @ np.linalg.solve(covariance, gap)))


def effects_table(
    rows: pl.DataFrame, catalogue: ActionCatalogue, params: MeasureParams
) -> pl.DataFrame:
    """Beliefs about every action in each of its stages.

    Parameters
    ----------
    rows : result of actions.measurement.matured
        May be empty: then everything is assumed.
    catalogue : ActionCatalogue
    params : MeasureParams

    Returns
    -------
    table of schemas.EFFECTS
    """
    share, actions = params.stage_sd_share, catalogue.actions
    by_stage = {str(key): own for (key,), own in rows.partition_by("stage", as_dict=True).items()}
    none = rows.clear()
    known = [[evidence(by_stage.get(s, none), a.id) for s in a.stages] for a in actions]
    measured: list[Measured] = [[one and one[:2] for one in found] for found in known]
    priors = tempered([(a.effect.points, a.effect.sd) for a in actions], share, measured)
    lines = [
        (action.id, stage, MEASURED if one else ASSUMED, *belief, *_columns(one))
        for action, prior, own, seen in zip(actions, priors, known, measured, strict=True)
        for stage, belief, one in zip(
            action.stages, posterior(prior, share * prior[1], seen), own, strict=True
        )
    ]
    kinds = {"text": pl.String, "integer": pl.Int64, "float": pl.Float64}
    schema = {column.name: kinds[column.kind] for column in EFFECTS.columns}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _columns(one: Evidence | None) -> tuple[float | None, ...]:
    return (None, None, 0, 0) if one is None else tuple(one)
