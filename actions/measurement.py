"""What the actions changed: the policy arm beside the holdout, among customers planned alike.

Everybody is counted in the arm that they were drawn for, whether they were reached or not
(intention to treat), and only over windows that are complete.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from actions.arms import HOLDOUT, POLICY
from actions.intervals import (
    Difference,
    Group,
    adjusted,
    holm,
    mean_difference,
    rate_difference,
)
from actions.params import MeasureParams
from actions.power import ALPHA, detectable, needed
from features.schemas import MEASURED

ALL = "all"
SCOPES = {
    "overall": [],
    "action": ["action_id"],
    "stage": ["stage"],
    "action_stage": ["action_id", "stage"],
}


class Comparison(NamedTuple):
    """Treated and control of one stratum, and how they differ."""

    treated: int
    control: int
    rates: tuple[float, float]
    rate: Difference
    value: Difference


def matured(decisions: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Past decisions with what followed.

    Parameters
    ----------
    decisions : table of schemas.DECISIONS
        Of runs whose windows are complete.
    outcomes : table ``customer_id, as_of, value_events, value_cents``
        Customers without an event in the window are absent.

    Returns
    -------
    table
        The decisions with ``success`` [0 or 1] and ``value_cents`` in the window.
    """
    joined = decisions.join(
        outcomes, on=["customer_id", "as_of"], how="left", maintain_order="left"
    )
    return joined.with_columns(
        success=(pl.col("value_events").fill_null(0) > 0).cast(pl.Float64),
        value_cents=pl.col("value_cents").fill_null(0).cast(pl.Float64),
    ).drop("value_events")


def measure(rows: pl.DataFrame, params: MeasureParams) -> pl.DataFrame:
    """Compare the arms overall, by planned action, by stage, and by both.

    Parameters
    ----------
    rows : result of `matured`
    params : MeasureParams

    Returns
    -------
    table of schemas.MEASURED
        Strata in which an arm is empty are absent.
    """
    planned = comparable(rows)
    found = [row for scope, keys in SCOPES.items() for row in _scope(planned, scope, keys, params)]
    return pl.DataFrame(found, schema=_kinds(), orient="row")


def comparable(rows: pl.DataFrame) -> pl.DataFrame:
    """Policy arm and holdout, customers with a planned action, which is called ``action_id``."""
    both = rows.filter(
        pl.col("arm").is_in([POLICY, HOLDOUT]), pl.col("planned_action_id").is_not_null()
    )
    return both.with_columns(action_id="planned_action_id").sort("as_of", "customer_id")


def compare(stratum: pl.DataFrame) -> Comparison | None:
    """Treated beside control; None where one of them is empty."""
    treated = (stratum["arm"] == POLICY).to_numpy()
    if treated.all() or not treated.any():
        return None
    who = stratum["customer_id"].to_physical().rank("dense").to_numpy()
    success, value = stratum["success"].to_numpy(), stratum["value_cents"].to_numpy()
    known = stratum["expected_value_cents"].to_numpy().astype(float)
    rate = rate_difference(*_groups(success, who, treated))
    money = mean_difference(*_groups(adjusted(value, known, treated), who, treated))
    rates = float(success[treated].mean()), float(success[~treated].mean())
    return Comparison(int(treated.sum()), int((~treated).sum()), rates, rate, money)


def _groups(values: np.ndarray, who: np.ndarray, treated: np.ndarray) -> tuple[Group, Group]:
    return Group(values[treated], who[treated]), Group(values[~treated], who[~treated])


def _scope(
    planned: pl.DataFrame, scope: str, keys: list[str], params: MeasureParams
) -> list[tuple[object, ...]]:
    strata = planned.partition_by(keys, as_dict=True) if keys else {(): planned}
    compared = []
    for key in sorted(strata):
        names = dict(zip(keys, key, strict=True))
        found = compare(strata[key])
        if found is not None:
            compared.append((names.get("action_id", ALL), names.get("stage", ALL), found))
    enough = [k for k, (_, _, one) in enumerate(compared) if _enough(one, params)]
    corrected = dict(zip(enough, holm([compared[k][2].rate.p for k in enough]), strict=True))
    return [
        (scope, action, stage, *_columns(one, corrected.get(k), stage_or_action(action, stage)))
        for k, (action, stage, one) in enumerate(compared)
    ]


