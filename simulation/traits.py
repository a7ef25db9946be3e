"""What each customer is like: drawn once, never exported.

* Kind: 12 % contacts (newsletter or ad list only), 23 % registrants (sign up, never buy of their
  own accord), 65 % buyers.
* Became known: density grows linearly over the period, to 2.5 times its start.
* Buying rate: gamma, shape 1.6, mean one purchase in 32 days; the wait for the first purchase is
  exponential, mean 18 days; P(drop-out after a purchase): beta(1.2, 8). These are the mixing
  distributions of the BG/NBD model (Fader, Hardie and Lee, 2005, "Counting Your Customers" the
  Easy Way, Marketing Science 24:275-284).
* Mean order value: log-normal, median 42.00, independent of the rate, as in the gamma-gamma model
  (Fader, Hardie and Lee, 2005, RFM and CLV, Journal of Marketing Research 42:415-430).
* Taste for each engagement type: log-normal around a warmth that the four share.
* Reaction to a campaign: a persuadable buys once more with probability `lift` ~ beta(2, 16); a
  sleeping dog skips its purchases of the next 14 days with probability `hush` ~ beta(3, 3); the
  rest do not react. A taste for experiences makes the first likelier, so that the reaction can
  partly be learned from behaviour. (Groups named as in Radcliffe, 2007, Using control groups to
  target on predicted lift, Direct Marketing Analytics Journal 1:14-21.)

The sizes are assumptions, chosen so that a test of a few thousand customers can see the effects;
real campaigns move less.
"""

from typing import NamedTuple

import numpy as np

from simulation.season import Season, moment_at

CONTACT, REGISTRANT, BUYER = 0, 1, 2
EMOTIONAL, SOCIAL, EXPERIENTIAL = 0, 1, 2

_KIND_SHARES = (0.12, 0.23, 0.65)
_GROWTH = 2.5
_RATE_SHAPE, _MEAN_GAP_DAYS, _FIRST_WAIT_DAYS = 1.6, 32.0, 18.0
_VISITS_PER_DAY = np.array([0.03, 0.05, 0.06])  # by kind
_KEENNESS = np.array([0.2, 0.5, 1.0])  # by kind: how much of their taste they act on


class Traits(NamedTuple):
    """One array entry a customer, except `taste`: shape (n_customers, 3).

    Attributes
    ----------
    kind : CONTACT, REGISTRANT or BUYER
    known_at : s since start
    rate_per_day, first_rate : purchases a day after, and before, the first one; 0: never
    drop_probability : P(no further purchase) after each purchase
    mean_order_cents : expected order value
    visit_rate : visits a day without a purchase
    taste : multiplier of emotional, social and experiential acts; about 1 for a typical buyer
    lift, hush : reaction to a campaign, see the module; at most one is above 0
    click_rate : P(click) on an e-mail while interested
    unsubscribe_rate : P(unsubscribe) on an e-mail
    app_share : share of visits through the app
    """

    kind: np.ndarray
    known_at: np.ndarray
    rate_per_day: np.ndarray
    first_rate: np.ndarray
    drop_probability: np.ndarray
    mean_order_cents: np.ndarray
    visit_rate: np.ndarray
    taste: np.ndarray
    lift: np.ndarray
    hush: np.ndarray
    click_rate: np.ndarray
    unsubscribe_rate: np.ndarray
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
    kind = rng.choice(3, size=customers, p=_KIND_SHARES)
    taste = _tastes(rng, kind)
    lift, hush = _reactions(rng, kind, taste=taste)
    rate = rng.gamma(_RATE_SHAPE, 1 / (_MEAN_GAP_DAYS * _RATE_SHAPE), customers)
    return Traits(
        kind=kind,
        known_at=_arrivals(rng, season, customers=customers),
        rate_per_day=np.where(kind == BUYER, rate, 0.0),
        first_rate=np.where(kind == BUYER, 1 / _FIRST_WAIT_DAYS, 0.0),
        drop_probability=rng.beta(1.2, 8.0, customers),
        mean_order_cents=np.rint(rng.lognormal(np.log(4200), 0.5, customers)).astype(np.int64),
        visit_rate=_VISITS_PER_DAY[kind] * rng.gamma(1.5, 1 / 1.5, customers),
        taste=taste,
        lift=lift,
        hush=hush,
        click_rate=np.where(lift > 0, 0.16, 0.06) * rng.beta(4, 4, customers) * 2,
        unsubscribe_rate=np.where(hush > 0, 0.03, 0.006),
        app_share=rng.beta(0.6, 0.9, customers),
    )


def _arrivals(rng, season, *, customers):
    share = (np.sqrt(1 + rng.random(customers) * (_GROWTH**2 - 1)) - 1) / (_GROWTH - 1)
    return moment_at(season, np.sort(share) * season.activity[-1])


def _tastes(rng, kind):
    warmth = rng.normal(0, 0.5, (kind.size, 1))
    own = rng.normal(0, 0.6, (kind.size, 3))
    return np.exp(warmth + own) * _KEENNESS[kind][:, None]


def _reactions(rng, kind, *, taste):
    liking = np.log(taste[:, EXPERIENTIAL] / _KEENNESS[kind])
    weights = np.exp([0.9 + liking, np.zeros(kind.size), -0.5 - liking])
    persuadable, indifferent, _ = np.cumsum(weights / weights.sum(axis=0), axis=0)
    drawn = rng.random(kind.size)
    lift = rng.beta(2, 16, kind.size) * np.array([0.0, 0.5, 1.0])[kind]
    hush = rng.beta(3, 3, kind.size) * (kind == BUYER)
    return np.where(drawn < persuadable, lift, 0.0), np.where(drawn >= indifferent, hush, 0.0)
