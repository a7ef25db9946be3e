"""Events while they are being made: compact rows, then the text that a company exports."""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.season import DAY, Season

CHANNELS = ("web", "app", "email", "ad", "store", "social", "phone", "event", "sms", "push", "mail")
EVENTS = (
    "Ad Impression", "CSAT Submitted", "Campaign Mailed", "Checkout Started", "Comment Posted",
    "Community Post", "Complaint Filed", "Content Shared", "Coupon Entered", "Email Delivered",
    "Email Link Clicked", "Event Attended", "Event Registered", "Game Played", "Loyalty Joined",
    "Loyalty Reward Redeemed", "NPS Detractor", "NPS Passive", "NPS Promoter", "Order Completed",
    "Order Refunded", "Page Viewed", "Product Added", "Product Added to Wishlist",
    "Product Reviewed", "Product Viewed", "Products Searched", "Promotion Viewed",
    "Push Notification Received", "Quiz Completed", "Referral Accepted", "Referral Sent",
    "Signed Up", "Store Visit", "Ticket Opened", "Ticket Resolved", "UGC Posted", "Unsubscribed",
    "Webinar Attended",
)  # fmt: skip

_EVENT = pl.Enum(EVENTS)
_CHANNEL = pl.Enum(CHANNELS)
_LATE_SHARE = 0.01


class Moments(NamedTuple):
    """Who did something, and when: arrays of the same length [position, s since start]."""

    who: np.ndarray
    at: np.ndarray

    def where(self, chosen: np.ndarray) -> "Moments":
        """Keep the chosen rows."""
        return Moments(self.who[chosen], self.at[chosen])

    def after(self, seconds: np.ndarray | int) -> "Moments":
        """Shift in time, row by row; negative is before."""
        return Moments(self.who, self.at + np.asarray(seconds).astype(np.int64))


def happening(
    event: str,
    moments: Moments,
    *,
    channel: str | np.ndarray,
    cents: np.ndarray | None = None,
    campaign: pl.Series | None = None,
) -> pl.DataFrame:
    """Rows of one kind of event.

    Parameters
    ----------
    event : str
        One of EVENTS.
    moments : Moments
    channel : str or array of int
        One of CHANNELS, or their positions in it.
    cents : array of int, optional
    campaign : Series of text, optional

    Returns
    -------
    frame
        ``who, at, event, channel, cents, campaign``; the last two null where not given.
    """
    place = CHANNELS.index(channel) if isinstance(channel, str) else channel
    return pl.DataFrame(
        {
            "who": moments.who.astype(np.uint32),
            "at": moments.at.astype(np.int64),
            "channel": np.broadcast_to(np.asarray(place, dtype=np.uint8), moments.who.shape),
        }
    ).select(
        pl.col("who", "at"),
        pl.lit(event, dtype=_EVENT).alias("event"),
        pl.col("channel"),
        pl.Series("cents", cents, dtype=pl.Int64) if cents is not None else _absent("cents"),
        campaign.alias("campaign") if campaign is not None else _absent("campaign"),
    )


def event_rows(
    rng: np.random.Generator,
    season: Season,
    *,
    happenings: pl.DataFrame,
    events: int,
    ids: pl.Series,
) -> pl.DataFrame:
    """Events as the company exports them.

    Parameters
    ----------
    rng : numpy Generator
        For the delays of loading.
    season : Season
    happenings : frame as from `happening`
    events : int
        Number of events before these.
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    frame
        ``event_id, customer_id, event, occurred_at, loaded_at, channel, value, campaign``, all
        text; sorted by ``occurred_at, event_id``.
    """
    rows = happenings.sort("at", "who", "event", maintain_order=True)
    return rows.with_row_index("number", offset=events + 1).select(
        ("e" + pl.col("number").cast(pl.String).str.zfill(9)).alias("event_id"),
        ids.gather(rows["who"]).alias("customer_id"),
        pl.col("event").cast(pl.String),
        timestamp_text(pl.col("at"), season).alias("occurred_at"),
        timestamp_text(rows["at"] + _loading_delay(rng, rows.height), season).alias("loaded_at"),
        pl.Series(CHANNELS).gather(rows["channel"]).alias("channel"),
        _money_text(pl.col("cents")).alias("value"),
        pl.col("campaign").fill_null(""),
    )  # fmt: skip


def timestamp_text(at: pl.Expr | pl.Series, season: Season) -> pl.Expr:
    """ISO 8601 text in UTC, ending in Z, of moments in s since start."""
    origin = int(np.datetime64(season.start).astype(int)) * DAY
    expression = pl.lit(at) if isinstance(at, pl.Series) else at
    return pl.from_epoch(expression + origin).dt.to_string("%Y-%m-%dT%H:%M:%SZ")


def _loading_delay(rng, rows):
    soon = 20 + rng.standard_exponential(rows) * 240
    late = rng.uniform(DAY, 5 * DAY, rows)
    return pl.Series(np.where(rng.random(rows) < _LATE_SHARE, late, soon).astype(np.int64))


def _money_text(cents):
    sign = pl.when(cents < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, rest = cents.abs() // 100, cents.abs() % 100
    text = sign + whole.cast(pl.String) + "." + rest.cast(pl.String).str.zfill(2)
    return text.fill_null("")


def _absent(name):
    kind = pl.Int64 if name == "cents" else pl.String
    return pl.lit(None, dtype=kind).alias(name)
