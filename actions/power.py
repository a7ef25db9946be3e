"""How small an effect a comparison can see, and how many customers a smaller one would need."""

from math import ceil, sqrt

from scipy.stats import norm

ALPHA, POWER = 0.05, 0.8  # two-sided, as the field does
TOGETHER = float(norm.ppf(1 - ALPHA / 2) + norm.ppf(POWER))


def detectable(base_rate: float, treated: int, control: int) -> float:
    """Smallest difference of two rates that is found four times in five [0-1]; 1 with no customers.

    Parameters
    ----------
    base_rate : float
        Rate expected in both groups.
    treated, control : int
        Customers.
    """
    if not treated or not control:
        return 1.0
    spread = base_rate * (1 - base_rate)
    return min(1.0, TOGETHER * sqrt(spread / treated + spread / control))


def needed(base_rate: float, difference: float, control_share: float) -> int:
    """Customers of both groups together that a difference of rates needs.

    Parameters
    ----------
    base_rate : float
        Rate of the control group.
    difference : float
        To be found four times in five; not 0.
    control_share : float
        Share of the control group in all, above 0 and below 1.
    """
    other = min(max(base_rate + difference, 0.0), 1.0)
    spread = base_rate * (1 - base_rate) / control_share + other * (1 - other) / (1 - control_share)
    return ceil(round(TOGETHER**2 * spread / difference**2, 6))


def power_sentence(base_rate: float, treated: int, control: int) -> str:
    """What a run with these groups will be able to show, in words."""
    groups = f"{treated:,} customers with an action and {control:,} held out who would have had one"
    if not treated or not control:
        return f"{groups}: nothing can be measured. Hold some out, or plan more actions."
    points = 100 * detectable(base_rate, treated, control)
    return (
        f"{groups}, of whom {100 * base_rate:.0f} % are expected to buy: you can detect a change "
        f"of {points:.1f} points or more."
    )
