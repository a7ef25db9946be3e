"""Orders that were placed, their value, the browsing that led to them, and loyalty.

Orders are the purchase occasions of `simulation.journeys`, less those that an action made a
customer skip, plus those that it prompted. Value: the customer's own mean times a log-normal
factor (sigma 0.4, mean 1), at least 1.00, independent of the rate, as in the gamma-gamma model
(Fader, Hardie and Lee, 2005, Journal of Marketing Research 42:415-430).

An order ends a session of 6 to 50 minutes: page, 1-3 products, sometimes a search, cart, checkout,
and a coupon for those with a taste for offers. Half of all buyers join the loyalty programme with
their second to fourth order, and then redeem a reward with one order in five.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.happenings import Moments, happening
from simulation.journeys import Settled, rank_within
from simulation.traits import TRANSACTIONAL, Traits

_REDEEM_SHARE, _SEARCH_SHARE = 0.2, 0.3
_COUPON_SHARE, _MOST_COUPON_SHARE = 0.12, 0.9  # of a customer of median taste for offers; at most


class Orders(NamedTuple):
    """Orders that were placed, sorted by customer and moment; arrays of the same length.

    Attributes
    ----------
    who, at : position of the customer, and the moment [s since start]
    cents : what was paid
    rank : number of the order of its customer, from 1
    joins : bool, they join the loyalty programme with it
    member : bool, they joined before
    sour : bool, among the last orders of somebody who leaves because of trouble
    channel : int, position in CHANNELS
    """

    who: np.ndarray
    at: np.ndarray
    cents: np.ndarray
    rank: np.ndarray
    joins: np.ndarray
    member: np.ndarray
    sour: np.ndarray
    channel: np.ndarray

    @property
    def moments(self) -> Moments:
        """Who ordered, and when."""
        return Moments(self.who, self.at)


def simulate_orders(rng: np.random.Generator, *, traits: Traits, settled: Settled) -> Orders:
    """Turn occasions into orders.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    settled : Settled

    Returns
    -------
    Orders
    """
    state, placed = settled.state, settled.placed
    who, at = placed.who, placed.at
    paid = traits.mean_order_cents[who] * placed.factor
    rank = state.orders[who] + rank_within(who, traits.kind.size) + 1
    return Orders(
        who=who,
        at=at,
        cents=np.maximum(np.rint(paid), 100).astype(np.int64),
        rank=rank,
        joins=rank == state.joining[who],
        member=rank > state.joining[who],
        sour=(state.soured_at[who] <= at) & (at < state.dropped_at[who]),
        channel=visit_channel(rng, traits, who=who),
    )


def visit_channel(rng: np.random.Generator, traits: Traits, *, who: np.ndarray) -> np.ndarray:
    """Web (0) or app (1), visit by visit, by each customer's own share."""
    return (rng.random(who.size) < traits.app_share[who]).astype(np.uint8)


def order_happenings(
    rng: np.random.Generator, traits: Traits, orders: Orders
) -> list[pl.DataFrame]:
    """Events of the session that ends in each order, and of the loyalty programme.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    orders : Orders

    Returns
    -------
    list of frames from `happening`
    """
    length = rng.integers(360, 3000, orders.who.size)
    products = np.repeat(np.arange(orders.who.size), rng.integers(1, 4, orders.who.size))
    before = length[products] * rng.uniform(0.5, 0.9, products.size)
    searched = rng.random(orders.who.size) < _SEARCH_SHARE
    keen = _COUPON_SHARE * traits.taste[orders.who, TRANSACTIONAL]
    coupon = rng.random(orders.who.size) < np.minimum(keen, _MOST_COUPON_SHARE)
    done, channel = orders.moments, orders.channel
    return [
        happening("Page Viewed", done.after(-length), channel=channel),
        happening("Products Searched", done.after(-0.95 * length).where(searched),
                  channel=channel[searched]),
        happening("Product Viewed", done.where(products).after(-before),
                  channel=channel[products]),
        happening("Product Added", done.after(-0.4 * length), channel=channel),
        happening("Checkout Started", done.after(-0.2 * length), channel=channel),
        happening("Coupon Entered", done.after(-0.1 * length).where(coupon),
                  channel=channel[coupon]),
        happening("Order Completed", done, channel=channel, cents=orders.cents),
        *_loyalty(rng, orders),
    ]  # fmt: skip


def research_happenings(
    rng: np.random.Generator, *, traits: Traits, settled: Settled
) -> list[pl.DataFrame]:
    """Visits in the days before a purchase occasion.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    settled : Settled

    Returns
    -------
    list of frames from `happening`
    """
    visits = settled.visits
    channel = visit_channel(rng, traits, who=visits.who)
    return [
        happening("Page Viewed", visits, channel=channel),
        happening("Product Viewed", visits.after(60), channel=channel),
    ]


def _loyalty(rng, orders):
    redeemed = orders.member & (rng.random(orders.who.size) < _REDEEM_SHARE)
    return [
        happening("Loyalty Joined", orders.moments.where(orders.joins).after(120),
                  channel=orders.channel[orders.joins]),
        happening("Loyalty Reward Redeemed", orders.moments.where(redeemed).after(-30),
                  channel=orders.channel[redeemed]),
    ]  # fmt: skip
