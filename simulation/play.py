"""A company played forward: a period at a time, whatever was done to its customers before."""

import numpy as np
import polars as pl

from simulation.browsing import browsing_happenings
from simulation.consent import Consent, simulate_consent, with_unsubscribed
from simulation.happenings import Moments, happening
from simulation.journeys import settle
from simulation.messages import ad_impressions
from simulation.orders import order_happenings, research_happenings, simulate_orders
from simulation.season import Season, stream
from simulation.service import service_happenings
from simulation.state import World, first_state
from simulation.traits import simulate_traits


def new_world(seed: int, season: Season, *, customers: int) -> World:
    """Draw a company at the start of its history.

    Parameters
    ----------
    seed : int
    season : Season
    customers : int

    Returns
    -------
    World
    """
    traits = simulate_traits(stream(seed, "traits"), season, customers=customers)
    consent = simulate_consent(stream(seed, "consent"), season, traits=traits)
    state = first_state(stream(seed, "state"), traits)
    return World(seed, season, traits, consent, state)


def play(world: World, until_at: int) -> tuple[World, pl.DataFrame]:
    """Let time pass.

    Parameters
    ----------
    world : World
    until_at : int
        The first moment that does not pass [s since start].

    Returns
    -------
    world : World
        At `until_at`.
    happenings : frame as from `simulation.happenings.happening`
        What happened in between. It depends on how the time is cut into periods, though not its
        distribution.
    """
    before, traits, season = world.state, world.traits, world.season
    settled = settle(_stream(world, "journeys"), world, until_at)
    orders = simulate_orders(_stream(world, "orders"), traits=traits, settled=settled)
    placed = np.bincount(orders.who, minlength=traits.kind.size)
    now = settled.state
    shown = ad_impressions(_stream(world, "ads"), world, consent_now(world), until_at)
    frames = [
        before.pending,
        *browsing_happenings(
            _stream(world, "browsing"), season, traits=traits, state=now, until_at=until_at
        ),
        *research_happenings(_stream(world, "research"), traits=traits, settled=settled),
        *order_happenings(_stream(world, "sessions"), traits, orders),
        *service_happenings(
            _stream(world, "service"), traits=traits, before=before, now=now, orders=orders
        ),
        happening("Ad Impression", shown, channel="ad"),
    ]
    rows = pl.concat([frame for frame in frames if frame.width])
    known = pl.Series(rows["at"].to_numpy() >= traits.known_at[rows["who"].to_numpy()])
    # A session that began before the period would rewrite the past: it begins with the period.
    rows = rows.filter(known).with_columns(pl.col("at").clip(lower_bound=before.at))
    past = rows.filter(pl.col("at") < until_at)
    state = now._replace(
        at=until_at,
        orders=now.orders + placed,
        pending=rows.filter(pl.col("at") >= until_at),
        events=before.events + past.height,
    )
    return world._replace(state=state), past


def consent_now(world: World) -> Consent:
    """Consent with all unsubscriptions that are settled."""
    return with_unsubscribed(world.consent, world.state.unsubscribed_at)


def shown_ads(happenings: pl.DataFrame) -> Moments:
    """Impressions of the advertisements that always run, among what happened."""
    rows = happenings.filter((pl.col("event") == "Ad Impression") & pl.col("campaign").is_null())
    return Moments(rows["who"].to_numpy().astype(np.int64), rows["at"].to_numpy())


def _stream(world, part):
    return stream(world.seed, f"{part} {world.state.at}")
