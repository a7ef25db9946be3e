"""Shadow prices: what one more cent of budget, or one more place, would bring.

With a price on every limit, each customer takes the option whose worth exceeds its price by most,
or none, and customers no longer compete: the Lagrangian relaxation. The prices that make this
relaxed plan cheapest are found by cutting planes within a trust region, first on a sample.

References
----------
Lemarechal C., Nemirovskii A., Nesterov Y., 1995, New variants of bundle methods, Mathematical
Programming 69, 111-147.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog

from actions.limits import Limits, counts

NONE = -1
SAMPLE, BLOCK = 20_000, 16_384
SAMPLE_STEPS, FULL_STEPS = 150, 30
CONVERGED = 1e-7  # of the value; far below the rounding of a plan of any size
WIDEST, FULL_WIDTH = 1.0, 0.02  # of each price's range


class Relaxed(NamedTuple):
    """The best plan at given prices, the limits left aside.

    Attributes
    ----------
    bound : no plan within the limits is worth more than this [cents]
    slack : of each limit, what the plan leaves; negative where it is exceeded, shape (n_limits,)
    chosen : option of each customer, or -1, shape (n_customers,)
    """

    bound: float
    slack: np.ndarray
    chosen: np.ndarray


def relax(worth: np.ndarray, limits: Limits, prices: np.ndarray) -> Relaxed:
    """Let everybody choose at these prices.

    Parameters
    ----------
    worth : int, shape (n_options, n_customers)
        Options that are not worth more than 0 are never chosen.
    limits : Limits
    prices : float, shape (n_limits,)
    """
    charge = prices @ limits.use
    n = worth.shape[1]
    chosen, total = np.full(n, NONE, dtype=np.int64), 0.0
    for start in range(0, n, BLOCK):
        block = worth[:, start : start + BLOCK]
        best, option = _best_of(block, charge)
        chosen[start : start + BLOCK] = option
        total += float(best.sum())
    slack = limits.most - limits.used(chosen)
    return Relaxed(total + float(prices @ limits.most), slack, chosen)


def _best_of(block: np.ndarray, charge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best, option = np.zeros(block.shape[1]), np.full(block.shape[1], NONE, dtype=np.int64)
    for k, row in enumerate(block):
        gain = row - charge[k]
        better = gain > best
        np.copyto(best, gain, where=better)
        np.copyto(option, k, where=better)
    return best, option


def shadow_prices(worth: np.ndarray, limits: Limits) -> np.ndarray:
    """Prices at which the relaxed plan is worth least, shape (n_limits,).

    Parameters
    ----------
    worth : int, shape (n_options, n_customers)
    limits : Limits
        All are 0 or more, and no option that can be chosen uses a limit of 0.
    """
    top = _highest_prices(worth, limits)
    start = np.zeros(len(top))
    if not top.any():
        return start
    step = worth.shape[1] // SAMPLE
    if step > 1:
        sample = np.ascontiguousarray(worth[:, ::step])
        share = sample.shape[1] / worth.shape[1]
        fewer = limits._replace(most=limits.most * share)
        start = _descend(sample, fewer, top, start, width=WIDEST, steps=SAMPLE_STEPS)
        return _descend(worth, limits, top, start, width=FULL_WIDTH, steps=FULL_STEPS)
    return _descend(worth, limits, top, start, width=WIDEST, steps=SAMPLE_STEPS)


def _highest_prices(worth: np.ndarray, limits: Limits) -> np.ndarray:
    """At these, nobody would use the limit; 0 where it cannot bind."""
    highest = worth.max(axis=1).clip(0)
    wanted = np.where(worth > 0, 1, 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(limits.use > 0, highest / limits.use, 0.0)
    binds = limits.use @ wanted > limits.most
    return np.where(binds, ratio.max(axis=1), 0.0)


def _descend(
    worth: np.ndarray,
    limits: Limits,
    top: np.ndarray,
    start: np.ndarray,
    *,
    width: float,
    steps: int,
) -> np.ndarray:
    """Cutting planes within a box around the best prices so far; the box follows success."""
    at = start
    here = relax(worth, limits, at)
    planes = [_plane(here, at, top)]
    for _ in range(steps):
        candidate, promised = _lowest(planes, at / np.where(top > 0, top, 1), width)
        gain = here.bound - promised
        if gain <= CONVERGED * here.bound:
            if width >= WIDEST:
                break
            width = min(width * 4, WIDEST)
            continue
        there = relax(worth, limits, candidate * top)
        planes.append(_plane(there, candidate * top, top))
        won = here.bound - there.bound
        if won > 0:
            at, here = candidate * top, there
        width = min(width * 2, WIDEST) if won > gain / 2 else width if won > 0 else width / 3
    return at


def _plane(found: Relaxed, at: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Slope and height of the tangent, in shares of the highest prices."""
    return np.append(found.slack * top, found.bound - float(found.slack @ at))


def _lowest(planes: list[np.ndarray], centre: np.ndarray, width: float) -> tuple[np.ndarray, float]:
    """Lowest point of the tangents' upper envelope within the box."""
    cuts = np.array(planes)
    scale = max(float(np.abs(cuts).max()), 1.0)
    rows = np.column_stack([cuts[:, :-1] / scale, -np.ones(len(cuts))])
    box = [(max(0.0, c - width), min(1.0, c + width)) for c in centre]
    objective = np.append(np.zeros(len(centre)), 1.0)
    found = linprog(
        objective, A_ub=rows, b_ub=-cuts[:, -1] / scale, bounds=[*box, (None, None)], method="highs"
    )
    return found.x[:-1], float(found.x[-1]) * scale
