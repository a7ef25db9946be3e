"""What past decisions say of each action's effect: with it beside without it, by chance alone.

Two comparisons are read. Among customers planned for the action, the policy arm got it and the
holdout did not. Among those planned for something else, some of the random arm drew it, and some
who could have drew nothing; there the chance of either differs between customers, so that the
latter are weighted to be alike. Without the second, a policy that does not plan an action would
never learn that it was wrong. The second stays within the random arm, whose past is alike: who was
held out for long has been spared all caps and pauses, and is eligible for other things.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.arms import HOLDOUT, POLICY, RANDOM
from actions.catalogue import Action
from actions.gains import gain_of

Arms = tuple[pl.DataFrame, pl.DataFrame, np.ndarray]


class Evidence(NamedTuple):
    """Effect at a toss-up and its standard error [percentage points], and from how many."""

    points: float
    error: float
    treated: int
    control: int


class Arm(NamedTuple):
    """One side of a comparison.

    Attributes
    ----------
    mean : weighted mean gain
    share : weight of each decision, summing to 1
    beyond : gain beyond the mean
    who : number of the customer
    chance : variance of success by chance alone
    """

    mean: float
    share: np.ndarray
    beyond: np.ndarray
    who: np.ndarray
    chance: np.ndarray


def evidence(rows: pl.DataFrame, action: Action) -> Evidence | None:
    """Effect of an action among these decisions; None where nobody can be compared.

    Parameters
    ----------
    rows : result of actions.gains.with_gains
        Usually of one stage.
    action : Action
    """
    gain = gain_of(action.goal)
    known = rows.filter(pl.col(gain).is_not_null())
    both = [planned(known, action.id), drawn(known, action.id)]
    found = [one for one in (_compared(*arms, gain) for arms in both) if one is not None]
    if not found:
        return None
    weight = np.array([one.error**-2 for one in found])
    points = float(weight @ [one.points for one in found] / weight.sum())
    return Evidence(
        points,
        float(weight.sum() ** -0.5),
        sum(one.treated for one in found),
        sum(one.control for one in found),
    )


def planned(rows: pl.DataFrame, action_id: str) -> Arms:
    """Policy arm and holdout of those planned for the action."""
    own = rows.filter(pl.col("planned_action_id") == action_id)
    treated, control = (own.filter(pl.col("arm") == arm) for arm in (POLICY, HOLDOUT))
    return treated, control, np.ones(control.height)


def drawn(rows: pl.DataFrame, action_id: str) -> Arms:
    """Who drew the action, and who could have and got nothing, planned for something else.

    The chance of drawing an action is shared out among the options of a customer, so it falls with
    their number; a control weighs that over the chance of getting nothing.
    """
    options = pl.col("eligible_options").str.split(" ")
    own = rows.filter(
        pl.col("arm") == RANDOM,
        pl.col("planned_action_id").ne_missing(action_id),
        pl.col("eligible_options").str.contains(rf"(^| ){action_id}:"),
    )
    treated = own.filter(pl.col("action_id") == action_id)
    control = own.filter(pl.col("action_id").is_null())
    weight = control.select(1 / options.list.len() / pl.col("action_propensity"))
    return treated, control, weight.to_series().to_numpy()


def _compared(
    treated: pl.DataFrame, control: pl.DataFrame, weight: np.ndarray, gain: str
) -> Evidence | None:
    if treated.is_empty() or control.is_empty():
        return None
    moved = float(treated["sensitivity"].mean() or 0)  # type: ignore[arg-type]
    if moved == 0:
        return None
    one, other = _arm(treated, np.ones(treated.height), gain), _arm(control, weight, gain)
    scale = 100 / moved
    error = scale * sqrt((one.share @ one.share + other.share @ other.share) * _noise(one, other))
    return Evidence(scale * (one.mean - other.mean), error, treated.height, control.height)


def _arm(rows: pl.DataFrame, weight: np.ndarray, gain: str) -> Arm:
    p, who = rows["p_value"].to_numpy(), rows["customer_id"].rank("dense").to_numpy() - 1
    share = weight / weight.sum()
    mean = float(share @ rows[gain].to_numpy())
    return Arm(mean, share, rows[gain].to_numpy() - mean, who, p * (1 - p))


def _noise(*arms: Arm) -> float:
    """Variance of a gain that the arms have in common, as large as repeated customers make it.

    Gains are rare and large: a small arm that happens to have none would seem to be certain. The
    variance is at least that of chance alone, for a handful of equal outcomes is not certainty.
    """
    beyond = np.concatenate([arm.beyond for arm in arms])
    alone = sum(float((arm.share * arm.beyond) @ (arm.share * arm.beyond)) for arm in arms)
    summed = [np.bincount(arm.who, arm.share * arm.beyond) for arm in arms]
    repeated = sum(float(one @ one) for one in summed) / alone if alone > 0 else 1.0
    chance = np.clip(np.concatenate([arm.chance for arm in arms]), 0.01, None)
    return max(float(beyond @ beyond) / len(beyond), float(chance.mean())) * max(repeated, 1.0)
