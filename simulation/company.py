"""A company that does not exist: its exports, and the truth behind them.

The parts, each with its own random stream and its own page of assumptions:

==========================  ==================================================================
`simulation.season`         yearly, weekday and hourly pattern; the Poisson machinery
`simulation.traits`         what each customer is like
`simulation.journeys`       purchase occasions and drop-out (BG/NBD)
`simulation.consent`        what each customer allows, by channel and over time
`simulation.campaigns`      randomised e-mail waves with known heterogeneous effects
`simulation.orders`         orders, the sessions that lead to them, loyalty
`simulation.service`        refunds, tickets, surveys, reviews; trouble ahead of drop-outs
`simulation.browsing`       visits, and emotional, social and experiential acts
`simulation.messages`       e-mails, clicks, advertisements, the tool's sends
`simulation.contacts`       invented names and addresses
`simulation.happenings`     from compact rows to the text of an export
==========================  ==================================================================
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from features.errors import ConfigurationError
from simulation.browsing import browsing_happenings
from simulation.campaigns import (
    WINDOW_DAYS,
    Campaigns,
    simulate_campaigns,
    true_effect,
    wave_rows,
)
from simulation.consent import Consent, consent_rows, simulate_consent, with_unsubscribed
from simulation.contacts import contact_rows
from simulation.happenings import Moments, event_rows, happening
from simulation.journeys import Journey, simulate_journeys
from simulation.messages import ad_impressions, email_happenings, send_rows
from simulation.orders import Orders, order_happenings, research_happenings, simulate_orders
from simulation.season import DAY, NEVER, Season, season_before, stream
from simulation.service import service_happenings
from simulation.traits import Traits, simulate_traits

MIN_DAYS = 60
MAX_CUSTOMERS = 9_999_999  # telephone numbers have seven free digits

_ID_DIGITS = 6


class Company(NamedTuple):
    """What the company exports (text throughout), and two frames that it does not know.

    Attributes
    ----------
    events : ``event_id, customer_id, event, occurred_at, loaded_at, channel, value, campaign``
        Sorted by ``occurred_at, event_id``. ``loaded_at`` may lie after the end: the export was
        taken some days later.
    customers : ``customer_id, signed_up_on``
        The day on which they became known; contacts have no sign-up event.
    contacts : ``customer_id, email, phone, first_name, last_name, country``
    consents : ``customer_id, channel, purpose, status, basis, since, until``
        A row with purpose profiling, channel any and status denied is an objection.
    sends : ``customer_id, action_id, channel, sent_at``
        The last 90 days.
    truth : ``customer_id, became_known_on, dropped_out_on, rate_per_day, mean_order_cents,
            campaign_effect``
        Never exported to the job. ``campaign_effect`` is the true change of P(purchase in 14
        days) by one campaign e-mail at the customer's own rate, before any drop-out.
    waves : ``customer_id, campaign, sent_on, treated, propensity, true_effect``
        Never exported to the job. ``true_effect`` is the same change at the time of that wave:
        with its season, and 0 after dropping out. It runs for 14 x 24 h from 13:00 UTC.
    """

    events: pl.DataFrame
    customers: pl.DataFrame
    contacts: pl.DataFrame
    consents: pl.DataFrame
    sends: pl.DataFrame
    truth: pl.DataFrame
    waves: pl.DataFrame


def simulate_company(*, customers: int, seed: int, until: date, days: int = 730) -> Company:
    """Simulate a company from `days` days before `until` up to that midnight (UTC).

    Parameters
    ----------
    customers : int
        Number of customers who become known in that time, 1 to 9,999,999.
    seed : int
        0 or more. The same arguments give the same company.
    until : date
        The first day that is not simulated.
    days : int, default 730
        At least 60.

    Returns
    -------
    Company

    Raises
    ------
    ConfigurationError
        If an argument is out of its range.
    """
    _check(customers, seed, days)
    world = _live(seed, season_before(until, days), customers=customers)
    season, ids = world.season, customer_ids(customers)
    consent = with_unsubscribed(world.consent, world.campaigns.unsubscribed_at)
    return Company(
        events=_events(seed, world, ids=ids),
        customers=_customer_rows(world.traits, season, ids=ids),
        contacts=contact_rows(stream(seed, "contacts"), ids=ids),
        consents=consent_rows(consent, season, ids=ids),
        sends=send_rows(season, campaigns=world.campaigns, impressions=world.shown, ids=ids),
        truth=_truth_rows(world.traits, world.journey, season=season, ids=ids),
        waves=wave_rows(world.campaigns, season, ids=ids),
    )


def customer_ids(customers: int) -> pl.Series:
    """Ids from 000001 on, as text: at least six digits, leading zeros kept."""
    return pl.Series(np.arange(1, customers + 1)).cast(pl.String).str.zfill(_ID_DIGITS)


class _World(NamedTuple):
    """All that was drawn, before it becomes frames."""

    season: Season
    traits: Traits
    journey: Journey
    consent: Consent
    campaigns: Campaigns
    orders: Orders
    shown: Moments


def _live(seed, season, *, customers):
    traits = simulate_traits(stream(seed, "traits"), season, customers=customers)
    journey = simulate_journeys(stream(seed, "journeys"), season, traits=traits)
    consent = simulate_consent(stream(seed, "consent"), season, traits=traits)
    campaigns = simulate_campaigns(
        stream(seed, "campaigns"), season, traits=traits, journey=journey, consent=consent
    )
    orders = simulate_orders(
        stream(seed, "orders"), traits=traits, journey=journey, campaigns=campaigns
    )
    shown = ad_impressions(stream(seed, "ads"), season, traits=traits, consent=consent)
    return _World(season, traits, journey, consent, campaigns, orders, shown)


def _events(seed, world, *, ids):
    lives = {"traits": world.traits, "journey": world.journey}
    happenings = [
        *browsing_happenings(stream(seed, "browsing"), world.season, **lives),
        *research_happenings(stream(seed, "research"), **lives),
        *order_happenings(stream(seed, "sessions"), world.orders),
        *service_happenings(stream(seed, "service"), orders=world.orders, **lives),
        *email_happenings(stream(seed, "messages"), campaigns=world.campaigns, **lives),
        happening("Ad Impression", world.shown, channel="ad"),
    ]
    return event_rows(
        stream(seed, "loading"),
        world.season,
        happenings=happenings,
        known_at=world.traits.known_at,
        ids=ids,
    )


def _check(customers, seed, days):
    for name, value, low, high in (
        ("customers", customers, 1, MAX_CUSTOMERS),
        ("seed", seed, 0, None),
        ("days", days, MIN_DAYS, None),
    ):
        if value < low or (high is not None and value > high):
            bound = f"{low} or more" if high is None else f"{low} to {high}"
            message = f"simulate, {name}: out of range. Got {value}. Expected {bound}. Change it."
            raise ConfigurationError(message)


def _customer_rows(traits, season, *, ids):
    day = pl.Series(traits.known_at // DAY)
    return pl.DataFrame({"customer_id": ids, "day": day}).select(
        "customer_id", _date(season).dt.to_string().alias("signed_up_on")
    )


def _truth_rows(traits: Traits, journey: Journey, *, season: Season, ids: pl.Series):
    dropped = journey.dropped_at
    effect = true_effect(traits, rate=traits.rate_per_day[:, None], length=float(WINDOW_DAYS))
    return pl.DataFrame(
        {
            "customer_id": ids,
            "known_day": traits.known_at // DAY,
            "dropped_day": pl.Series(dropped // DAY).set(pl.Series(dropped == NEVER), None),
            "rate_per_day": traits.rate_per_day,
            "mean_order_cents": traits.mean_order_cents,
            "campaign_effect": effect[:, 0],
        }
    ).select(
        "customer_id",
        _date(season, "known_day").alias("became_known_on"),
        _date(season, "dropped_day").alias("dropped_out_on"),
        "rate_per_day",
        "mean_order_cents",
        "campaign_effect",
    )


def _date(season, day="day"):
    return pl.lit(season.start) + pl.duration(days=day)
