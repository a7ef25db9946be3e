"""The company's answer to what was decided: it plays on from where it stands.

The tool sends each exported decision at 13:00 UTC on the as-of date, but loses one in 50: those are
in nobody's list of sends. Customers who have unsubscribed are left out. What an action does
follows from its tactic and channel (`simulation.tactics`). Nothing else goes out, except the
advertisements that always run, and nobody new becomes known.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from features.errors import ConfigurationError, DataError
from simulation.consent import interval_of
from simulation.happenings import Moments, event_rows
from simulation.messages import AD_ACTION, Sends, reach, send_rows
from simulation.people import VALUE_DAYS, consents_now, customer_ids
from simulation.play import consent_now, play, shown_ads
from simulation.season import DAY, stream
from simulation.state import World, reached
from simulation.tactics import NAMES, REACHES, true_effects

_SEND_AT = 13 * 3600
_LOST_SHARE = 0.02


class Reply(NamedTuple):
    """What happens after a delivery: text as in `simulation.company.Company`, and the truth.

    Attributes
    ----------
    events, sends : what is new since the as-of date
    consents : all of it, as it is at the end
    truth : ``customer_id, action_id, channel, true_effect, true_cents``
        One row for everybody who was reached, sorted by customer: true change of P(at least one
        purchase in 28 days), and of the money expected in 365 days [cents].
    world : World
        Where it all stands at the end.
    """

    events: pl.DataFrame
    sends: pl.DataFrame
    consents: pl.DataFrame
    truth: pl.DataFrame
    world: World


class Carried(NamedTuple):
    """What follows from decisions, before it becomes text.

    Attributes
    ----------
    world : World
        At the end.
    happenings : frame as from `simulation.happenings.happening`
    sends : Sends
        What really went out.
    sent_at : s since start
    truth : frame, see `Reply`
    """

    world: World
    happenings: pl.DataFrame
    sends: Sends
    sent_at: int
    truth: pl.DataFrame


def respond(
    world: World, decisions: pl.DataFrame, *, tactics: Mapping[str, str], until: date
) -> Reply:
    """Carry out decisions and let time pass.

    Parameters
    ----------
    world : World
        At a midnight.
    decisions : table of `features.schemas.DECISIONS`
        Of the day on which the world stands. Rows that were not exported are not sent.
    tactics : mapping of str
        Action id -> tactic.
    until : date
        The first day that is not played.

    Returns
    -------
    Reply

    Raises
    ------
    DataError
        If decisions are of another day, or customers unknown.
    ConfigurationError
        If `until` is not later, or an action or channel is unknown.
    """
    ids = customer_ids(world.traits.kind.size)
    carried = carry_out(world, decisions, tactics=tactics, until=until)
    later, happenings = carried.world, carried.happenings
    first, loading = world.state.events, stream(world.seed, f"loading {world.state.at}")
    return Reply(
        events=event_rows(loading, world.season, happenings=happenings, events=first, ids=ids),
        sends=_send_rows(carried, ids),
        consents=consents_now(later),
        truth=carried.truth,
        world=later,
    )


def carry_out(
    world: World, decisions: pl.DataFrame, *, tactics: Mapping[str, str], until: date
) -> Carried:
    """As `respond`, without the text of the exports."""
    _check(world, decisions, until)
    ids, until_at = customer_ids(world.traits.kind.size), moment_of(world, until)
    rng = stream(world.seed, f"reply {world.state.at}")
    world, morning = play(world, world.state.at + _SEND_AT)
    sends = _sends(rng, world, decisions, tactics, ids)
    truth, sent_at = _truth(world, sends, ids), world.state.at
    world, later = play(reach(rng, world, sends), until_at)
    return Carried(world, pl.concat([morning, later]), sends, sent_at, truth)


def today(world: World) -> date:
    """The day on which a world stands."""
    return world.season.start + timedelta(days=world.state.at // DAY)


def moment_of(world: World, day: date) -> int:
    """The midnight at which a day begins [s since start]."""
    return (day - world.season.start).days * DAY


def _check(world: World, decisions: pl.DataFrame, until: date) -> None:
    others = decisions.filter(pl.col("as_of") != today(world)).height
    if others:
        raise DataError(
            f"respond: decisions of another day. Got {others} rows that are not of "
            f"{today(world)}, where the company stands. Respond to each run once, in order."
        )
    if until <= today(world):
        raise ConfigurationError(
            f"respond, until: not later. Got {until}. Expected a day after {today(world)}."
        )


def _sends(rng, world, decisions, tactics, ids):
    exported = decisions.filter(pl.col("outcome") == "exported").sort("customer_id", "action_id")
    exported = exported.unique("customer_id", keep="first", maintain_order=True)
    who = exported.select(
        pl.col("customer_id").replace_strict(
            ids, pl.Series(np.arange(ids.len())), default=None, return_dtype=pl.Int64
        )
    ).to_series()
    if who.null_count():
        raise DataError(f"respond: unknown customers. Got {who.null_count()} rows. Expected none.")
    sends = Sends(
        who=who.to_numpy(),
        tactic=_positions(exported["action_id"], {a: NAMES.index(t) for a, t in tactics.items()}),
        channel=_positions(exported["channel"], {c: n for n, c in enumerate(REACHES)}),
        label=exported["action_id"],
    )
    kept = rng.random(ids.len())[sends.who] >= _LOST_SHARE
    kept &= ~_unsubscribed(world, sends)
    return sends.where(kept)


def _positions(names: pl.Series, known: Mapping[str, int]) -> np.ndarray:
    unknown = sorted(set(names.unique()) - set(known))
    if unknown:
        raise ConfigurationError(
            f"respond, {names.name}: unknown. Got {unknown}. Known: {sorted(known)}."
        )
    return names.replace_strict(known, return_dtype=pl.Int64).to_numpy()


def _unsubscribed(world, sends):
    left_day = interval_of(consent_now(world), "email")[1][sends.who]
    return (sends.channel == REACHES.index("email")) & (left_day <= world.state.at // DAY)


def _truth(world, sends, ids):
    at, who = world.state.at, sends.who
    after = reached(world, who, tactic=sends.tactic, channel=sends.channel)
    truth = true_effects(world.traits, world.season, after, at=at, value_days=VALUE_DAYS)
    return pl.DataFrame(
        {
            "customer_id": ids.gather(who),
            "action_id": sends.label,
            "channel": pl.Series(REACHES).gather(sends.channel),
            "true_effect": truth.purchase,
            "true_cents": truth.cents,
        }
    )


def _send_rows(carried, ids):
    sends, shown = carried.sends, shown_ads(carried.happenings)
    ours = pl.DataFrame(
        {
            "who": sends.who,
            "at": np.full(sends.who.size, carried.sent_at),
            "action": sends.label,
            "channel": pl.Series(REACHES).gather(sends.channel),
        }
    )
    ads = pl.DataFrame({"who": shown.who, "at": shown.at})
    ads = ads.with_columns(action=pl.lit(AD_ACTION), channel=pl.lit("ad"))
    rows = pl.concat([ours, ads])
    return send_rows(
        carried.world.season,
        Moments(rows["who"].to_numpy(), rows["at"].to_numpy()),
        action=rows["action"],
        channel=rows["channel"],
        ids=ids,
    )
