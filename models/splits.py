"""Which past cutoffs a model is fitted on, calibrated on and tested on, in time order."""

from datetime import date
from typing import NamedTuple

from features.params import ChurnParams, Cutoffs


class Split(NamedTuple):
    """As-of dates by use; no label window reaches past the next use's first date."""

    fit: list[date]
    calibrate: list[date]
    test: date


def split(cutoffs: Cutoffs, churn: ChurnParams) -> Split:
    """Calibrate on the latest training cutoff; fit on those whose label windows end before it.

    With a single training cutoff there is nothing to calibrate on, and ``calibrate`` is empty.

    Raises
    ------
    ValueError
        If there is no training cutoff.
    """
    if not cutoffs.train or cutoffs.test is None:
        raise ValueError("no training cutoff")
    *earlier, latest = cutoffs.train
    fit = [day for day in earlier if day + churn.reach <= latest]
    if not fit:
        return Split([latest], [], cutoffs.test)
    return Split(fit, [latest], cutoffs.test)
