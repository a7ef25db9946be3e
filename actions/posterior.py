"""Beliefs about effects: the catalogue's prior, moved by what was measured.

Each action has one effect of its own, drawn from the catalogue's prior, and in each stage it
departs from that by a little. With everything normal, the posterior is exact.
"""

from math import hypot

import numpy as np
import polars as pl

from actions.catalogue import Action, ActionCatalogue
from actions.effects import ASSUMED, MEASURED
from actions.evidence import Evidence, evidence
from actions.params import MeasureParams
from actions.priors import Estimate, Prior, believed, combined
from features.schemas import EFFECTS

Measured = list[tuple[float, float] | None]


def posterior(
    prior: tuple[float, float], stage_sd: float, measured: Measured
) -> list[tuple[float, float]]:
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


def effects_table(
    rows: pl.DataFrame, catalogue: ActionCatalogue, params: MeasureParams
) -> pl.DataFrame:
    """Beliefs about every action in each of its stages.

    Parameters
    ----------
    rows : result of actions.gains.with_gains
        May be empty: then everything is assumed.
    catalogue : ActionCatalogue
    params : MeasureParams

    Returns
    -------
    table of schemas.EFFECTS
    """
    actions = catalogue.actions
    by_stage = {str(key): own for (key,), own in rows.partition_by("stage", as_dict=True).items()}
    none = rows.clear()
    known = [[evidence(by_stage.get(s, none), action) for s in action.stages] for action in actions]
    lines = [
        line
        for action, found, prior in zip(actions, known, _priors(actions, known), strict=True)
        for line in _lines(action, found, prior, params.stage_sd_share)
    ]
    kinds = {"text": pl.String, "integer": pl.Int64, "float": pl.Float64}
    schema = {column.name: kinds[column.kind] for column in EFFECTS.columns}
    return pl.DataFrame(lines, schema=schema, orient="row")


def _priors(actions: list[Action], known: list[list[Evidence | None]]) -> list[Prior]:
    """Belief in each action before its own results; all results say how the actions are."""
    measured = {
        action.id: combined(*(one and Estimate(*one[:2]) for one in found))
        for action, found in zip(actions, known, strict=True)
        if any(found)
    }
    beliefs = believed(actions, measured)
    return [beliefs[action.id] for action in actions]


def _lines(
    action: Action, found: list[Evidence | None], prior: Prior, share: float
) -> list[tuple[object, ...]]:
    """Rows of schemas.EFFECTS of an action, by stage."""
    own = (prior.points, prior.own_sd)
    beliefs = posterior(own, share * prior.own_sd, [one and one[:2] for one in found])
    return [
        (
            action.id,
            stage,
            MEASURED if one else ASSUMED,
            mean,
            hypot(sd, prior.rest_sd),
            *_columns(one),
        )
        for stage, one, (mean, sd) in zip(action.stages, found, beliefs, strict=True)
    ]


def _columns(one: Evidence | None) -> tuple[float | None, ...]:
    return (None, None, 0, 0) if one is None else tuple(one)
