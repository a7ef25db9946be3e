"""Beliefs about effects: the catalogue's prior, moved by what was measured.

Each action has one effect of its own, drawn from the catalogue's prior, and in each stage it
departs from that by a little. With everything normal, the posterior is exact.
"""

import numpy as np
import polars as pl

from actions.catalogue import Action, ActionCatalogue
from actions.effects import ASSUMED, MEASURED
from actions.measurement import comparable, toss_up_points
from actions.params import MeasureParams
from features.schemas import EFFECTS


def posterior(
    prior: tuple[float, float], stage_sd: float, measured: list[tuple[float, float] | None]
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
    rows : result of actions.measurement.matured
        May be empty: then everything is assumed.
    catalogue : ActionCatalogue
    params : MeasureParams

    Returns
    -------
    table of schemas.EFFECTS
    """
    planned = comparable(rows)
    found = [row for action in catalogue.actions for row in _of_action(planned, action, params)]
    kinds = {"text": pl.String, "integer": pl.Int64, "float": pl.Float64}
    schema = {column.name: kinds[column.kind] for column in EFFECTS.columns}
    return pl.DataFrame(found, schema=schema, orient="row")


def _of_action(
    planned: pl.DataFrame, action: Action, params: MeasureParams
) -> list[tuple[object, ...]]:
    own = planned.filter(pl.col("action_id") == action.id)
    by_stage = [own.filter(pl.col("stage") == stage) for stage in action.stages]
    measured = [toss_up_points(stratum) for stratum in by_stage]
    prior = (action.effect.points, action.effect.sd)
    believed = posterior(prior, params.stage_sd_share * action.effect.sd, measured)
    basis = MEASURED if any(one is not None for one in measured) else ASSUMED
    return [
        (action.id, stage, basis, *belief, *(seen or (None, None)), *_sizes(stratum))
        for stage, belief, seen, stratum in zip(
            action.stages, believed, measured, by_stage, strict=True
        )
    ]


def _sizes(stratum: pl.DataFrame) -> tuple[int, int]:
    treated = int((stratum["arm"] == "policy").sum())
    return treated, stratum.height - treated
