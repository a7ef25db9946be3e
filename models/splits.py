"""Rolling origins: which past cutoffs are held out, and which a model may learn from before it."""

from datetime import date, timedelta
from typing import NamedTuple


class Fold(NamedTuple):
    """As-of dates to learn from, and the later one to predict.

    No label window of `fit` reaches past `held_out`, so that everything in it could be known then.
    """

    fit: list[date]
    held_out: date


def folds(cutoffs: list[date], reach: timedelta, count: int) -> list[Fold]:
    """The latest `count` cutoffs that have at least one to learn from, oldest first.

    Parameters
    ----------
    cutoffs : list of date
    reach : timedelta
        From an as-of date to the end of its label window.
    count : int
    """
    ordered = sorted(set(cutoffs))
    every = [Fold([day for day in ordered if day + reach <= held], held) for held in ordered]
    return [fold for fold in every if fold.fit][-count:]
