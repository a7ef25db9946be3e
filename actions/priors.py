"""What an action is believed to do, given what those like it are thought and were seen to do.

Every guess of the catalogue comes with its standard deviation. Where guesses differ no more than
such doubt alone would make them differ, their differences say nothing, and each action is believed
to do what the actions of its family do on average; where they differ by more, each keeps its share.
A measurement is one more guess, whose doubt is its standard error: as results come in, doubts
shrink, and differences that are real begin to count.
"""

from collections.abc import Mapping
from math import hypot, sqrt
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2

from actions.catalogue import Action
from actions.power import ALPHA

FEWEST = 4  # actions; a mean that is estimated too makes shrinking pay only from the fourth on
NOT_MEASURED: Mapping[str, "Estimate"] = {}


class Estimate(NamedTuple):
    """Effect at a toss-up and how unsure it is [percentage points]."""

    points: float
    sd: float


class Prior(NamedTuple):
    """What is believed of an action before its own results [percentage points].

    Attributes
    ----------
    points : effect at a toss-up
    own_sd : how unsure it is how the action differs from the others, as far as actions are proven
        to differ; only that can its own results tell
    rest_sd : what is left of the catalogue's doubt
    """

    points: float
    own_sd: float
    rest_sd: float

    @property
    def sd(self) -> float:
        """How unsure the effect is."""
        return hypot(self.own_sd, self.rest_sd)


class Family(NamedTuple):
    """The actions as a whole: their mean effect, and the variance between them."""

    mean: float
    between: float


def believed(
    actions: list[Action], measured: Mapping[str, Estimate] = NOT_MEASURED
) -> dict[str, Prior]:
    """Each action's guess, drawn to the mean as far as the actions do not differ beyond doubt.

    Actions that ask for an order are one family, those that keep from leaving another: what an
    e-mail does to orders says nothing of what a letter does to leaving. Where a family is too small
    to be compared, its guesses are compared with those of all, and each action learns from its own
    results alone.

    Parameters
    ----------
    actions : list of Action
    measured : mapping of Estimate
        What was seen of actions so far. It tells how the actions of a family are as a whole; the
        belief in each of them here is that before its own results (actions.posterior adds them).

    References
    ----------
    Efron B., Morris C., 1973, Stein's estimation rule and its competitors: an empirical Bayes
    approach, Journal of the American Statistical Association 68, 117-130.
    """
    guesses = {action.id: Estimate(action.effect.points, action.effect.sd) for action in actions}
    if len(actions) < FEWEST:
        return {name: Prior(*guess, rest_sd=0.0) for name, guess in guesses.items()}
    guessed = family(list(guesses.values()))
    beliefs = {}
    for staying in (False, True):
        own = {a.id: guesses[a.id] for a in actions if (a.goal == "retain") == staying}
        if len(own) < FEWEST:
            drawn = {name: _drawn(guess, guessed) for name, guess in own.items()}
            beliefs |= {n: drawn[n]._replace(own_sd=own[n].sd, rest_sd=0.0) for n in own}
        else:
            whole = family([combined(guess, measured.get(name)) for name, guess in own.items()])
            beliefs |= {name: _drawn(guess, whole) for name, guess in own.items()}
    return beliefs


def combined(*known: Estimate | None) -> Estimate:
    """What independent sources say together, each weighted by its precision."""
    some = [one for one in known if one is not None]
    weight = np.array([one.sd**-2 for one in some])
    points = np.array([one.points for one in some])
    return Estimate(float(weight @ points / weight.sum()), float(weight.sum() ** -0.5))


def family(known: list[Estimate]) -> Family:
    """Mean and variance of the actions' effects, by moments.

    Actions are taken to differ only where that is proven: a plan that follows differences which are
    not there costs more than one that overlooks some which are. The mean is not weighted:
    catalogues doubt large effects more, so that weights by precision would favour the small ones.

    References
    ----------
    Cochran W. G., 1954, The combination of estimates from different experiments, Biometrics 10,
    101-129 (the test).
    """
    points = np.array([one.points for one in known])
    doubts = np.array([one.sd for one in known]) ** 2
    centre = combined(*known).points
    differ = chi2.sf(((points - centre) ** 2 / doubts).sum(), len(known) - 1) < ALPHA
    spread = float(points.var(ddof=1))
    between = max(spread - float(doubts.mean()), 0.0) if differ else 0.0
    return Family(float(points.mean()), between)


def _drawn(guess: Estimate, whole: Family) -> Prior:
    kept = whole.between / (whole.between + guess.sd**2)
    points = whole.mean + kept * (guess.points - whole.mean)
    return Prior(points, sqrt(kept) * guess.sd, sqrt(1 - kept) * guess.sd)
