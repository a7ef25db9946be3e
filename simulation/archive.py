"""A company as tables and back, so that it can be put away and played on later."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from simulation.consent import Consent
from simulation.happenings import Moments
from simulation.season import season_before
from simulation.state import Occasions, State, World
from simulation.traits import Traits

_SEPARATE = ("ahead", "research", "pending")
_SCALARS = ("at", "events")


def frames_of(world: World) -> dict[str, pl.DataFrame]:
    """Tables that say all there is to know of a company.

    Parameters
    ----------
    world : World

    Returns
    -------
    dict
        ``company`` (one row), ``people`` (one row a customer, by position), ``ahead``, ``research``
        and ``pending``: what is on its way.
    """
    state, season = world.state, world.season
    people = {
        f"{part}_{name}": values
        for part, record in (("traits", world.traits), ("consent", world.consent), ("state", state))
        for name, values in record._asdict().items()
        if name not in (*_SEPARATE, *_SCALARS)
    }
    company = {
        "seed": world.seed,
        "start": season.start,
        "days": season.days,
        "at": state.at,
        "events": state.events,
    }
    return {
        "company": pl.DataFrame([company]),
        "people": pl.DataFrame(people),
        "ahead": pl.DataFrame(state.ahead._asdict()),
        "research": pl.DataFrame(state.research._asdict()),
        "pending": state.pending,
    }


def world_of(frames: Mapping[str, pl.DataFrame]) -> World:
    """The company that `frames_of` made the tables of.

    Parameters
    ----------
    frames : mapping of str

    Returns
    -------
    World
    """
    company: dict[str, Any] = frames["company"].row(0, named=True)
    people = frames["people"]
    start: date = company["start"]
    state = _record(
        State, people, "state",
        at=company["at"], events=company["events"],
        ahead=Occasions(*_arrays(frames["ahead"])), research=Moments(*_arrays(frames["research"])),
        pending=frames["pending"],
    )  # fmt: skip
    return World(
        seed=company["seed"],
        season=season_before(start + timedelta(days=company["days"]), company["days"]),
        traits=_record(Traits, people, "traits"),
        consent=_record(Consent, people, "consent"),
        state=state,
    )


def _record(kind, people, part, **others):
    names = [name for name in kind._fields if name not in others]
    return kind(**{name: people[f"{part}_{name}"].to_numpy() for name in names}, **others)


def _arrays(frame: pl.DataFrame) -> list[np.ndarray]:
    return [column.to_numpy() for column in frame]
