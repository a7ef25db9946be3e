"""Whether the general level comes back with the season, and what that says of a date.

The offset of a cutoff is what must be added there: to a churn model's log-odds, so that its mean
risk is the share that churned, or to the logarithm of the orders that a value model expects, so
that their sum is what came. Offsets of the same model a year apart are compared, not raw shares: a
population that grew, or a history that had only begun, moves the shares but not the season.
"""

from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

YEAR = timedelta(days=365)
NEAR = timedelta(days=20)  # so long before the first cutoff, its offset still tells the season


class Trial(NamedTuple):
    """A held-out cutoff: its own offset, and those of the cutoffs that could be learned from."""

    held_out: date
    offset: float
    known: dict[date, float]


def year_before(day: date, offsets: dict[date, float]) -> float | None:
    """The offset of a year before, between those of the cutoffs around it; None where unknown."""
    if not offsets:
        return None
    known = sorted(offsets)
    before = day - YEAR
    if not known[0] - NEAR <= before <= known[-1]:
        return None
    days = [each.toordinal() for each in known]
    return float(np.interp(before.toordinal(), days, [offsets[each] for each in known]))


def season_helps(trials: list[Trial], offsets: dict[date, float], ratio: float) -> bool:
    """Whether last year's offsets foretell those of held-out cutoffs.

    Without a correction, all of an offset remains as an error. Held-out cutoffs all lie in the
    latest months, so their own offsets say little of the rest of the year: the error of "no
    correction" is taken over all cutoffs of the past year instead.

    Parameters
    ----------
    trials : list of Trial
    offsets : dict
        Of all training cutoffs.
    ratio : float
        The correction must leave at most this share of the error (root mean square).
    """
    pairs = [(t.offset, year_before(t.held_out, t.known)) for t in trials]
    errors = [now - then for now, then in pairs if then is not None]
    if not errors or len(errors) < len(trials):
        return False
    latest = max(offsets)
    year = [value for day, value in offsets.items() if day > latest - YEAR]
    return _rms(errors) <= ratio * _rms(year)


def _rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
