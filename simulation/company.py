"""A company that does not exist: its exports, and the truth behind them.

The parts, each with its own random streams and its own page of assumptions:

==========================  ==================================================================
`simulation.season`         yearly, weekday and hourly pattern; the Poisson machinery
`simulation.traits`         what each customer is like
`simulation.tactics`        what each action truly changes, for whom
`simulation.state`          where the company stands at a moment
`simulation.play`           lets time pass
`simulation.journeys`       purchase occasions and drop-out (BG/NBD)
`simulation.messages`       actions carried out, and what comes back; advertisements
`simulation.campaigns`      randomised e-mail waves of the history
`simulation.consent`        what each customer allows, by channel and over time
`simulation.orders`         orders, the sessions that lead to them, loyalty
`simulation.service`        refunds, tickets, surveys, reviews; trouble ahead of drop-outs
`simulation.browsing`       visits, and emotional, social and experiential acts
`simulation.people`         customers as exported, and the truth about each
`simulation.contacts`       invented names and addresses
`simulation.happenings`     from compact rows to the text of an export
`simulation.replies`        the company's answer to a delivered folder
`simulation.archive`        a company put away, and taken up again
==========================  ==================================================================
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from features.errors import ConfigurationError
from simulation.campaigns import Wave, draw_wave, wave_times
from simulation.contacts import contact_rows
from simulation.happenings import Moments, event_rows
from simulation.messages import AD_ACTION, SENDS_DAYS, reach, send_rows
from simulation.people import consents_now, customer_ids, customer_rows, truth_rows
from simulation.play import consent_now, new_world, play, shown_ads
from simulation.season import DAY, season_before, stream
from simulation.state import World
from simulation.tactics import NAMES

MIN_DAYS = 60
MAX_CUSTOMERS = 9_999_999  # telephone numbers have seven free digits
WAVE_TACTICS = ("targeted_email",)
WAVE_ACTION = "monthly_email"


class Chapter(NamedTuple):
    """What happened in a part of the history, and what went out at its start.

    Attributes
    ----------
    world : World
        At the end of the part.
    happenings : frame as from `simulation.happenings.happening`
    wave : Wave, or None in the first part
    sent_at : s since start
        When the part began.
    """

    world: World
    happenings: pl.DataFrame
    wave: Wave | None
    sent_at: int


class Export(NamedTuple):
    """A chapter as the company exports it, and the truth of its wave; see `Company`."""

    world: World
    events: pl.DataFrame
    sends: pl.DataFrame
    waves: pl.DataFrame


class Company(NamedTuple):
    """What the company exports (text throughout), what it does not know, and how it goes on.

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
            effect_<tactic>, cents_<tactic>``
        Never exported to the job. What each of the sixteen tactics would truly change for each
        customer if it reached them by e-mail at the end: P(at least one purchase in 28 days), and
        money expected in 365 days [cents].
    waves : ``customer_id, campaign, sent_on, arm, treated, propensity, true_effect``
        Never exported to the job. ``true_effect`` is the change of P(purchase in the 28 x 24 h from
        13:00 UTC) at the time of that wave by its first tactic; with several tactics, also
        ``true_effect_<tactic>`` for each.
    world : World
        Where it all stands, to play on from.
    """

    events: pl.DataFrame
    customers: pl.DataFrame
    contacts: pl.DataFrame
    consents: pl.DataFrame
    sends: pl.DataFrame
    truth: pl.DataFrame
    waves: pl.DataFrame
    world: World


def simulate_company(
    *,
    customers: int,
    seed: int,
    until: date,
    days: int = 730,
    wave_tactics: tuple[str, ...] = WAVE_TACTICS,
) -> Company:
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
    wave_tactics : tuple of str, default one: targeted_email
        Arms of the e-mail waves beside the control group, with equal shares.

    Returns
    -------
    Company

    Raises
    ------
    ConfigurationError
        If an argument is out of its range.
    """
    chapters = history(
        customers=customers, seed=seed, until=until, days=days, wave_tactics=wave_tactics
    )
    ids = customer_ids(customers)
    parts = [exported(chapter, ids) for chapter in chapters]
    world = parts[-1].world
    return Company(
        events=pl.concat([part.events for part in parts]),
        customers=customer_rows(world),
        contacts=contact_rows(stream(seed, "contacts"), ids=ids),
        consents=consents_now(world),
        sends=pl.concat([part.sends for part in parts]),
        truth=truth_rows(world),
        waves=pl.concat([part.waves for part in parts if part.waves.width]),
        world=world,
    )


