"""What customers do without an order: visits, and acts of each engagement type.

Visits and acts are seasonal Poisson processes from becoming known until interest ends
(`quiet_at`), at the customer's own rate. A visit shows products, searches, or leaves a cart, with
the shares below. The rates of emotional, social and experiential acts are multiplied by the
customer's taste for them. In the 45 days before a soured customer drops out, the share of visits
that still happen falls from 1 to 0.2. All rates are assumptions.
"""

import numpy as np
import polars as pl

from simulation.happenings import Moments, happening
from simulation.orders import visit_channel
from simulation.season import DAY, NEVER, Season, scatter, span
from simulation.state import State
from simulation.traits import CONTACT, EMOTIONAL, EXPERIENTIAL, KEENNESS, SOCIAL, Traits

_FALLING_DAYS, _FALLING_TO = 45, 0.2
_PRODUCT_SHARE, _SEARCH_SHARE, _CART_SHARE, _CHECKOUT_SHARE = 0.6, 0.2, 0.12, 0.3
# (event, channel, taste, acts a day of a typical buyer)
_ACTS = (
    ("Product Added to Wishlist", "web", EMOTIONAL, 0.0040),
    ("Content Shared", "social", SOCIAL, 0.0022),
    ("Comment Posted", "social", SOCIAL, 0.0025),
    ("Community Post", "web", SOCIAL, 0.0012),
    ("UGC Posted", "social", SOCIAL, 0.0004),
    ("Store Visit", "store", EXPERIENTIAL, 0.0030),
    ("Webinar Attended", "web", EXPERIENTIAL, 0.0006),
    ("Quiz Completed", "web", EXPERIENTIAL, 0.0012),
    ("Game Played", "app", EXPERIENTIAL, 0.0035),
)
# (event, channel, taste, acts a day, what may follow, its channel, share, days until)
_CHAINS = (
    ("Referral Sent", "email", SOCIAL, 0.0008, "Referral Accepted", "email", 0.35, 20),
    ("Event Registered", "web", EXPERIENTIAL, 0.0012, "Event Attended", "event", 0.70, 30),
)


def browsing_happenings(
    rng: np.random.Generator, season: Season, *, traits: Traits, state: State, until_at: int
) -> list[pl.DataFrame]:
    """Sign-ups, visits, and acts of each engagement type, of the next period.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    traits : Traits
    state : State
        At the period's start, with its drop-outs.
    until_at : int
        End of the period [s since start].

    Returns
    -------
    list of frames from `happening`
    """
    start = np.maximum(traits.known_at, state.at)
    interested = span(season, start, np.minimum(state.quiet_at, until_at))
    keen = KEENNESS[traits.kind][:, None] * traits.taste

    def acts(rate):
        return Moments(*scatter(rng, season, interested, rate=rate))

    own = [
        happening(event, acts(rate * keen[:, taste]), channel=channel)
        for event, channel, taste, rate in _ACTS
    ]
    chains = [
        frame
        for event, channel, taste, rate, *rest in _CHAINS
        for frame in _chain(rng, event, channel, acts(rate * keen[:, taste]), rest)
    ]
    visits = _falling(rng, acts(traits.visit_rate), state)
    return [_signed_up(traits, state.at, until_at), *_visits(rng, traits, visits), *own, *chains]


def _signed_up(traits, begin, end):
    new = (begin <= traits.known_at) & (traits.known_at < end)
    who = np.flatnonzero(new & (traits.kind != CONTACT))
    return happening("Signed Up", Moments(who, traits.known_at[who]), channel="web")


def _falling(rng, visits, state):
    left_days = (state.dropped_at[visits.who] - visits.at) / DAY
    falling = (state.soured_at[visits.who] < NEVER) & (left_days > 0)
    share = np.clip(left_days / _FALLING_DAYS, _FALLING_TO, 1)
    return visits.where(~falling | (rng.random(visits.who.size) < share))


def _visits(rng, traits, visits):
    channel = visit_channel(rng, traits, who=visits.who)
    product, search, cart, checkout = rng.random((4, visits.who.size))
    carted = cart < _CART_SHARE
    steps = (
        ("Page Viewed", 0, cart < 2),
        ("Product Viewed", 60, (product < _PRODUCT_SHARE) | carted),
        ("Products Searched", 30, search < _SEARCH_SHARE),
        ("Product Added", 180, carted),
        ("Checkout Started", 300, carted & (checkout < _CHECKOUT_SHARE)),
    )
    return [
        happening(event, visits.where(chosen).after(seconds), channel=channel[chosen])
        for event, seconds, chosen in steps
    ]


def _chain(rng, event, channel, acts, rest):
    follow_up, where, share, within_days = rest
    followed = acts.where(rng.random(acts.who.size) < share)
    followed = followed.after(rng.uniform(1, within_days, followed.who.size) * DAY)
    return [
        happening(event, acts, channel=channel),
        happening(follow_up, followed, channel=where),
    ]
