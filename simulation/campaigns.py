"""Randomised e-mail waves of the history, who was treated, and what it truly changed.

Every 30 days, at 13:00 UTC, the last one six days before the end, a wave goes out. Everybody with
e-mail consent on that day, alive or not, is drawn into one of its arms with equal probability: the
control group, or one of the wave's tactics. With one tactic, that is 0.5 each.
"""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from simulation.consent import Consent, interval_of
from simulation.messages import Sends
from simulation.season import DAY, Season
from simulation.state import World, reached
from simulation.tactics import NAMES, REACHES, WINDOW_DAYS, true_effects

WAVE_GAP_DAYS = 30
CONTROL = "control"

_LAST_WAVE_DAYS = 6  # before the end, so that one wave is not mature yet
_FIRST_WAVE_DAYS = 14
_SEND_AT = 13 * 3600
_EMAIL = REACHES.index("email")


class Wave(NamedTuple):
    """One wave: what goes out, and one row for everybody in it, with the truth."""

    sends: Sends
    rows: pl.DataFrame


def wave_times(season: Season) -> list[int]:
    """Moments at which the waves go out [s since start], ascending."""
    last = season.days - _LAST_WAVE_DAYS
    days = range(last, _FIRST_WAVE_DAYS - 1, -WAVE_GAP_DAYS)
    return [day * DAY + _SEND_AT for day in reversed(days)]


def draw_wave(
    rng: np.random.Generator,
    world: World,
    consent: Consent,
    *,
    number: int,
    tactics: tuple[str, ...],
    ids: pl.Series,
) -> Wave:
    """Draw the arms of a wave that goes out now.

    Parameters
    ----------
    rng : numpy Generator
    world : World
    consent : Consent
        With the unsubscriptions so far.
    number : int
        From 1 on.
    tactics : tuple of str
        Arms beside the control group.
    ids : Series of text
        Customer ids, by position.

    Returns
    -------
    Wave
        ``rows`` has ``customer_id, campaign, sent_on, arm, treated, propensity, true_effect`` and,
        with several tactics, ``true_effect_<tactic>`` for each; sorted by customer.
    """
    who = _eligible(world, consent)
    arm = rng.integers(0, len(tactics) + 1, world.traits.kind.size)[who]
    campaign = f"wave_{number:03d}"
    treated = arm > 0
    tactic = np.array([NAMES.index(name) for name in tactics])[arm[treated] - 1]
    sends = Sends(
        who=who[treated],
        tactic=tactic,
        channel=np.full(tactic.size, _EMAIL),
        label=pl.repeat(campaign, tactic.size, dtype=pl.String, eager=True),
    )
    rows = pl.DataFrame(
        {
            "customer_id": ids.gather(who),
            "arm": pl.Series([CONTROL, *tactics]).gather(arm),
            "treated": treated,
            **_truth(world, who, tactics),
        }
    ).with_columns(
        campaign=pl.lit(campaign),
        sent_on=pl.lit(world.season.start + timedelta(days=world.state.at // DAY)),
        propensity=pl.lit(1 / (len(tactics) + 1)),
    )
    first = ("customer_id", "campaign", "sent_on", "arm", "treated", "propensity")
    return Wave(sends, rows.select(*first, pl.exclude(first)))


def _eligible(world, consent):
    start_day, end_day = interval_of(consent, "email")
    day = world.state.at // DAY
    # Those who become known on the day of the wave are too late for it.
    return np.flatnonzero((start_day < day) & (day < end_day))


def _truth(world, who, tactics):
    effects = {
        name: true_effects(
            world.traits,
            world.season,
            reached(world, who, tactic=NAMES.index(name), channel=_EMAIL),
            at=world.state.at,
            value_days=WINDOW_DAYS,
        ).purchase
        for name in tactics
    }
    own = {f"true_effect_{name}": effect for name, effect in effects.items()}
    return {"true_effect": effects[tactics[0]], **(own if len(tactics) > 1 else {})}
