"""Customers as the company exports them, and what it does not know of them."""

import numpy as np
import polars as pl

from simulation.consent import consent_rows
from simulation.play import consent_now
from simulation.season import DAY
from simulation.state import World, reached
from simulation.tactics import NAMES, REACHES, true_effects

VALUE_DAYS = 365  # in which the true change of money counts

_ID_DIGITS = 6


def customer_ids(customers: int) -> pl.Series:
    """Ids from 000001 on, as text: at least six digits, leading zeros kept."""
    return pl.Series(np.arange(1, customers + 1)).cast(pl.String).str.zfill(_ID_DIGITS)


def customer_rows(world: World) -> pl.DataFrame:
    """Everybody who is known, as the company exports it."""
    ids = customer_ids(world.traits.kind.size)
    rows = pl.DataFrame({"customer_id": ids, "day": world.traits.known_at // DAY})
    return rows.select("customer_id", _date(world).dt.to_string().alias("signed_up_on"))


def consents_now(world: World) -> pl.DataFrame:
    """Consent as the company exports it now."""
    ids, today = customer_ids(world.traits.kind.size), world.state.at // DAY
    return consent_rows(consent_now(world), world.season, today=today, ids=ids)


def truth_rows(world: World) -> pl.DataFrame:
    """What the company does not know of its customers, now; see `Company.truth`."""
    traits, dropped = world.traits, world.state.dropped_at
    out = pl.Series(dropped // DAY).set(pl.Series(dropped > world.state.at), None)
    return pl.DataFrame(
        {
            "customer_id": customer_ids(dropped.size),
            "known_day": traits.known_at // DAY,
            "dropped_day": out,
            "rate_per_day": traits.rate_per_day,
            "mean_order_cents": traits.mean_order_cents,
            **_effects(world),
        }
    ).select(
        "customer_id",
        _date(world, "known_day").alias("became_known_on"),
        _date(world, "dropped_day").alias("dropped_out_on"),
        pl.exclude("customer_id", "known_day", "dropped_day"),
    )


def _effects(world):
    who, email = np.arange(world.traits.kind.size), REACHES.index("email")
    truths = {
        name: true_effects(
            world.traits,
            world.season,
            reached(world, who, tactic=number, channel=email),
            at=world.state.at,
            value_days=VALUE_DAYS,
        )
        for number, name in enumerate(NAMES)
    }
    return {f"effect_{name}": truth.purchase for name, truth in truths.items()} | {
        f"cents_{name}": truth.cents for name, truth in truths.items()
    }


def _date(world, day="day"):
    return pl.lit(world.season.start) + pl.duration(days=day)
