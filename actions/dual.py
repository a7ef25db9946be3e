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

from actions.limits import Limits

NONE = -1
SAMPLE, BLOCK = 20_000, 16_384
SAMPLE_STEPS, FULL_STEPS = 150, 60
CONVERGED = 1e-8  # of the value; the relaxed plan cannot be made cheaper by more
WIDEST, NARROW, NARROWEST = 1.0, 0.02, 1e-9  # half the box, in units of each price
SMALLEST_UNIT = 1e-3  # of the highest price


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


class Box(NamedTuple):
    """Where the next prices may lie: `width` units around the present ones, from 0 to `top`."""

    top: np.ndarray
    unit: np.ndarray
    width: float

    def times(self, factor: float) -> "Box":
        """A wider or narrower box."""
        return self._replace(width=min(max(self.width * factor, NARROWEST), WIDEST))


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
    prices, binding = np.zeros(len(top)), top > 0
    if binding.any():
        some = limits._replace(use=limits.use[binding], most=limits.most[binding])
        prices[binding] = _lowest_prices(worth, some, top[binding])
    return prices


def _lowest_prices(worth: np.ndarray, limits: Limits, top: np.ndarray) -> np.ndarray:
    """From 0 on a sample of the customers, then from there on all of them."""
    nothing, wide = np.zeros(len(top)), Box(top, top, WIDEST)
    step = worth.shape[1] // SAMPLE
    if step < 2:
        return _descend(worth, limits, nothing, wide, SAMPLE_STEPS)
    sample = np.ascontiguousarray(worth[:, ::step])
    fewer = limits._replace(most=limits.most * (sample.shape[1] / worth.shape[1]))
    near = _descend(sample, fewer, nothing, wide, SAMPLE_STEPS)
    units = np.maximum(near, top * SMALLEST_UNIT)
    return _descend(worth, limits, near, Box(top, units, NARROW), FULL_STEPS)


def _highest_prices(worth: np.ndarray, limits: Limits) -> np.ndarray:
    """At these, nobody would use the limit; 0 where it cannot bind."""
    highest = worth.max(axis=1).clip(0)
    wanted = np.count_nonzero(worth > 0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(limits.use > 0, highest / limits.use, 0.0)
    binds = limits.use @ wanted > limits.most
    return np.where(binds, ratio.max(axis=1), 0.0)


def _descend(
    worth: np.ndarray, limits: Limits, start: np.ndarray, box: Box, steps: int
) -> np.ndarray:
    """Cutting planes within a box around the best prices so far; the box follows success."""
    at, here = start, relax(worth, limits, start)
    planes = [_plane(here, at)]
    for _ in range(steps):
        candidate, promised = _lowest(planes, at, box)
        gain = here.bound - promised
        if gain <= CONVERGED * here.bound:
            if box.width >= WIDEST:
                break
            box = box.times(4)
            continue
        there = relax(worth, limits, candidate)
        planes.append(_plane(there, candidate))
        won = here.bound - there.bound
        if won > 0:
            at, here = candidate, there
        box = box.times(2 if won > gain / 2 else 1 if won > gain / 10 else 1 / 3)
    return at


def _plane(found: Relaxed, at: np.ndarray) -> np.ndarray:
    """Slope and height of the tangent."""
    return np.append(found.slack, found.bound - float(found.slack @ at))


def _lowest(planes: list[np.ndarray], centre: np.ndarray, box: Box) -> tuple[np.ndarray, float]:
    """Lowest point of the tangents' upper envelope within the box."""
    cuts = np.array(planes)
    slopes = cuts[:, :-1] * box.unit
    height = cuts[:, -1] + cuts[:, :-1] @ centre  # at the centre; steps are measured from there
    scale = max(float(np.abs(slopes).max()), float(np.ptp(height)), 1.0)
    rows = np.column_stack([slopes / scale, -np.ones(len(cuts))])
    low = np.maximum(-centre / box.unit, -box.width)
    high = np.minimum((box.top - centre) / box.unit, box.width)
    found = linprog(
        np.append(np.zeros(len(centre)), 1.0),
        A_ub=rows,
        b_ub=(height.max() - height) / scale,
        bounds=[*zip(low, high, strict=True), (None, None)],
        method="highs",
    )
    at = np.clip(centre + found.x[:-1] * box.unit, 0, box.top)
    return at, float(found.x[-1]) * scale + float(height.max())
