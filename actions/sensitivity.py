"""How far a customer can be moved: by whether they are undecided, or by how much they like it.

An action that asks for an order prompts one more with some probability, whatever the customer buys
anyway; with more, the fonder they are of the kind of engagement that its tactic offers. One that
removes a reason to leave moves whoever is undecided, whatever they like.
"""

import numpy as np
import polars as pl
from scipy.stats import rankdata

from actions.catalogue import Action, EngagementType, Goal, Tactic
from features.schemas import ENGAGEMENT_TYPES

# What each tactic offers, unless an action says otherwise. Content, advertisements, channels and
# reviews are assumptions.
ENGAGEMENT_TYPE: dict[Tactic, EngagementType] = {
    "interactive_content": "experiential",
    "gamification": "experiential",
    "personalised_experiences": "emotional",
    "user_generated_content": "social",
    "community_building": "social",
    "experiential_marketing": "experiential",
    "social_media_engagement": "social",
    "loyalty_programme": "transactional",
    "surveys_and_feedback": "emotional",
    "seamless_omnichannel": "transactional",
    "content_marketing": "emotional",
    "paid_ads": "transactional",
    "targeted_email": "transactional",
    "exceptional_service": "emotional",
    "referral_programme": "social",
    "reviews_and_testimonials": "emotional",
}
SMALLEST = 0.01  # probability of success that is told from 0


def responsiveness(p: np.ndarray) -> np.ndarray:
    """Change of P(success) by an effect that changes a toss-up by 1; nothing at both ends.

    An effect is thought of as the same step on the scale on which every probability is equally
    uncertain (Cohen J., 1988, Statistical power analysis, 2nd edition, section 6.2). Nobody is
    taken for less likely than 1 %: the observed rate of a stage is not known that well.
    """
    known = np.maximum(p, SMALLEST)
    return 2 * np.sqrt(known * (1 - known))


def kind_of(action: Action) -> EngagementType | None:
    """The engagement type for which affinity counts; None where it does not."""
    if action.goal == "retain":
        return None
    return action.engagement_type or ENGAGEMENT_TYPE[action.tactic]


def score_of(kind: str) -> str:
    """Name of the engagement score of a type."""
    return f"{kind}_score"


ENGAGEMENT_SCORES = tuple(score_of(kind) for kind in ENGAGEMENT_TYPES)


def affinity(score: pl.Series) -> np.ndarray:
    """How fond customers are of an engagement type, beside the others; 1 on average.

    Parameters
    ----------
    score : series, shape (n_customers,)
        Engagement score of the type; unknown is the lowest. Only its order counts: inclinations are
        taken to be exponentially distributed, so that the middle of a rank has the value
        ``-log(1 - share of customers below)`` (Savage I. R., 1956, Contributions to the theory of
        rank order statistics, Annals of Mathematical Statistics 27, 590-615). Where nobody differs,
        everybody has 1.
    """
    if score.is_empty():
        return np.zeros(0)
    below = (rankdata(score.fill_null(0).to_numpy()) - 0.5) / len(score)
    fond = -np.log1p(-below)
    return fond / fond.mean()


def sensitivity(p: np.ndarray, fond: np.ndarray | None) -> np.ndarray:
    """Further successes by an effect that changes P(success) of a toss-up by 1, shape (n,).

    An order that is prompted shows in P(at least one order) only where there would have been none,
    which is every other time at a toss-up: so it takes 2 of them (`shown`).

    Parameters
    ----------
    p : array, shape (n,)
        P(success) without action.
    fond : array, shape (n,), or None
        Affinity to the engagement type of an action that asks for an order; None: staying.
    """
    return responsiveness(p) if fond is None else 2 * fond


def shown(goal: Goal, p: np.ndarray, further: np.ndarray) -> np.ndarray:
    """Change of P(success) by further successes, shape (n,).

    References
    ----------
    DellaVigna S., Gentzkow M., 2010, Persuasion: empirical evidence, Annual Review of Economics 2,
    643-669 (the persuasion rate: of those who would not have done it anyway).
    """
    return further if goal == "retain" else further * (1 - p)
