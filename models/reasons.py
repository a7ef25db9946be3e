"""Why a customer is at risk, in words, from exact attributions of the churn model."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy.special import expit

from features.feature import Feature

REASONS = 3
DECIMALS = 6
SMALLEST = 1e-9


def reasons(
    names: list[str],
    shares: np.ndarray,
    features: pl.DataFrame,
    definitions: list[Feature],
    middles: Mapping[str, float | None],
) -> pl.DataFrame:
    """The strongest reasons, shape (n, 6): ``reason_1``, its ``reason_1_effect``, and so on.

    Words are null where there are fewer, and the effect [log-odds] is then 0. Only features that a
    marketer can act on, that raise the risk, and on the side of the population's median that their
    phrase speaks of; at most one of each family.

    Parameters
    ----------
    names : list of str
    shares : array, shape (n, at least n_names)
        See `models.churn.ChurnModel.attributions`.
    features : feature table, shape (n, .)
    definitions : list of Feature
    middles : mapping of str to float
        Median of each feature with a phrase, among the customers for whom churn is defined.
    """
    spoken = {d.name: d for d in definitions if d.actionable and d.name in names}
    columns = [_spoken(d, features[d.name], middles[d.name]) for d in spoken.values()]
    strength = np.column_stack(
        [
            np.where(holds, shares[:, names.index(name)], 0.0)
            for name, (_, holds) in zip(spoken, columns, strict=True)
        ]
    )
    strength = _best_of_families(strength, [d.family for d in spoken.values()])
    texts = np.column_stack([text for text, _ in columns]).astype(object)
    return _as_columns(strength, texts)


def _spoken(
    definition: Feature, values: pl.Series, middle: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The phrase with each customer's value, and whether the value is on the phrase's side."""
    phrase = definition.high or definition.low
    numbers = values.cast(pl.Float64)
    side = numbers > middle if definition.high else numbers < middle
    rounded = numbers.round(1)
    different = rounded.drop_nulls().unique()
    said = pl.Series([phrase.replace("{x}", f"{v:g}") for v in different], dtype=pl.String)
    words = rounded.replace_strict(different, said, default="", return_dtype=pl.String)
    return words.to_numpy(), side.fill_null(False).to_numpy()


def _best_of_families(strength: np.ndarray, families: list[str]) -> np.ndarray:
    """The strengths, with 0 for all but the strongest of each family."""
    kept = strength.copy()
    for family in dict.fromkeys(families):
        members = [i for i, f in enumerate(families) if f == family]
        top = strength[:, members].argmax(axis=1)
        for position, member in enumerate(members):
            kept[top != position, member] = 0.0
    return kept


def _as_columns(strength: np.ndarray, texts: np.ndarray) -> pl.DataFrame:
    best = np.argsort(-strength, axis=1, kind="stable")
    rows = np.arange(len(best))
    columns = {}
    for k in range(REASONS):
        name = f"reason_{k + 1}"
        if k >= best.shape[1]:
            columns[name] = pl.Series([None] * len(best), dtype=pl.String)
            columns[f"{name}_effect"] = np.zeros(len(best))
            continue
        chosen = best[:, k]
        effects = np.maximum(strength[rows, chosen], 0.0)
        said = zip(effects > 0, texts[rows, chosen], strict=True)
        columns[name] = pl.Series([t if some else None for some, t in said], dtype=pl.String)
        columns[f"{name}_effect"] = effects
    return pl.DataFrame(columns)


def in_points(said: pl.DataFrame, shares: np.ndarray, risk: np.ndarray) -> pl.DataFrame:
    """The reasons with their effects as parts of the risk itself, ``risk_start`` and ``risk_rest``.

    Log-odds are a sum of shares, the risk is not. So all shares of a customer are put on one scale:
    the slope of the line from the risk that everybody starts from to their own. Order and signs
    stay, and ``risk_start + effects + risk_rest`` is the risk to the last decimal.

    Parameters
    ----------
    said : result of `reasons`
    shares : array, shape (n, n_shares)
        Of the log-odds; the last is everybody's constant.
    risk : array, shape (n,)
        Rounded to `DECIMALS`.

    References
    ----------
    Shrikumar, Greenside and Kundaje, 2017, Learning Important Features Through Propagating
    Activation Differences, section 3.5.1: the rescale rule.
    """
    start, whole = expit(shares[:, -1]), shares[:, :-1].sum(axis=1)
    flat = np.abs(whole) < SMALLEST
    climbed = expit(shares.sum(axis=1)) - start
    slope = np.where(flat, start * (1 - start), climbed / np.where(flat, 1.0, whole))
    names = [f"reason_{k + 1}_effect" for k in range(REASONS)]
    effects = {name: (said[name].to_numpy() * slope).round(DECIMALS) for name in names}
    start = start.round(DECIMALS)
    rest = (risk - start - np.sum(list(effects.values()), axis=0)).round(DECIMALS)
    blank = [pl.when(pl.col(n.removesuffix("_effect")).is_not_null()).then(n) for n in names]
    return said.with_columns(**effects, risk_start=start, risk_rest=rest).with_columns(blank)
