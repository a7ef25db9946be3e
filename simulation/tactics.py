"""What each tactic truly changes, for each customer: the answer that a job has to find.

An action works through its tactic, one of the sixteen of the catalogue, and its channel. From the
moment that it reaches a customer, and for the 28 days that follow, one of these happens:

* **prompt**: one more purchase, with probability `lift`, at a front-loaded moment (beta(1, 3) of
  the window). A registrant or contact who is convertible then goes on buying.
* **hush**: all purchases of the window are skipped, with probability `hush` (sleeping dogs).
* **win back**: somebody who has dropped out buys now, and is a customer again, with probability
  `win`. Drop-out is not final, then, but `win` halves with each 60 days since it.
* **heal**: somebody who is leaving because of trouble stays, with probability `heal`.

``lift = base x channel x taste x persuasion x freshness``, at most 0.6, and `win` the same; `base`
depends on the tactic and on whether the customer has bought never, once or twice, or oftener. Taste
is the customer's taste for the tactic's engagement type, at most 4. Registrants and contacts whose
interest has ended react a tenth as much. Freshness falls by a tenth for each recent contact
(a count that halves in 30 days). ``hush = dislike x intrusion of the channel``. So an action
moves persuadables up, sleeping dogs down, and everybody else not at all.

The groups and the notation are those of the uplift literature (Rubin, 1974, Journal of Educational
Psychology 66:688-701; Radcliffe, 2007, Direct Marketing Analytics Journal 1:14-21). All sizes are
assumptions, in the order of what catalogues believe, on the strong side.
"""

from typing import NamedTuple

import numpy as np

from simulation.season import DAY, NEVER, Season, activity_at
from simulation.traits import (
    EMOTIONAL,
    EXPERIENTIAL,
    SOCIAL,
    TRANSACTIONAL,
    Traits,
)

WINDOW_DAYS = 28
PRESSURE_HALF_LIFE_DAYS = 30.0

_MOST, _MOST_TASTE = 0.6, 4.0
_UNINTERESTED, _FATIGUE, _WIN_HALF_LIFE_DAYS = 0.1, 0.9, 60.0
_EARLY_ORDERS, _REGULAR_ORDERS = 1, 3


class Tactic(NamedTuple):
    """Base probabilities: lift by number of orders so far (0, 1-2, 3 and more), win and heal."""

    taste: int
    lift: tuple[float, float, float]
    win: float
    heal: float


TACTICS = {
    "interactive_content": Tactic(EXPERIENTIAL, (0.050, 0.030, 0.010), 0.00, 0.00),
    "gamification": Tactic(EXPERIENTIAL, (0.010, 0.050, 0.020), 0.01, 0.00),
    "personalised_experiences": Tactic(EMOTIONAL, (0.020, 0.060, 0.050), 0.03, 0.00),
    "user_generated_content": Tactic(SOCIAL, (0.005, 0.015, 0.030), 0.00, 0.00),
    "community_building": Tactic(SOCIAL, (0.010, 0.040, 0.030), 0.01, 0.00),
    "experiential_marketing": Tactic(EXPERIENTIAL, (0.030, 0.060, 0.080), 0.03, 0.05),
    "social_media_engagement": Tactic(SOCIAL, (0.060, 0.030, 0.010), 0.01, 0.00),
    "loyalty_programme": Tactic(TRANSACTIONAL, (0.000, 0.050, 0.040), 0.02, 0.00),
    "surveys_and_feedback": Tactic(EMOTIONAL, (0.000, 0.010, 0.010), 0.04, 0.15),
    "seamless_omnichannel": Tactic(TRANSACTIONAL, (0.010, 0.030, 0.020), 0.01, 0.00),
    "content_marketing": Tactic(EMOTIONAL, (0.040, 0.015, 0.005), 0.00, 0.00),
    "paid_ads": Tactic(TRANSACTIONAL, (0.030, 0.010, 0.005), 0.02, 0.00),
    "targeted_email": Tactic(TRANSACTIONAL, (0.060, 0.070, 0.060), 0.06, 0.00),
    "exceptional_service": Tactic(EMOTIONAL, (0.020, 0.030, 0.040), 0.12, 0.50),
    "referral_programme": Tactic(SOCIAL, (0.000, 0.015, 0.025), 0.00, 0.00),
    "reviews_and_testimonials": Tactic(EMOTIONAL, (0.000, 0.010, 0.010), 0.00, 0.00),
}
NAMES = tuple(TACTICS)
# channel -> (how much of the effect it carries, how much it puts sleeping dogs off)
CHANNELS = {
    "email": (1.0, 0.8),
    "sms": (1.1, 1.0),
    "push": (0.9, 0.9),
    "mail": (1.2, 0.4),
    "phone": (1.5, 1.0),
    "ad": (0.8, 0.2),
    "web": (0.6, 0.1),
    "app": (0.7, 0.3),
    "store": (1.0, 0.1),
    "social": (0.8, 0.2),
    "event": (1.3, 0.2),
}
REACHES = tuple(CHANNELS)
_TASTE = np.array([tactic.taste for tactic in TACTICS.values()])
_LIFT = np.array([tactic.lift for tactic in TACTICS.values()])
_WIN = np.array([tactic.win for tactic in TACTICS.values()])
_HEAL = np.array([tactic.heal for tactic in TACTICS.values()])
_CARRIES, _INTRUDES = np.array(list(CHANNELS.values())).T