def history(
    *, customers: int, seed: int, until: date, days: int, wave_tactics: tuple[str, ...]
) -> Iterator[Chapter]:
    """The history of a company, a wave at a time, so that memory need not hold all of it.

    Parameters
    ----------
    customers, seed, until, days, wave_tactics : as for `simulate_company`

    Returns
    -------
    iterator of Chapter
        In order of time.
    """
    _check(customers, seed, days, wave_tactics)
    return _chapters(new_world(seed, season_before(until, days), customers=customers), wave_tactics)


def _chapters(world, tactics):
    ids, times = customer_ids(world.traits.kind.size), wave_times(world.season)
    world, happenings = play(world, times[0])
    yield Chapter(world, happenings, None, 0)
    for number, (sent_at, next_at) in enumerate(
        zip(times, [*times[1:], world.season.end_at], strict=True), start=1
    ):
        rng = stream(world.seed, f"wave {number}")
        wave = draw_wave(rng, world, consent_now(world), number=number, tactics=tactics, ids=ids)
        world, happenings = play(reach(rng, world, wave.sends), next_at)
        yield Chapter(world, happenings, wave, sent_at)


def exported(chapter: Chapter, ids: pl.Series) -> Export:
    """A chapter as text.

    Parameters
    ----------
    chapter : Chapter
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    Export
    """
    world, first = chapter.world, chapter.world.state.events - chapter.happenings.height
    loading = stream(world.seed, f"loading {chapter.sent_at}")
    wave = chapter.wave
    return Export(
        world,
        event_rows(loading, world.season, happenings=chapter.happenings, events=first, ids=ids),
        _recent_sends(chapter, ids),
        wave.rows if wave else pl.DataFrame(),
    )


def _recent_sends(chapter, ids):
    """What went out in the last 90 days of the history."""
    season, shown = chapter.world.season, shown_ads(chapter.happenings)
    who = chapter.wave.sends.who if chapter.wave else np.zeros(0, dtype=np.int64)
    moments = Moments(
        np.append(who, shown.who), np.append(np.full(who.size, chapter.sent_at), shown.at)
    )
    kind = pl.Series(np.append(np.zeros(who.size, int), np.ones(shown.who.size, int)))
    recent = moments.at >= season.end_at - SENDS_DAYS * DAY
    kind = kind.filter(pl.Series(recent))
    return send_rows(
        season,
        moments.where(recent),
        action=pl.Series([WAVE_ACTION, AD_ACTION]).gather(kind),
        channel=pl.Series(["email", "ad"]).gather(kind),
        ids=ids,
    )


def _check(customers, seed, days, wave_tactics):
    for name, value, low, high in (
        ("customers", customers, 1, MAX_CUSTOMERS),
        ("seed", seed, 0, None),
        ("days", days, MIN_DAYS, None),
    ):
        if value < low or (high is not None and value > high):
            bound = f"{low} or more" if high is None else f"{low} to {high}"
            message = f"simulate, {name}: out of range. Got {value}. Expected {bound}. Change it."
            raise ConfigurationError(message)
    unknown = sorted(set(wave_tactics) - set(NAMES))
    if unknown or not wave_tactics:
        message = f"simulate, wave_tactics: unknown. Got {unknown}. Expected some of {NAMES}."
        raise ConfigurationError(message)
