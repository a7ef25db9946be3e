"""Why a customer is at risk, in words, from exact attributions of the churn model."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from features.feature import Feature

REASONS = 3


def reasons(
    names: list[str],
    shares: np.ndarray,
    features: pl.DataFrame,
    definitions: list[Feature],
    middles: Mapping[str, float | None],
) -> pl.DataFrame:
    """The strongest reasons in words, shape (n, 3): ``reason_1`` .. ``reason_3``, null where fewer.

    Only features that a marketer can act on, that raise the risk, and on the side of the
    population's median that their phrase speaks of; at most one of each family.

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
    text = numbers.round(1).map_elements(lambda v: f"{v:g}", return_dtype=pl.String)
    before, _, after = phrase.partition("{x}")
    words = (pl.Series([before]) + text + pl.Series([after])).fill_null("")
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
        if k >= best.shape[1]:
            columns[f"reason_{k + 1}"] = pl.Series([None] * len(best), dtype=pl.String)
            continue
        chosen = best[:, k]
        said = zip(strength[rows, chosen] > 0, texts[rows, chosen], strict=True)
        words = [text if some else None for some, text in said]
        columns[f"reason_{k + 1}"] = pl.Series(words, dtype=pl.String)
    return pl.DataFrame(columns)
