"""Event logs of any size, for benchmarks: made customer by customer in bounded memory.

Unlike the rest of this package, nobody here has a truth to be found: the log only has the shape of
a real one. Every random number is a function of the seed, a purpose, and the number of the customer
or event that it is for (SplitMix64: Steele, Lea and Flood, 2014, Fast Splittable Pseudorandom
Number Generators, OOPSLA). So a customer's rows are the same to the byte whoever is made with
them, in chunks of whatever size.

* Activity: Zipf-like. The share of a customer at quantile u of the ranking is in proportion to
  ``1 / (u + 0.001)``, the Zipf-Mandelbrot law with exponent 1 (Mandelbrot, 1953; exponents near 1
  are found for clicks and purchases alike: Clauset, Shalizi and Newman, 2009, Power-Law
  Distributions in Empirical Data, SIAM Review 51:661-703). With 50 events a customer on average:
  7 at least, a median near 14, some 7,000 for one in a thousand. The total is exact.
* Customers become known evenly over the first 90 % of the days, with their first event. They drop
  out after 30 days plus an exponential time of mean 500 days (Fader, Hardie and Lee, 2005,
  Marketing Science 24:275-284, for drop-out as a rate).
* Sessions: 4 events each on average (geometric), spread over the customer's time, evenly or with
  the season of `simulation.season`; 20 seconds and an exponential 70 between the events of one.
* Event types: 8, of 7 roles and all four engagement types, with the shares below. A quarter of the
  sessions begin with an e-mail, the others with a page. One event does not depend on another.
* Channels: e-mails by e-mail, shares on social media, refunds and surveys as the session, which is
  on the web (50 %), in the app (35 %) or in a shop (15 %).
* Orders: log-normal, median 42.00, sigma 0.6; refunds the same with the sign turned.
* A fifth of the orders come with a discount of up to 5.00, evenly.
* One row in 100 is loaded 1 to 6 days late, so that `visible_day` is after `day`; the others at
  once.

Where no source is given, the figures are assumptions.
"""

import zlib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from features.schemas import CUSTOMERS, EVENTS
from simulation.season import DAY, Season, activity_at, moment_at, season_before

EVENTS_PER_CUSTOMER = 50
CHUNK_ROWS = 1_000_000

_OFFSET = 0.001
_ARRIVING, _STAYING_DAYS, _LIFETIME_DAYS = 0.9, 30.0, 500.0
_SESSION_EVENTS, _PAUSE_SECONDS, _PAUSE_MEAN_SECONDS = 4.0, 20.0, 70.0
_EMAIL_SESSIONS = 0.25
_LATE_SHARE, _LATE_DAYS = 0.01, 5.0
_MEDIAN_CENTS, _SIGMA = 4200.0, 0.6
_CAMPAIGN_DAYS = 30
_DISCOUNTED = 0.2

_CHANNELS = pl.Series(["web", "app", "store", "email", "social"])
_SESSION_CHANNELS = np.cumsum([0.50, 0.35])
_EMAIL, _SOCIAL = 3, 4
# (event type, role, engagement type, share of the later events of a session), visits first
_TYPES = (
    ("page_view", "visit", None, 0.62),
    ("product_added", "intent", "transactional", 0.17),
    ("order_completed", "value", "transactional", 0.08),
    ("game_played", "visit", "experiential", 0.06),
    ("content_shared", "advocacy", "social", 0.03),
    ("csat_submitted", "feedback", "emotional", 0.03),
    ("order_refunded", "service", None, 0.01),
    ("email_delivered", "exposure", None, 0.0),
)
_ORDER, _SHARED, _REFUND, _DELIVERED = 2, 4, 6, 7


class LogPlan(NamedTuple):
    """What every row of a log follows from.

    Attributes
    ----------
    seed : int
    season : Season
        Its days; the end is not seen by `occurred_at`, though rows may be loaded later.
    seasonal : bool
    first : array of int, shape (n_customers + 1,)
        Number of each customer's first event, and of all events.
    """

    seed: int
    season: Season
    seasonal: bool
    first: np.ndarray

    @property
    def customers(self) -> int:
        """Number of customers."""
        return self.first.size - 1


