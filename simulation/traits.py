"""What each customer is like: drawn once, never exported.

* Kind: 12 % contacts (newsletter or ad list only), 23 % registrants (sign up, never buy of their
  own accord), 65 % buyers. Three registrants in ten, and three contacts in twenty, would become
  buyers if something made them buy once.
* Became known: density grows linearly over the history, to 2.5 times its start. Nobody new becomes
  known after it.
* Buying rate: gamma, shape 1.6, mean one purchase in 32 days; the wait for the first purchase is
  exponential, mean 18 days; P(drop-out after a purchase): beta(1.2, 8). These are the mixing
  distributions of the BG/NBD model (Fader, Hardie and Lee, 2005, "Counting Your Customers" the
  Easy Way, Marketing Science 24:275-284).
* Mean order value: log-normal, median 42.00, independent of the rate, as in the gamma-gamma model
  (Fader, Hardie and Lee, 2005, RFM and CLV, Journal of Marketing Research 42:415-430).
* Taste for each engagement type (for the transactional one: for offers): log-normal around a
  warmth that the four share. Contacts and registrants act on a part of it only.
* Reaction to what the company does: persuadables are moved by it, sleeping dogs are put off, the
  rest do not react (named as in Radcliffe, 2007, Using control groups to target on predicted lift,
  Direct Marketing Analytics Journal 1:14-21). Warm customers are rather persuadable, cold ones
  rather sleeping dogs, so that the reaction can partly be learned from behaviour. By how much each
  action moves whom is in `simulation.tactics`.

The sizes are assumptions, chosen so that a test of a few thousand customers can see the effects;
real campaigns move less.
"""

from typing import NamedTuple

import numpy as np

from features.schemas import ENGAGEMENT_TYPES
from simulation.season import NEVER, Season, activity_at, moment_at

CONTACT, REGISTRANT, BUYER = 0, 1, 2
TRANSACTIONAL, EMOTIONAL, SOCIAL, EXPERIENTIAL = range(len(ENGAGEMENT_TYPES))
KEENNESS = np.array([0.2, 0.5, 1.0])  # by kind: how much of their taste they act on

_KIND_SHARES = (0.12, 0.23, 0.65)
_CONVERTIBLE = np.array([0.15, 0.30, 1.0])  # by kind
_GROWTH = 2.5
_RATE_SHAPE, _MEAN_GAP_DAYS, _FIRST_WAIT_DAYS = 1.6, 32.0, 18.0
_VISITS_PER_DAY = np.array([0.03, 0.05, 0.06])  # by kind


class Traits(NamedTuple):
    """One array entry a customer, except `taste`: shape (n_customers, 4).

    Attributes
    ----------
    kind : CONTACT, REGISTRANT or BUYER
    known_at : s since start
    rate_per_day, first_rate : purchases a day after, and before, the first one; 0: never
    first_at : s since start
        When they would first buy of their own accord; NEVER past the clock.
    drop_probability : P(no further purchase) after each purchase
    mean_order_cents : expected order value
    visit_rate : visits a day without a purchase
    taste : multiplier of acts of each engagement type; 1 for the median customer of any kind
    persuasion, dislike : strength of the reaction to an action, see `simulation.tactics`
        At most one is above 0; both 0 for the indifferent.
    click_rate : P(click) on an e-mail while interested
    patience : number of e-mails after which they unsubscribe
    app_share : share of visits through the app
    """

    kind: np.ndarray
    known_at: np.ndarray
    rate_per_day: np.ndarray
    first_rate: np.ndarray
    first_at: np.ndarray
    drop_probability: np.ndarray
    mean_order_cents: np.ndarray
    visit_rate: np.ndarray
    taste: np.ndarray
    persuasion: np.ndarray
    dislike: np.ndarray
    click_rate: np.ndarray
    patience: np.ndarray
    app_share: np.ndarray


def simulate_traits(rng: np.random.Generator, season: Season, *, customers: int) -> Traits:
    """Draw everybody's traits.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    customers : int

    Returns
    -------
    Traits
        In order of becoming known, as ids are given out.
    """
    kind = rng.choice(3, size=customers, p=_KIND_SHARES).astype(np.int8)
    known_at = _arrivals(rng, season, customers=customers)
    buys = rng.random(customers) < _CONVERTIBLE[kind]
    first_rate = np.where(buys, 1 / _FIRST_WAIT_DAYS, 0.0)
    warmth = rng.normal(0, 0.5, customers)
    persuasion, dislike = _reactions(rng, warmth)
    return Traits(
        kind=kind,
        known_at=known_at,
        rate_per_day=buys * rng.gamma(_RATE_SHAPE, 1 / (_MEAN_GAP_DAYS * _RATE_SHAPE), customers),
        first_rate=first_rate,
        first_at=_first_purchase(rng, season, known_at=known_at, buys=buys),
        drop_probability=rng.beta(1.2, 8.0, customers),
        mean_order_cents=np.rint(rng.lognormal(np.log(4200), 0.5, customers)).astype(np.int64),
        visit_rate=_VISITS_PER_DAY[kind] * rng.gamma(1.5, 1 / 1.5, customers),
        taste=np.exp(warmth[:, None] + rng.normal(0, 0.6, (customers, len(ENGAGEMENT_TYPES)))),
        persuasion=persuasion,
        dislike=dislike,
        click_rate=np.where(persuasion > 0, 0.16, 0.06) * rng.beta(4, 4, customers) * 2,
        patience=rng.geometric(np.where(dislike > 0, 0.03, 0.006)),
        app_share=rng.beta(0.6, 0.9, customers),
    )


def _arrivals(rng, season, *, customers):
    share = (np.sqrt(1 + rng.random(customers) * (_GROWTH**2 - 1)) - 1) / (_GROWTH - 1)
    return moment_at(season, np.sort(share) * activity_at(season, np.array(season.end_at)))


def _first_purchase(rng, season, *, known_at, buys):
    wait = rng.standard_exponential(buys.size) * _FIRST_WAIT_DAYS
    first = activity_at(season, known_at) + wait
    within = buys & (first < season.activity[-1])
    return np.where(within, moment_at(season, first), NEVER)


def _reactions(rng, warmth):
    weights = np.exp([0.7 + 1.2 * warmth, np.zeros(warmth.size), -0.6 - 1.2 * warmth])
    persuadable, indifferent, _ = np.cumsum(weights / weights.sum(axis=0), axis=0)
    drawn = rng.random(warmth.size)
    persuasion = 2 * rng.beta(3, 3, warmth.size)
    dislike = rng.beta(2, 5, warmth.size)
    return np.where(drawn < persuadable, persuasion, 0.0), np.where(
        drawn >= indifferent, dislike, 0.0
    )
