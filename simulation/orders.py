"""Orders that were placed, their value, the browsing that led to them, and loyalty.

Orders are the purchase occasions of `simulation.journeys`, less those that a campaign made a
customer skip, plus those that it prompted. Value: the customer's own mean times a log-normal
factor (sigma 0.4, mean 1), at least 1.00, independent of the rate, as in the gamma-gamma model
(Fader, Hardie and Lee, 2005, Journal of Marketing Research 42:415-430).

An order ends a session of 6 to 50 minutes: page, 1-3 products, sometimes a search, cart, checkout.
Before an occasion come on average 0.8 research visits, in the ten days ahead. These belong to the
occasion, not to the order, so that what is seen before a send does not depend on the arm. Half of
all buyers join the loyalty programme with their second to fourth order, and then redeem a reward
with one order in five.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.campaigns import Campaigns, wave_of
from simulation.happenings import Moments, happening
from simulation.journeys import Journey, rank_within
from simulation.season import DAY
from simulation.traits import Traits

_SIGMA = 0.4
_RESEARCH_VISITS, _RESEARCH_DAYS = 0.8, 10
_SOUR_DAYS = 60
_MEMBER_SHARE, _REDEEM_SHARE, _SEARCH_SHARE = 0.5, 0.2, 0.3


class Orders(NamedTuple):
    """Orders that were placed, sorted by customer and moment; arrays of the same length.

    Attributes
    ----------
    who, at : position of the customer, and the moment [s since start]
    cents : what was paid
    rank : number of the order of its customer, from 0
    sour : bool, among the last orders of somebody who leaves because of trouble
    channel : int, position in CHANNELS
    """

    who: np.ndarray
    at: np.ndarray
    cents: np.ndarray
    rank: np.ndarray
    sour: np.ndarray
    channel: np.ndarray

    @property
    def moments(self) -> Moments:
        """Who ordered, and when."""
        return Moments(self.who, self.at)


def simulate_orders(
    rng: np.random.Generator, *, traits: Traits, journey: Journey, campaigns: Campaigns
) -> Orders:
    """Turn purchase occasions and campaign reactions into orders.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    journey : Journey
    campaigns : Campaigns

    Returns
    -------
    Orders
    """
    wave = wave_of(campaigns, journey.at)
    kept = (wave < 0) | ~campaigns.hushed[journey.who, wave]
    who = np.concatenate([journey.who[kept], campaigns.prompted_who])
    at = np.concatenate([journey.at[kept], campaigns.prompted_at])
    order = np.lexsort((at, who))
    who, at = who[order], at[order]
    paid = traits.mean_order_cents[who] * rng.lognormal(-(_SIGMA**2) / 2, _SIGMA, who.size)
    return Orders(
        who=who,
        at=at,
        cents=np.maximum(np.rint(paid), 100).astype(np.int64),
        rank=rank_within(who, traits.kind.size),
        sour=journey.soured[who] & (journey.dropped_at[who] - at < _SOUR_DAYS * DAY),
        channel=visit_channel(rng, traits, who=who),
    )


def visit_channel(rng: np.random.Generator, traits: Traits, *, who: np.ndarray) -> np.ndarray:
    """Web (0) or app (1), visit by visit, by each customer's own share."""
    return (rng.random(who.size) < traits.app_share[who]).astype(np.uint8)


def order_happenings(rng: np.random.Generator, orders: Orders) -> list[pl.DataFrame]:
    """Events of the session that ends in each order, and of the loyalty programme.

    Parameters
    ----------
    rng : numpy Generator
    orders : Orders

    Returns
    -------
    list of frames from `happening`
    """
    length = rng.integers(360, 3000, orders.who.size)
    products = np.repeat(np.arange(orders.who.size), rng.integers(1, 4, orders.who.size))
    before = length[products] * rng.uniform(0.5, 0.9, products.size)
    searched = rng.random(orders.who.size) < _SEARCH_SHARE
    done, channel = orders.moments, orders.channel
    return [
        happening("Page Viewed", done.after(-length), channel=channel),
        happening("Products Searched", done.after(-0.95 * length).where(searched),
                  channel=channel[searched]),
        happening("Product Viewed", done.where(products).after(-before),
                  channel=channel[products]),
        happening("Product Added", done.after(-0.4 * length), channel=channel),
        happening("Checkout Started", done.after(-0.2 * length), channel=channel),
        happening("Order Completed", done, channel=channel, cents=orders.cents),
        *_loyalty(rng, orders),
    ]  # fmt: skip


def research_happenings(
    rng: np.random.Generator, *, traits: Traits, journey: Journey
) -> list[pl.DataFrame]:
    """Visits in the days before a purchase occasion.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    journey : Journey

    Returns
    -------
    list of frames from `happening`
    """
    occasion = np.repeat(
        np.arange(journey.who.size), rng.poisson(_RESEARCH_VISITS, journey.who.size)
    )
    ahead = rng.integers(4000, _RESEARCH_DAYS * DAY, occasion.size)
    visits = Moments(journey.who, journey.at).where(occasion).after(-ahead)
    channel = visit_channel(rng, traits, who=visits.who)
    return [
        happening("Page Viewed", visits, channel=channel),
        happening("Product Viewed", visits.after(60), channel=channel),
    ]


def _loyalty(rng, orders):
    customers = int(orders.who.max(initial=-1)) + 1
    joining = np.where(
        rng.random(customers) < _MEMBER_SHARE, rng.integers(1, 4, customers), np.iinfo(int).max
    )[orders.who]
    joined = orders.rank == joining
    redeemed = (orders.rank > joining) & (rng.random(orders.who.size) < _REDEEM_SHARE)
    return [
        happening("Loyalty Joined", orders.moments.where(joined).after(120),
                  channel=orders.channel[joined]),
        happening("Loyalty Reward Redeemed", orders.moments.where(redeemed).after(-30),
                  channel=orders.channel[redeemed]),
    ]  # fmt: skip