def log_plan(
    *, events: int, until: date, days: int, seed: int = 0, seasonal: bool = True,
    customers: int | None = None,
) -> LogPlan:  # fmt: skip
    """Decide how many events each customer has.

    Parameters
    ----------
    events : int
        Number of rows in total.
    until : date
        The first day that is not simulated.
    days : int
        Length of the history.
    seed : int, default 0
    seasonal : bool, default True
        Sessions follow the year, the week and the hours; otherwise they are even.
    customers : int, optional
        A fiftieth of the events, where not given.

    Returns
    -------
    LogPlan
        16 bytes a customer while it is made, 8 afterwards.
    """
    customers = customers or max(events // EVENTS_PER_CUSTOMER, 1)
    weights = 1 / (_uniform(seed, "activity", np.arange(customers)) + _OFFSET)
    reached = np.cumsum(weights)
    first = np.append(0, np.floor(reached / reached[-1] * events)).astype(np.int64)
    return LogPlan(seed, season_before(until, days), seasonal, first)


def log_ids(plan: LogPlan) -> pl.Series:
    """Ids of all customers, ascending as text."""
    return _ids(plan, np.arange(plan.customers))


def log_customers(plan: LogPlan) -> pl.DataFrame:
    """Everybody who is in the log, as a table of `features.schemas.CUSTOMERS`."""
    known_at, _ = _lifetimes(plan, np.arange(plan.customers))
    rows = pl.DataFrame({"customer_id": log_ids(plan), "day": known_at // DAY})
    known_since = pl.lit(plan.season.start) + pl.duration(days="day")
    return rows.with_columns(known_since=known_since).select(CUSTOMERS.names)


def log_chunks(
    plan: LogPlan, customers: np.ndarray | None = None, *, rows: int = CHUNK_ROWS
) -> Iterator[pl.DataFrame]:
    """Events of some customers, whole customers to a chunk.

    Parameters
    ----------
    plan : LogPlan
    customers : array of int, optional
        Positions, ascending; all where not given.
    rows : int, default 1,000,000
        A chunk ends with the first customer that brings it to this size.

    Yields
    ------
    frame
        Columns of `features.schemas.EVENTS`, sorted by ``customer_id, occurred_at, event_id``.
    """
    who = np.arange(plan.customers) if customers is None else customers
    reached = np.cumsum(plan.first[who + 1] - plan.first[who])
    begin = 0
    while begin < who.size:
        before = reached[begin - 1] if begin else 0
        end = int(np.searchsorted(reached, before + rows)) + 1
        yield log_events(plan, who[begin:end])
        begin = end


def log_events(plan: LogPlan, customers: np.ndarray) -> pl.DataFrame:
    """All events of some customers.

    Parameters
    ----------
    plan : LogPlan
    customers : array of int
        Positions, ascending.

    Returns
    -------
    frame
        Columns of `features.schemas.EVENTS`, sorted by ``customer_id, occurred_at, event_id``.
    """
    counts = plan.first[customers + 1] - plan.first[customers]
    who = np.repeat(np.arange(customers.size), counts)
    rank = np.arange(who.size) - np.repeat(np.cumsum(counts) - counts, counts)
    number = np.repeat(plan.first[customers], counts) + rank
    begins = (rank == 0) | (_uniform(plan.seed, "session", number) < 1 / _SESSION_EVENTS)
    session = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    at = _moments(plan, customers, who=who, number=number, session=session)
    kind = _kinds(plan, number=number, begins=begins)
    channel = _channels(plan, kind=kind, session_number=number[session])
    order = np.argsort(who * (plan.season.end_at + 1) + at, kind="stable")
    # Draws belong to `number`; the id is given in order of time, so that it sorts as time does.
    drawn, kind, channel, at = number[order], kind[order], channel[order], at[order]
    ids = {"event_id": number, "customer_id": _ids(plan, customers).gather(who)}
    return _rows(plan, ids, drawn=drawn, at=at, kind=kind, channel=channel)


def _uniform(seed: int, purpose: str, number: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1), each a function of the seed, the purpose and its own number."""
    key = np.random.SeedSequence(seed, spawn_key=(zlib.crc32(purpose.encode()),))
    bits = number.astype(np.uint64) + np.uint64(1)
    bits *= np.uint64(0x9E3779B97F4A7C15)
    bits += key.generate_state(1, np.uint64)[0]
    bits ^= bits >> np.uint64(30)
    bits *= np.uint64(0xBF58476D1CE4E5B9)
    bits ^= bits >> np.uint64(27)
    bits *= np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    return (bits >> np.uint64(11)) * 2.0**-53


def _exponential(seed: int, purpose: str, number: np.ndarray) -> np.ndarray:
    return -np.log1p(-_uniform(seed, purpose, number))


def _ids(plan, customers):
    digits = max(len(str(plan.customers - 1)), 7)
    return "c" + pl.Series(customers).cast(pl.String).str.zfill(digits)


def _lifetimes(plan, customers):
    """When each customer becomes known, and when they drop out [s since start]."""
    end = plan.season.end_at
    known_at = _uniform(plan.seed, "arrival", customers) * (end * _ARRIVING)
    staying = _STAYING_DAYS + _exponential(plan.seed, "lifetime", customers) * _LIFETIME_DAYS
    return known_at.astype(np.int64), np.minimum(known_at + staying * DAY, end).astype(np.int64)


def _moments(plan, customers, *, who, number, session):
    """When each event happens; the first one of a customer, when they become known."""
    known_at, gone_at = (edge[who[session]] for edge in _lifetimes(plan, customers))
    share = _uniform(plan.seed, "moment", number[session])
    share[number[session] == plan.first[customers[who]]] = 0
    if plan.seasonal:
        known, gone = activity_at(plan.season, known_at), activity_at(plan.season, gone_at)
        begin = np.maximum(moment_at(plan.season, known + share * (gone - known)), known_at)
    else:
        begin = known_at + (share * (gone_at - known_at)).astype(np.int64)
    pause = _PAUSE_SECONDS + _exponential(plan.seed, "pause", number) * _PAUSE_MEAN_SECONDS
    passed = np.cumsum(pause.astype(np.int64))
    return np.minimum(begin + passed - passed[session], plan.season.end_at - 1)


def _kinds(plan, *, number, begins):
    drawn = _uniform(plan.seed, "kind", number)
    shares = np.cumsum([share for *_, share in _TYPES])[:-2]
    later = np.searchsorted(shares, drawn, side="right")
    return np.where(begins, np.where(drawn < _EMAIL_SESSIONS, _DELIVERED, 0), later)


def _channels(plan, *, kind, session_number):
    drawn = _uniform(plan.seed, "channel", session_number)
    channel = np.searchsorted(_SESSION_CHANNELS, drawn, side="right")
    return np.where(kind == _DELIVERED, _EMAIL, np.where(kind == _SHARED, _SOCIAL, channel))


def _cents(plan, *, drawn, kind):
    cents = np.zeros(drawn.size, dtype=np.int64)
    paid = np.flatnonzero((kind == _ORDER) | (kind == _REFUND))
    radius = np.sqrt(2 * _exponential(plan.seed, "amount", drawn[paid]))
    normal = radius * np.cos(2 * np.pi * _uniform(plan.seed, "angle", drawn[paid]))
    sign = np.where(kind[paid] == _ORDER, 1, -1)
    cents[paid] = sign * np.rint(_MEDIAN_CENTS * np.exp(_SIGMA * normal))
    return cents


def _discounts(plan, *, drawn, kind):
    """A fifth of the orders come with a discount, of 5.00 or less."""
    share = _uniform(plan.seed, "discount", drawn)
    given = (kind == _ORDER) & (share < _DISCOUNTED)
    return np.where(given, np.rint(share * 2500), 0).astype(np.int64)


def _rows(plan, ids, *, drawn, at, kind, channel):
    late = _uniform(plan.seed, "late", drawn) < _LATE_SHARE
    delay = DAY + _uniform(plan.seed, "delay", drawn) * (_LATE_DAYS * DAY)
    start_day = int(np.datetime64(plan.season.start).astype(int))
    day = start_day + at // DAY
    loaded = start_day * DAY + at + np.where(late, delay, 0).astype(np.int64)
    names, roles, engagement, _ = zip(*_TYPES, strict=True)
    rows = pl.DataFrame(
        {**ids, "at": start_day * DAY + at, "loaded": loaded, "late": late, "day": day}
    )
    second = pl.Datetime("us", "UTC")
    return rows.with_columns(
        event_id="e" + pl.col("event_id").cast(pl.String).str.zfill(10),
        occurred_at=(pl.col("at") * 1_000_000).cast(second),
        loaded_at=pl.when("late").then((pl.col("loaded") * 1_000_000).cast(second)),
        on=pl.col("day").cast(pl.Int32).cast(pl.Date),
        visible_day=pl.col("loaded") // DAY,
        event_type=pl.Series(names).gather(kind),
        role=pl.Series(roles).gather(kind),
        engagement_type=pl.Series(engagement).gather(kind),
        channel=_CHANNELS.gather(channel),
        value_cents=_cents(plan, drawn=drawn, kind=kind),
        campaign=_campaigns(plan, at=at, kind=kind),
        hour=pl.col("at") // 3600 % 24,
        discount_cents=_discounts(plan, drawn=drawn, kind=kind),
    ).select(EVENTS.names)


def _campaigns(plan, *, at, kind):
    months = pl.Series([f"month_{n:03d}" for n in range(plan.season.days // _CAMPAIGN_DAYS + 1)])
    month = pl.Series(at // (_CAMPAIGN_DAYS * DAY))
    sent = pl.Series(kind == _DELIVERED)
    return months.gather(pl.select(pl.when(sent).then(month)).to_series())
