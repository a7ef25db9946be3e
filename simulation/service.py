"""What follows an order: refunds, tickets, complaints, answers to surveys, reviews.

Every order may lead to trouble and to feedback, with the shares below: small for most orders,
large for *sour* ones (of somebody who leaves because of trouble, from the first trouble on). Sour
customers may also open a ticket later, before they drop out. So trouble runs ahead of half of the
drop-outs, and churn is partly predictable. A refund is of the whole order in seven cases of ten,
otherwise of 20-80 % of it, 2-20 days after the order. Happy customers answer and review by their
emotional taste. All shares are assumptions.
"""

import numpy as np
import polars as pl

from simulation.happenings import Moments, happening
from simulation.orders import Orders
from simulation.season import DAY
from simulation.state import State
from simulation.traits import EMOTIONAL, Traits

# (share of ordinary orders, share of sour ones)
_REFUND = (0.04, 0.22)
_TICKET = (0.025, 0.60)
_COMPLAINT = (0.004, 0.35)
_SURVEY = (0.07, 0.25)
_REVIEW = (0.06, 0.05)
_DETRACTOR = (0.08, 0.75)
_PASSIVE = (0.30, 0.20)
_EARLY_TICKET_SHARE = 0.5
_RESOLVED_SHARE, _CSAT_SHARE = 0.85, 0.3


def service_happenings(
    rng: np.random.Generator, *, traits: Traits, before: State, now: State, orders: Orders
) -> list[pl.DataFrame]:
    """Trouble and feedback after the orders of a period.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    before, now : State
        Without, and with, the drop-outs of the period.
    orders : Orders

    Returns
    -------
    list of frames from `happening`
    """
    complained = _follow(rng, orders, shares=_COMPLAINT, days=(2, 14))
    return [
        _refunds(rng, orders),
        happening("Complaint Filed", complained, channel="email"),
        *_tickets(rng, orders, before, now),
        *_surveys(rng, traits, orders),
        _reviews(rng, traits, orders),
    ]


def _pick(rng, orders, *, shares, weight=1.0):
    share = np.where(orders.sour, shares[1], shares[0]) * weight
    return np.flatnonzero(rng.random(orders.who.size) < share)


def _follow(rng, orders, *, shares, days):
    chosen = _pick(rng, orders, shares=shares)
    return orders.moments.where(chosen).after(rng.uniform(*days, chosen.size) * DAY)


def _refunds(rng, orders):
    chosen = _pick(rng, orders, shares=_REFUND)
    whole = rng.random(chosen.size) < 0.7
    part = np.where(whole, 1.0, rng.uniform(0.2, 0.8, chosen.size))
    cents = np.rint(orders.cents[chosen] * part).astype(np.int64)
    at = orders.moments.where(chosen).after(rng.uniform(2, 20, chosen.size) * DAY)
    return happening("Order Refunded", at, channel=orders.channel[chosen], cents=-cents)


def _tickets(rng, orders, before, now):
    after = _follow(rng, orders, shares=_TICKET, days=(0.1, 10))
    soured = np.flatnonzero(now.soured_at != before.soured_at)
    early = soured[rng.random(soured.size) < _EARLY_TICKET_SHARE]
    left = now.dropped_at[early] - now.soured_at[early]
    at = now.dropped_at[early] - (rng.random(early.size) * left).astype(np.int64)
    opened = Moments(np.append(after.who, early), np.append(after.at, at))
    resolved = opened.where(rng.random(opened.who.size) < _RESOLVED_SHARE)
    resolved = resolved.after(rng.uniform(0.2, 6, resolved.who.size) * DAY)
    rated = resolved.where(rng.random(resolved.who.size) < _CSAT_SHARE)
    return [
        happening("Ticket Opened", opened, channel="phone"),
        happening("Ticket Resolved", resolved, channel="phone"),
        happening("CSAT Submitted", rated.after(DAY), channel="email"),
    ]


def _surveys(rng, traits, orders):
    keen = np.clip(traits.taste[orders.who, EMOTIONAL], 0.3, 3)
    chosen = _pick(rng, orders, shares=_SURVEY, weight=keen)
    answered = orders.moments.where(chosen).after(rng.uniform(4, 20, chosen.size) * DAY)
    sour = orders.sour[chosen].astype(int)
    detractor, passive = np.array(_DETRACTOR)[sour], np.array(_PASSIVE)[sour]
    drawn = rng.random(chosen.size)
    kind = (drawn >= detractor).astype(int) + (drawn >= detractor + passive)
    names = ("NPS Detractor", "NPS Passive", "NPS Promoter")
    return [
        happening(name, answered.where(kind == n), channel="email") for n, name in enumerate(names)
    ]


def _reviews(rng, traits, orders):
    keen = np.clip(traits.taste[orders.who, EMOTIONAL], 0.1, 5)
    chosen = _pick(rng, orders, shares=_REVIEW, weight=keen)
    written = orders.moments.where(chosen).after(rng.uniform(5, 30, chosen.size) * DAY)
    return happening("Product Reviewed", written, channel=orders.channel[chosen])
