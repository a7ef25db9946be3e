"""What the company sends, what comes back at once, and the tool's own list of sends.

Whoever is reached sees it within half an hour, and reacts as `simulation.tactics` says. On an
e-mail, those still interested click with their own probability, most on the same day, and land on
a page; others click once in 200. After a number of e-mails that is geometric (one in 170; sleeping
dogs: one in 33), the customer unsubscribes, within two days. Advertisements are shown to those with
consent for them, at 0.02 a day, whatever they do; they change nothing. All sizes are assumptions.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.consent import Consent, interval_of
from simulation.happenings import Moments, happening, timestamp_text
from simulation.journeys import order_factor
from simulation.season import DAY, NEVER, Season, activity_at, moment_at, scatter, span
from simulation.state import Occasions, State, World, pressure, reached
from simulation.tactics import REACHES, WINDOW_DAYS, chances
from simulation.traits import Traits

SENDS_DAYS = 90
AD_ACTION = "always_on_ads"

_IMPRESSIONS_PER_DAY = 0.02
_CURIOUS_CLICK_RATE = 0.005
_CLICK_DELAY = 0.4 * DAY
_EMAIL = REACHES.index("email")
# What being reached looks like in the log; "Promotion Viewed" where a channel has no own event.
_EXPOSURES = {
    "email": "Email Delivered",
    "push": "Push Notification Received",
    "mail": "Campaign Mailed",
    "ad": "Ad Impression",
}
_ELSEWHERE = "Promotion Viewed"


class Sends(NamedTuple):
    """Actions that go out now, at most one a customer; arrays of the same length.

    Attributes
    ----------
    who : position of the customer
    tactic, channel : positions in `simulation.tactics.NAMES` and `REACHES`
    label : Series of text
        What the log calls it: an id of a campaign or an action.
    """

    who: np.ndarray
    tactic: np.ndarray
    channel: np.ndarray
    label: pl.Series

    def where(self, chosen: np.ndarray) -> "Sends":
        """Keep the chosen rows."""
        label = self.label.filter(pl.Series(chosen))
        return Sends(self.who[chosen], self.tactic[chosen], self.channel[chosen], label)


def reach(rng: np.random.Generator, world: World, sends: Sends) -> World:
    """Carry out the sends, and settle what they change.

    Parameters
    ----------
    rng : numpy Generator
        Drawn from for every customer, reached or not, so that a customer's reaction does not depend
        on who else is reached.
    world : World
    sends : Sends

    Returns
    -------
    World
        At the same moment; what follows is on its way.
    """
    state, size = world.state, world.traits.kind.size
    after = reached(world, sends.who, tactic=sends.tactic, channel=sends.channel)
    likely = chances(world.traits, after)
    drawn, second = rng.random((2, size))[:, sends.who]
    gone = after.dropped_days > 0
    moved = drawn < np.where(gone, likely.win, likely.lift)
    prompted = _prompted(rng, world, size=size, who=sends.who[moved])
    back = sends.who[(moved & gone) | (second < likely.heal)]
    hushed = sends.who[drawn >= 1 - likely.hush]
    emailed = sends.who[sends.channel == _EMAIL]
    state = _pressed(_changed(state, moved=sends.who[moved], back=back, hushed=hushed), sends.who)
    buying = state.buying | (_member(size, sends.who[moved]) & (world.traits.rate_per_day > 0))
    quiet_at = np.where(buying & ~world.state.buying, NEVER, state.quiet_at)
    state = state._replace(
        buying=buying,
        quiet_at=quiet_at,
        ahead=Occasions(*map(np.append, state.ahead, prompted)),
        emails=state.emails + _member(size, emailed),
    )
    unsubscribed_at, left = _unsubscribed(rng, state, world.traits, emailed)
    seen = [*_exposures(rng, state, sends), *_clicks(rng, world, sends), left]
    pending = pl.concat([frame for frame in (state.pending, *seen) if frame.width])
    return world._replace(state=state._replace(unsubscribed_at=unsubscribed_at, pending=pending))


def ad_impressions(
    rng: np.random.Generator, world: World, consent: Consent, until_at: int
) -> Moments:
    """Moments of the next period at which an advertisement was shown, one a customer and second.

    Parameters
    ----------
    rng : numpy Generator
    world : World
    consent : Consent
    until_at : int
        End of the period [s since start].

    Returns
    -------
    Moments
    """
    start_day, end_day = interval_of(consent, "ad")
    begin = np.maximum(start_day * DAY, world.traits.known_at)
    allowed = span(
        world.season, np.maximum(begin, world.state.at), np.minimum(end_day * DAY, until_at)
    )
    who, at = scatter(rng, world.season, allowed, rate=np.full(begin.size, _IMPRESSIONS_PER_DAY))
    once = np.unique(who * (1 << 32) + at)
    return Moments(once >> 32, once & ((1 << 32) - 1))


def send_rows(
    season: Season, moments: Moments, *, action: pl.Series, channel: pl.Series, ids: pl.Series
) -> pl.DataFrame:
    """List what the tool says that it sent.

    Parameters
    ----------
    season : Season
    moments : Moments
    action, channel : Series of text
        Row by row.
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    frame
        ``customer_id, action_id, channel, sent_at``, all text; sorted by moment, customer and
        action.
    """
    rows = pl.DataFrame(
        {"who": moments.who, "at": moments.at, "action_id": action, "channel": channel}
    ).sort("at", "who", "action_id")
    return rows.select(
        ids.gather(rows["who"]).alias("customer_id"),
        pl.col("action_id", "channel"),
        timestamp_text(pl.col("at"), season).alias("sent_at"),
    )


def _changed(state, *, moved, back, hushed):
    dropped_at, soured_at, quiet_at, hushed_until = (
        values.copy()
        for values in (state.dropped_at, state.soured_at, state.quiet_at, state.hushed_until)
    )
    dropped_at[back] = soured_at[back] = quiet_at[back] = NEVER
    hushed_until[hushed] = state.at + WINDOW_DAYS * DAY
    return state._replace(
        dropped_at=dropped_at, soured_at=soured_at, quiet_at=quiet_at, hushed_until=hushed_until
    )


def _prompted(rng, world, *, size, who):
    state, season = world.state, world.season
    share, factor = rng.beta(1, 3, size)[who], order_factor(rng, size)[who]
    begin, end = (
        activity_at(season, np.array(at)) for at in (state.at, state.at + WINDOW_DAYS * DAY)
    )
    at = moment_at(season, begin + share * (end - begin))
    at = np.maximum(at, state.at + 3600)  # nobody reads, browses and buys within the hour
    return Occasions(who, at, np.ones(who.size), factor, np.ones(who.size, dtype=bool))


def _pressed(state: State, who: np.ndarray) -> State:
    counted = pressure(state)
    counted[who] += 1
    return state._replace(pressure=counted, pressed_at=np.full(counted.size, state.at))


def _unsubscribed(rng, state, traits: Traits, emailed):
    left = emailed[state.emails[emailed] == traits.patience[emailed]]
    unsubscribed_at = state.unsubscribed_at.copy()
    unsubscribed_at[left] = state.at + rng.integers(3600, 2 * DAY, left.size)
    leaving = Moments(left, unsubscribed_at[left])
    return unsubscribed_at, happening("Unsubscribed", leaving, channel="email")


def _exposures(rng, state, sends):
    shown = Moments(sends.who, np.full(sends.who.size, state.at))
    shown = shown.after(rng.integers(1, 1800, sends.who.size))
    for number in np.unique(sends.channel):
        rows, channel = np.flatnonzero(sends.channel == number), REACHES[number]
        yield happening(
            _EXPOSURES.get(channel, _ELSEWHERE),
            shown.where(rows),
            channel=channel,
            campaign=sends.label.gather(rows),
        )


def _clicks(rng, world, sends):
    emails = np.flatnonzero(sends.channel == _EMAIL)
    who = sends.who[emails]
    interested = world.state.quiet_at[who] > world.state.at
    rate = np.where(interested, world.traits.click_rate[who], _CURIOUS_CLICK_RATE)
    clicked = np.flatnonzero(rng.random(who.size) < rate)
    clicks = Moments(who[clicked], np.full(clicked.size, world.state.at))
    clicks = clicks.after(1800 + rng.exponential(_CLICK_DELAY, clicked.size))
    label = sends.label.gather(emails[clicked])
    return [
        happening("Email Link Clicked", clicks, channel="email", campaign=label),
        happening("Page Viewed", clicks.after(5), channel="web"),
    ]


def _member(size, who):
    inside = np.zeros(size, dtype=bool)
    inside[who] = True
    return inside