def stage_or_action(action: str, stage: str) -> str:
    """How a stratum is called in a sentence."""
    if action == ALL:
        return "All actions" if stage == ALL else f"Stage {stage}"
    return action if stage == ALL else f"{action} in stage {stage}"


def _enough(one: Comparison, params: MeasureParams) -> bool:
    return min(one.treated, one.control) >= params.min_per_arm


def _columns(one: Comparison, p: float | None, name: str) -> tuple[object, ...]:
    """All columns of schemas.MEASURED after the key; p is None where there are too few."""
    rate, share = one.rate, one.control / (one.treated + one.control)
    base = one.rates[1]
    wanted = needed(base, rate.difference, share) if rate.difference else None
    verdict = _verdict(rate, p)
    return (
        one.treated, one.control, *one.rates, rate.difference, rate.low, rate.high,
        rate.p if p is None else p,
        one.value.difference, one.value.low, one.value.high,
        detectable(base, one.treated, one.control), wanted, verdict,
        _words(name, one, verdict, wanted),
    )  # fmt: skip


def _verdict(rate: Difference, p: float | None) -> str:
    if p is None:
        return "too_few"
    if p >= ALPHA or rate.low <= 0 <= rate.high:
        return "none"
    return "raises" if rate.difference > 0 else "lowers"


def _words(name: str, one: Comparison, verdict: str, wanted: int | None) -> str:
    n = f"{one.treated:,} treated and {one.control:,} held out"
    gap = f"{100 * one.rate.difference:+.1f} points, 95 % interval {100 * one.rate.low:+.1f} to "
    gap += f"{100 * one.rate.high:+.1f}"
    if verdict == "too_few":
        return f"{name}: too few to judge ({n})."
    if verdict == "none":
        more = f" About {wanted:,} would be needed to be sure of that difference." if wanted else ""
        return f"{name}: no detectable effect ({gap}; {n}).{more}"
    return f"{name}: {verdict} the share who buy ({gap}; {n})."


def _kinds() -> dict[str, type[pl.DataType]]:
    kinds = {"text": pl.String, "integer": pl.Int64, "float": pl.Float64}
    return {column.name: kinds[column.kind] for column in MEASURED.columns}


def balance(rows: pl.DataFrame) -> pl.DataFrame:
    """Standardised differences between policy arm and holdout before anything was done.

    Returns
    -------
    table ``feature, policy, holdout, difference``
        Means, and their difference over the pooled standard deviation; beyond 0.1 is suspicious.
    """
    arms = rows.filter(pl.col("arm").is_in([POLICY, HOLDOUT]))
    dummies = arms.select(pl.col("stage", "level", "activity")).to_dummies()
    known = arms.select(pl.col("p_value", "order_value_cents", "expected_value_cents"))
    features = pl.concat([known.cast(pl.Float64), dummies.cast(pl.Float64)], how="horizontal")
    treated = arms["arm"] == POLICY
    one, other = features.filter(treated), features.filter(~treated)
    return pl.DataFrame(
        [(name, *_standardised(one[name], other[name])) for name in features.columns],
        schema={"feature": pl.String, "policy": pl.Float64, "holdout": pl.Float64,
                "difference": pl.Float64},
        orient="row",
    )  # fmt: skip


def _standardised(one: pl.Series, other: pl.Series) -> tuple[float, float, float]:
    if one.is_empty() or other.is_empty():
        return float("nan"), float("nan"), float("nan")
    means = float(one.to_numpy().mean()), float(other.to_numpy().mean())
    spread = np.sqrt((one.to_numpy().var() + other.to_numpy().var()) / 2)
    return *means, (means[0] - means[1]) / spread if spread > 0 else 0.0