class Reached(NamedTuple):
    """Customers whom an action reaches, and how they stand at that moment; arrays of one length.

    Attributes
    ----------
    who : position of the customer
    tactic, channel : positions in NAMES and REACHES
    orders : number of orders so far
    buying : bool, buys of their own accord when not dropped out
    interested : bool, still visits
    dropped_days : days since dropping out; 0 for those who have not
    leaving_at : s since start
        When they drop out because of trouble, unless something is done; NEVER for the others.
    pressure : recent contacts
    """

    who: np.ndarray
    tactic: np.ndarray
    channel: np.ndarray
    orders: np.ndarray
    buying: np.ndarray
    interested: np.ndarray
    dropped_days: np.ndarray
    leaving_at: np.ndarray
    pressure: np.ndarray


class Chances(NamedTuple):
    """Probabilities of each reaction, arrays of one length; see the module."""

    lift: np.ndarray
    hush: np.ndarray
    win: np.ndarray
    heal: np.ndarray


class Truth(NamedTuple):
    """What reaching a customer changes, arrays of one length.

    Attributes
    ----------
    purchase : change of P(at least one purchase in the 28 days)
    cents : change of the money expected in a number of days, see `true_effects`
    """

    purchase: np.ndarray
    cents: np.ndarray


def chances(traits: Traits, reached: Reached) -> Chances:
    """Probabilities of each reaction.

    Parameters
    ----------
    traits : Traits
    reached : Reached

    Returns
    -------
    Chances
    """
    who, tactic = reached.who, reached.tactic
    phase = np.digitize(reached.orders, (_EARLY_ORDERS, _REGULAR_ORDERS))
    gone = reached.dropped_days > 0
    liking = np.minimum(traits.taste[who, _TASTE[tactic]], _MOST_TASTE) * traits.persuasion[who]
    strength = liking * _CARRIES[reached.channel] * _FATIGUE**reached.pressure
    strength = strength * np.where(reached.interested | reached.buying, 1.0, _UNINTERESTED)
    decay = 0.5 ** (reached.dropped_days / _WIN_HALF_LIFE_DAYS)
    leaving = ~gone & (reached.leaving_at < NEVER)
    put_off = traits.dislike[who] * _INTRUDES[reached.channel]
    return Chances(
        lift=np.where(gone, 0.0, np.minimum(_LIFT[tactic, phase] * strength, _MOST)),
        hush=np.where(gone | ~reached.buying, 0.0, put_off),
        win=np.where(gone, np.minimum(_WIN[tactic] * strength * decay, _MOST), 0.0),
        heal=np.where(leaving, _HEAL[tactic], 0.0),
    )


def true_effects(
    traits: Traits, season: Season, reached: Reached, *, at: int, value_days: int
) -> Truth:
    """True change by reaching each customer at a moment.

    The change of P(purchase) is exact. The change of money follows the season only within the
    window; what a customer spends in T days is taken as in BG/NBD, ``mean order x
    (1 - exp(-rate p T)) / p`` with drop-out probability p.

    Parameters
    ----------
    traits : Traits
    season : Season
    reached : Reached
    at : int
        [s since start].
    value_days : int
        Days in which money counts, at least 28.

    Returns
    -------
    Truth
    """
    likely = chances(traits, reached)
    gone = reached.dropped_days > 0
    rate = buying_rate(traits, reached, at=at)
    window = _activity(season, at, at + WINDOW_DAYS * DAY)
    stays = _activity(season, at, np.minimum(reached.leaving_at, at + WINDOW_DAYS * DAY))
    idle, idle_healed = np.exp(-rate * stays), np.exp(-rate * window)
    unmoved = 1 - likely.lift - likely.hush
    bought = likely.lift + unmoved * (
        likely.heal * (1 - idle_healed) + (1 - likely.heal) * (1 - idle)
    )
    purchase = np.where(gone, likely.win, bought - (1 - idle))
    later = _orders_in(traits, reached.who, days=value_days)
    healed = likely.heal * np.maximum(later - rate * stays, 0)
    skipped = likely.hush * _skipped(traits, reached, rate=rate, stays=stays, days=value_days)
    orders = likely.lift * (1 + _converts(traits, reached) * later) - skipped + healed
    orders = np.where(gone, likely.win * (1 + later), orders)
    return Truth(purchase, orders * traits.mean_order_cents[reached.who])


def buying_rate(traits: Traits, reached: Reached, *, at: int) -> np.ndarray:
    """Purchases a day of their own accord, on an average day; 0 for those who have dropped out."""
    who = reached.who
    rate = np.where(traits.first_at[who] <= at, traits.rate_per_day[who], traits.first_rate[who])
    return np.where(reached.buying & (reached.dropped_days == 0), rate, 0.0)


def _orders_in(traits, who, *, days):
    """Orders that a buyer who has not dropped out is expected to place."""
    p = traits.drop_probability[who]
    return -np.expm1(-traits.rate_per_day[who] * p * days) / p


def _converts(traits, reached):
    return ~reached.buying & (traits.rate_per_day[reached.who] > 0)


def _skipped(traits, reached, *, rate, stays, days):
    """Orders lost by a pause: they also put off the drop-out, except of those who leave anyway."""
    later, after = (_orders_in(traits, reached.who, days=d) for d in (days, days - WINDOW_DAYS))
    own = rate == traits.rate_per_day[reached.who]
    at_most_one = -np.expm1(-rate * stays)
    return np.where(
        reached.leaving_at < NEVER, rate * stays, np.where(own, later - after, at_most_one)
    )


def _activity(season, start, end):
    return activity_at(season, np.asarray(end)) - activity_at(season, np.asarray(start))
