"""What one customer's churn risk is made of, and what would change it."""

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from features.feature import Feature
from models.preprocessing import matrix

HISTORY, CONSTANT = "how often and when they ordered, as a whole", "everybody's starting point"


class Part(NamedTuple):
    """A share of the log-odds of the risk: positive raises it. `value` is as people count it."""

    meaning: str
    value: float | None
    log_odds: float


class Change(NamedTuple):
    """The risk if one feature were at the population's median."""

    meaning: str
    value: float
    median: float
    risk: float


def parts_of(model: Any, row: pl.DataFrame, definitions: list[Feature], most: int) -> list[Part]:
    """The `most` strongest shares, all others as one, and the constant; they add up exactly.

    Parameters
    ----------
    model : models.churn.ChurnModel
    row : feature table, shape (1, .)
    definitions : list of Feature
    most : int
    """
    names = list(model.feature_names_in_)
    x = matrix(row, names)
    *shares, history, constant = np.asarray(model.attributions(x))[0].tolist()
    known = {d.name: d for d in definitions}
    values = [
        None if np.isnan(v) else known[n].shown(float(v))
        for n, v in zip(names, x.to_numpy()[0], strict=True)
    ]
    parts = [Part(known[n].meaning, v, s) for n, v, s in zip(names, values, shares, strict=True)]
    ranked = sorted([*parts, Part(HISTORY, None, history)], key=lambda part: -abs(part.log_odds))
    rest = sum(part.log_odds for part in ranked[most:])
    others = Part(f"{len(ranked[most:])} others together", None, rest)
    return [*ranked[:most], others, Part(CONSTANT, None, constant)]


def changes_of(
    model: Any, row: pl.DataFrame, population: pl.DataFrame, definitions: list[Feature]
) -> list[Change]:
    """The risk with each actionable feature at the population's median, the lowest risk first.

    One feature is changed at a time and the others stay, so it shows what the model looks at, not
    what an action would bring.
    """
    names = list(model.feature_names_in_)
    spoken = [d for d in definitions if d.actionable and d.name in names]
    known = [
        d for d in spoken if row[d.name][0] is not None and population[d.name].median() is not None
    ]
    if not known:
        return []
    medians = [float(np.float64(population[d.name].median())) for d in known]  # pyright: ignore
    x = matrix(pl.concat([row] * len(known)), names)
    for k, (definition, median) in enumerate(zip(known, medians, strict=True)):
        x.loc[k, definition.name] = median
    risks = model.predict_proba(x)[:, 1]
    found = [
        Change(d.meaning, float(row[d.name][0]), m, float(r))
        for d, m, r in zip(known, medians, risks, strict=True)
        if float(row[d.name][0]) != m
    ]
    return sorted(found, key=lambda change: change.risk)
