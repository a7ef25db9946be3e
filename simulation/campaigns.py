"""Randomised e-mail waves, who was treated, and what it truly changed.

Every 30 days, at 13:00 UTC, the last one six days before the end, a wave goes out. Everybody with
e-mail consent on that day, alive or not, is drawn into it with probability 0.5; the others are
its control group. In the 14 x 24 hours after the send

* a treated persuadable who has not dropped out buys once more with probability `lift`, at a
  front-loaded moment (beta(1, 3) of the window's activity time);
* a treated sleeping dog skips all its purchase occasions with probability `hush`;
* nobody else changes.

So with p = P(an occasion in the window) = 1 - exp(-rate x activity time of the window), the true
change of P(purchase in the window) is ``lift * (1 - p) - hush * p``, and 0 after dropping out.
After a number of e-mails that is geometric with the customer's own probability, the customer
unsubscribes, within two days. Propensity, lift and hush as in the uplift literature (Rubin, 1974,
Journal of Educational Psychology 66:688-701; Radcliffe, 2007); the sizes are assumptions.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.consent import Consent, interval_of
from simulation.journeys import Journey, buying_rate
from simulation.season import DAY, NEVER, Season, activity_at, moment_at
from simulation.traits import Traits

PROPENSITY = 0.5
WINDOW_DAYS = 14
WAVE_GAP_DAYS = 30

_LAST_WAVE_DAYS = 6  # before the end, so that one wave is not mature yet
_SEND_AT = 13 * 3600


class Campaigns(NamedTuple):
    """The waves and their consequences.

    Attributes
    ----------
    sent_at : array, shape (n_waves,)
        [s since start], ascending.
    eligible, treated, hushed : arrays of bool, shape (n_customers, n_waves)
        In the wave; sent the e-mail; skips the occasions in its window.
    effect : array, shape (n_customers, n_waves)
        True change of P(purchase in the window).
    prompted_who, prompted_at : arrays, shape (n_prompted,)
        Purchases that happen only because of a wave.
    unsubscribed_at : array, shape (n_customers,)
        [s since start]; NEVER where they did not.
    """

    sent_at: np.ndarray
    eligible: np.ndarray
    treated: np.ndarray
    hushed: np.ndarray
    effect: np.ndarray
    prompted_who: np.ndarray
    prompted_at: np.ndarray
    unsubscribed_at: np.ndarray


def simulate_campaigns(
    rng: np.random.Generator,
    season: Season,
    *,
    traits: Traits,
    journey: Journey,
    consent: Consent,
) -> Campaigns:
    """Draw the waves, the arms, the reactions and the unsubscriptions.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    traits : Traits
    journey : Journey
    consent : Consent
        Before any unsubscription.

    Returns
    -------
    Campaigns
    """
    sent_at = wave_times(season)
    eligible, treated, unsubscribed_at = _arms(rng, traits, consent, sent_at=sent_at)
    alive = sent_at < journey.dropped_at[:, None]
    drawn = rng.random(treated.shape)
    prompted = treated & alive & (drawn < traits.lift[:, None])
    who, wave = np.nonzero(prompted)
    rate = buying_rate(traits, journey, at=sent_at)
    return Campaigns(
        sent_at=sent_at,
        eligible=eligible,
        treated=treated,
        hushed=treated & alive & (drawn < traits.hush[:, None]),
        effect=alive * true_effect(traits, rate=rate, length=_window_activity(season, sent_at)),
        prompted_who=who,
        prompted_at=_prompted_at(rng, season, sent_at=sent_at[wave]),
        unsubscribed_at=np.where(unsubscribed_at < season.end_at, unsubscribed_at, NEVER),
    )


def wave_times(season: Season) -> np.ndarray:
    """Moments at which the waves go out [s since start], ascending."""
    last = season.days - _LAST_WAVE_DAYS
    return np.arange(last, WINDOW_DAYS - 1, -WAVE_GAP_DAYS)[::-1] * DAY + _SEND_AT


def true_effect(traits: Traits, *, rate: np.ndarray, length: np.ndarray | float) -> np.ndarray:
    """Change of P(purchase in the window) by being treated, for those who have not dropped out.

    Parameters
    ----------
    traits : Traits
    rate : array, shape (n_customers, n_windows)
        Purchase occasions a day.
    length : array, shape (n_windows,), or float
        Activity time of each window [average days].

    Returns
    -------
    array, shape (n_customers, n_windows)
    """
    idle = np.exp(-rate * length)
    return traits.lift[:, None] * idle - traits.hush[:, None] * (1 - idle)


def wave_of(campaigns: Campaigns, at: np.ndarray) -> np.ndarray:
    """Wave in whose window each moment lies, or -1.

    Parameters
    ----------
    campaigns : Campaigns
    at : array of s since start

    Returns
    -------
    array of int, same shape
    """
    wave = np.searchsorted(campaigns.sent_at, at, side="right") - 1
    inside = at < campaigns.sent_at[wave] + WINDOW_DAYS * DAY
    return np.where((wave >= 0) & inside, wave, -1)


def campaign_ids(campaigns: Campaigns) -> pl.Series:
    """Ids of the waves as text, by position."""
    return pl.Series([f"wave_{n:03d}" for n in range(1, campaigns.sent_at.size + 1)])


def wave_rows(campaigns: Campaigns, season: Season, *, ids: pl.Series) -> pl.DataFrame:
    """One row for every customer in every wave, with the truth.

    Parameters
    ----------
    campaigns : Campaigns
    season : Season
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    frame
        ``customer_id, campaign, sent_on, treated, propensity, true_effect``, sorted by wave and
        customer.
    """
    wave, who = np.nonzero(campaigns.eligible.T)
    day = pl.Series(campaigns.sent_at // DAY).gather(wave)
    return pl.DataFrame(
        {
            "customer_id": ids.gather(who),
            "campaign": campaign_ids(campaigns).gather(wave),
            "day": day,
            "treated": campaigns.treated[who, wave],
            "propensity": np.full(who.size, PROPENSITY),
            "true_effect": campaigns.effect[who, wave],
        }
    ).select(
        pl.col("customer_id", "campaign"),
        (pl.lit(season.start) + pl.duration(days="day")).alias("sent_on"),
        pl.col("treated", "propensity", "true_effect"),
    )


def _arms(rng, traits, consent, *, sent_at):
    start_day, end_day = interval_of(consent, "email")
    day = sent_at // DAY
    # Those who become known on the day of the wave are too late for it.
    allowed = (start_day[:, None] < day) & (day < end_day[:, None])
    drawn = allowed & (rng.random(allowed.shape) < PROPENSITY)
    patience = rng.geometric(traits.unsubscribe_rate)[:, None]
    sent_so_far = np.cumsum(drawn, axis=1)
    listed = sent_so_far - drawn < patience
    who, wave = np.nonzero(drawn & (sent_so_far == patience))
    unsubscribed_at = np.full(patience.size, NEVER)
    unsubscribed_at[who] = sent_at[wave] + rng.integers(3600, 2 * DAY, who.size)
    return allowed & listed, drawn & listed, unsubscribed_at


def _window_activity(season, sent_at):
    return activity_at(season, sent_at + WINDOW_DAYS * DAY) - activity_at(season, sent_at)


def _prompted_at(rng, season, *, sent_at):
    share = rng.beta(1, 3, sent_at.size)
    at = moment_at(season, activity_at(season, sent_at) + share * _window_activity(season, sent_at))
    return np.maximum(at, sent_at + 3600)  # nobody reads, browses and buys within the hour
