"""What each customer allows, by channel, and since when.

Each channel is decided on the day that the customer becomes known: granted with the channel's
probability below, otherwise denied or never asked, in equal parts. E-mail consent ends when the
customer unsubscribes (`simulation.messages`); 4 % of the other grants are revoked on a random
later day of the history. One customer in 200 objects to profiling (the right of GDPR Article
21(2)). Basis: a buyer's e-mail consent is a soft opt-in in three cases of ten, a buyer's postal
consent rests on the contract in two of ten, every other grant is an opt-in. All shares are
assumptions.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.season import DAY, NEVER, Season
from simulation.traits import BUYER, Traits

CONSENT_CHANNELS = ("email", "sms", "push", "mail", "phone", "ad")
OBJECTED_SHARE = 0.005

_GRANTED_SHARES = np.array([0.78, 0.25, 0.35, 0.55, 0.10, 0.50])
_REVOKED_SHARE = 0.04
_STATUS = pl.Enum(["granted", "denied", "unknown", "revoked"])
_BASIS = pl.Enum(["none", "opt_in", "soft_opt_in", "contract"])
_EMAIL, _MAIL = CONSENT_CHANNELS.index("email"), CONSENT_CHANNELS.index("mail")


class Consent(NamedTuple):
    """Consent over time; day numbers count from the start of the season.

    Attributes
    ----------
    status, basis : arrays of int, shape (n_customers, 6)
        Position in the lists above, as decided on the day of becoming known.
    since_day : array of int, shape (n_customers,)
    until_day : array of int, shape (n_customers, 6)
        First day on which a grant no longer holds; NEVER where it lasts.
    objected_day : array of int, shape (n_customers,)
        First day of the objection to profiling; NEVER where there is none.
    """

    status: np.ndarray
    basis: np.ndarray
    since_day: np.ndarray
    until_day: np.ndarray
    objected_day: np.ndarray


def simulate_consent(rng: np.random.Generator, season: Season, *, traits: Traits) -> Consent:
    """Draw what everybody allows, before any e-mail is sent.

    Parameters
    ----------
    rng : numpy Generator
    season : Season
    traits : Traits

    Returns
    -------
    Consent
        E-mail grants have no end yet.
    """
    shape = (traits.kind.size, len(CONSENT_CHANNELS))
    granted = rng.random(shape) < _GRANTED_SHARES
    status = np.where(granted, 0, rng.integers(1, 3, shape))
    since_day = traits.known_at // DAY
    later = since_day + 1 + rng.random((shape[1] + 1, shape[0])) * (season.days - since_day)
    later_day = later.astype(np.int64).T
    revoked = granted & (rng.random(shape) < _REVOKED_SHARE) & (later_day[:, :-1] < season.days)
    revoked[:, _EMAIL] = False
    return Consent(
        status=status,
        basis=_basis(rng, traits, granted=granted),
        since_day=since_day,
        until_day=np.where(revoked, later_day[:, :-1], NEVER),
        objected_day=_objections(rng, np.minimum(later_day[:, -1], season.days - 1)),
    )


def with_unsubscribed(consent: Consent, unsubscribed_at: np.ndarray) -> Consent:
    """End e-mail grants on the day after the unsubscription, when the request takes hold.

    Parameters
    ----------
    consent : Consent
    unsubscribed_at : array, shape (n_customers,)
        [s since start]; NEVER where they did not.

    Returns
    -------
    Consent
    """
    until_day = consent.until_day.copy()
    left = unsubscribed_at < NEVER
    until_day[left, _EMAIL] = unsubscribed_at[left] // DAY + 1
    return consent._replace(until_day=until_day)


def interval_of(consent: Consent, channel: str) -> tuple[np.ndarray, np.ndarray]:
    """Days on which a channel may be used, half-open; empty where there is no grant.

    Parameters
    ----------
    consent : Consent
    channel : str
        One of CONSENT_CHANNELS.

    Returns
    -------
    start_day, end_day : arrays of int, shape (n_customers,)
    """
    column = CONSENT_CHANNELS.index(channel)
    end_day = np.minimum(consent.until_day[:, column], consent.objected_day)
    granted = consent.status[:, column] == 0
    return consent.since_day, np.where(granted, end_day, consent.since_day)


def consent_rows(consent: Consent, season: Season, *, today: int, ids: pl.Series) -> pl.DataFrame:
    """Consent as the company exports it.

    Parameters
    ----------
    consent : Consent
    season : Season
    today : int
        Day of the export, from the start of the season; what ends later has no end yet.
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    frame
        ``customer_id, channel, purpose, status, basis, since, until``, all text; sorted.
    """
    first = _rows(
        *np.indices(consent.status.shape).reshape(2, -1),
        status=consent.status.ravel(),
        basis=consent.basis.ravel(),
        since=np.repeat(consent.since_day, len(CONSENT_CHANNELS)),
        until=consent.until_day.ravel(),
    )
    who, column = np.nonzero(consent.until_day <= today)
    revoked = _rows(
        who, column, status=3, basis=0, since=consent.until_day[who, column], until=NEVER
    )
    objectors = np.flatnonzero(consent.objected_day < NEVER)
    objected = _rows(
        objectors, None, status=1, basis=0, since=consent.objected_day[objectors], until=NEVER
    ).with_columns(channel=pl.lit("any"), purpose=pl.lit("profiling"))
    rows = pl.concat([first, revoked, objected]).sort("who", "channel", "purpose", "since")
    return rows.select(
        ids.gather(rows["who"]).alias("customer_id"),
        pl.col("channel", "purpose"),
        pl.col("status", "basis").cast(pl.String),
        _day_text("since", season, today),
        _day_text("until", season, today),
    )


def _basis(rng, traits, *, granted):
    basis = granted.astype(int)
    drawn, buyer = rng.random(traits.kind.size), traits.kind == BUYER
    basis[buyer & granted[:, _EMAIL] & (drawn < 0.3), _EMAIL] = 2
    basis[buyer & granted[:, _MAIL] & (drawn > 0.8), _MAIL] = 3
    return basis


def _objections(rng, later_day):
    objectors = rng.permutation(later_day.size)[: round(OBJECTED_SHARE * later_day.size)]
    objected_day = np.full(later_day.size, NEVER)
    objected_day[objectors] = later_day[objectors]
    return objected_day


def _rows(who, column, *, status, basis, since, until):
    whole = np.ones(who.size, dtype=np.int64)
    channel = pl.Series(CONSENT_CHANNELS).gather(whole * 0 if column is None else column)
    return pl.DataFrame(
        {
            "who": who,
            "channel": channel,
            "purpose": pl.repeat("marketing", who.size, eager=True),
            "status": pl.Series(_STATUS.categories).gather(status * whole),
            "basis": pl.Series(_BASIS.categories).gather(basis * whole),
            "since": since,
            "until": until * whole,
        }
    )


def _day_text(name, season, today):
    day = pl.col(name)
    text = (pl.lit(season.start) + pl.duration(days=day.clip(0, today))).dt.to_string()
    return pl.when(day <= today).then(text).otherwise(pl.lit("")).alias(name)
