"""How far the catalogue's guesses are believed: as far as they differ by more than their own doubt.

Every guess comes with its standard deviation. Where guesses differ no more than such doubt alone
would make them differ, their differences say nothing, and each action is believed to do what the
catalogue's actions do on average; where they differ by more, each keeps its share.
"""

import numpy as np

from actions.catalogue import Action

FEWEST = 4  # actions; a mean that is estimated too makes shrinking pay only from the fourth on


def believed_points(actions: list[Action]) -> dict[str, float]:
    """Effect of each action before anything is measured [percentage points at a toss-up].

    References
    ----------
    Efron B., Morris C., 1973, Stein's estimation rule and its competitors: an empirical Bayes
    approach, Journal of the American Statistical Association 68, 117-130.
    """
    guesses = np.array([action.effect.points for action in actions])
    doubts = np.array([action.effect.sd for action in actions]) ** 2
    if len(actions) < FEWEST:
        return {a.id: a.effect.points for a in actions}
    beyond = max(float(guesses.var(ddof=1) - doubts.mean()), 0.0)
    kept = beyond / (beyond + doubts)
    believed = guesses.mean() + kept * (guesses - guesses.mean())
    return {action.id: float(one) for action, one in zip(actions, believed, strict=True)}
