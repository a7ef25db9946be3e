"""What the company sent, what came back, and the tool's own list of sends.

Every treated customer of a wave gets the e-mail within half an hour. Those still interested click
with their own probability, most on the same day, and land on a page; others click once in 200.
Advertisements are shown to those with consent for them, at 0.02 a day, whatever they do; they
change nothing. Unsubscriptions come from `simulation.campaigns`.
"""

import numpy as np
import polars as pl

from simulation.campaigns import Campaigns, campaign_ids
from simulation.consent import Consent, interval_of
from simulation.happenings import Moments, happening, timestamp_text
from simulation.journeys import Journey
from simulation.season import DAY, NEVER, Season, scatter
from simulation.traits import Traits

SENDS_DAYS = 90

_IMPRESSIONS_PER_DAY = 0.02
_CURIOUS_CLICK_RATE = 0.005
_CLICK_DELAY = 0.4 * DAY
_EMAIL_ACTION, _AD_ACTION = "monthly_email", "always_on_ads"


def email_happenings(
    rng: np.random.Generator, *, traits: Traits, journey: Journey, campaigns: Campaigns
) -> list[pl.DataFrame]:
    """Deliveries, clicks and unsubscriptions.

    Parameters
    ----------
    rng : numpy Generator
    traits : Traits
    journey : Journey
    campaigns : Campaigns

    Returns
    -------
    list of frames from `happening`
    """
    who, wave = np.nonzero(campaigns.treated)
    sent = Moments(who, campaigns.sent_at[wave])
    campaign = campaign_ids(campaigns).gather(wave)
    interested = sent.at < journey.quiet_at[who]
    rate = np.where(interested, traits.click_rate[who], _CURIOUS_CLICK_RATE)
    clicked = np.flatnonzero(rng.random(who.size) < rate)
    clicks = sent.where(clicked).after(1800 + rng.exponential(_CLICK_DELAY, clicked.size))
    delivered = sent.after(rng.integers(1, 1800, who.size))
    left = np.flatnonzero(campaigns.unsubscribed_at < NEVER)
    return [
        happening("Email Delivered", delivered, channel="email", campaign=campaign),
        happening("Email Link Clicked", clicks, channel="email",
                  campaign=campaign.gather(clicked)),
        happening("Page Viewed", clicks.after(5), channel="web"),
        happening("Unsubscribed", Moments(left, campaigns.unsubscribed_at[left]),
                  channel="email"),
    ]  # fmt: skip


def ad_impressions(
    rng: np.random.Generator, season: Season, *, traits: Traits, consent: Consent
) -> Moments:
    """Moments at which an advertisement was shown, one a customer and second.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    traits : Traits
    consent : Consent

    Returns
    -------
    Moments
    """
    start_day, end_day = interval_of(consent, "ad")
    who, at = scatter(
        rng,
        season,
        rate=np.full(traits.kind.size, _IMPRESSIONS_PER_DAY),
        start=np.maximum(start_day * DAY, traits.known_at),
        end=end_day * DAY,
    )
    once = np.unique(who * season.end_at + at)
    return Moments(once // season.end_at, once % season.end_at)


def send_rows(
    season: Season, *, campaigns: Campaigns, impressions: Moments, ids: pl.Series
) -> pl.DataFrame:
    """List what the tool says that it sent in the last 90 days.

    Parameters
    ----------
    season : Season
    campaigns : Campaigns
    impressions : Moments
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    frame
        ``customer_id, action_id, channel, sent_at``, all text; sorted by moment, customer and
        action.
    """
    who, wave = np.nonzero(campaigns.treated)
    emails = _sent(Moments(who, campaigns.sent_at[wave]), action=_EMAIL_ACTION, channel="email")
    rows = pl.concat([emails, _sent(impressions, action=_AD_ACTION, channel="ad")])
    rows = rows.filter(pl.col("at") >= season.end_at - SENDS_DAYS * DAY)
    rows = rows.sort("at", "who", "action_id")
    return rows.select(
        ids.gather(rows["who"]).alias("customer_id"),
        pl.col("action_id", "channel"),
        timestamp_text(pl.col("at"), season).alias("sent_at"),
    )


def _sent(moments, *, action, channel):
    return pl.DataFrame({"who": moments.who, "at": moments.at}).with_columns(
        action_id=pl.lit(action), channel=pl.lit(channel)
    )
