"""The five who decide in the closed loop, and nobody: each a function of what it may see."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.decisions import Provenance, Situation, decide, situation
from actions.effects import NOTHING_LEARNED
from actions.gains import with_gains
from actions.learning import LearnedEffects, learned_effects
from actions.measurement import matured
from actions.posterior import effects_table
from benchmarks.loop_policies import (
    Observer,
    at_random,
    best_for,
    by_risk,
    decisions_of,
    fitted_observer,
    true_worth,
)
from benchmarks.loop_record import (
    Ledger,
    Setting,
    contact_record,
    outcomes,
    scored,
    with_labels,
)
from features.definitions import all_features
from features.schemas import DECISIONS, EFFECTS
from models.scoring import Champions
from pipelines.tables import DTYPES, polars_schema
from simulation.state import World

REFIT_CYCLES = 6
KEEPWELL, RISK, RANDOM = "keepwell", "risk", "random"
OBSERVER, KNOWER, NOTHING = "oracle_observable", "oracle_all", "nothing"
NO_EFFECTS = pl.DataFrame(schema=polars_schema(EFFECTS))


class Start(NamedTuple):
    """Where all worlds of a seed begin."""

    seed: int
    world: World
    ledger: Ledger
    champions: Champions
    setting: Setting


class Turn(NamedTuple):
    """What a policy sees when it has to decide; the world is for oracles only."""

    number: int
    as_of: date
    now: pl.DataFrame
    before: pl.DataFrame
    ledger: Ledger
    world: World


Policy = Callable[[Turn], pl.DataFrame]


def nothing(_: Start) -> Policy:
    """Nobody gets anything."""
    empty = {name: DTYPES[kind] for name, kind, *_ in DECISIONS.columns}
    return lambda _: pl.DataFrame(schema=empty)


def random(start: Start) -> Policy:
    """Anybody, anything."""

    def choose(turn: Turn) -> pl.DataFrame:
        seen = looked(turn, start)
        rng = np.random.default_rng((start.seed, turn.number))
        return decisions_of(seen, at_random(seen, rng), turn.as_of)

    return choose


def risk(start: Start) -> Policy:
    """The likeliest to churn."""

    def choose(turn: Turn) -> pl.DataFrame:
        seen = looked(turn, start)
        return decisions_of(seen, by_risk(seen), turn.as_of)

    return choose


def keepwell(start: Start) -> Policy:
    """The job itself: it decides, looks at what came of it, and believes something else."""
    past: list[pl.DataFrame] = []

    def choose(turn: Turn) -> pl.DataFrame:
        setting = start.setting
        now = seen_by_job(turn, start)
        effects, own = learned(past, turn, now, setting)
        decided = decide(
            now,
            contact_record(turn.ledger, turn.world, turn.as_of, setting),
            setting.catalogue.actions,
            effects,
            setting.params.recommend,
            as_of=turn.as_of,
            horizon_days=setting.params.churn.horizon_days,
            provenance=Provenance("", "", "", ""),
            learned=own,
        )
        past.append(decided.table)
        return decided.table

    return choose


def oracle_observable(start: Start) -> Policy:
    """The true worth of each action as a function of what is observable, refitted now and then."""
    fitted: list[Observer] = []
    columns = [feature.name for feature in all_features(start.setting.definitions)]

    def choose(turn: Turn) -> pl.DataFrame:
        seen = looked(turn, start)
        if turn.number % REFIT_CYCLES == 0:
            worth = true_worth(seen, turn.world, start.setting.params.recommend.margin_rate)
            fitted[:] = [fitted_observer(seen.customers, worth, columns, start.seed)]
        return decisions_of(seen, best_for(seen, fitted[0].worth(seen.customers)), turn.as_of)

    return choose


def oracle_all(start: Start) -> Policy:
    """The true worth of each action for each customer."""

    def choose(turn: Turn) -> pl.DataFrame:
        seen = looked(turn, start)
        worth = true_worth(seen, turn.world, start.setting.params.recommend.margin_rate)
        return decisions_of(seen, best_for(seen, worth), turn.as_of)

    return choose


PLAYERS: dict[str, Callable[[Start], Policy]] = {
    NOTHING: nothing,
    RANDOM: random,
    RISK: risk,
    KEEPWELL: keepwell,
    OBSERVER: oracle_observable,
    KNOWER: oracle_all,
}


def looked(turn: Turn, start: Start) -> Situation:
    """The customers, the options, the funnel and the limits."""
    setting = start.setting
    return situation(
        seen_by_job(turn, start),
        contact_record(turn.ledger, turn.world, turn.as_of, setting),
        setting.catalogue.actions,
        NO_EFFECTS,
        setting.params.recommend,
        as_of=turn.as_of,
        horizon_days=setting.params.churn.horizon_days,
        learned=NOTHING_LEARNED,
    )


def seen_by_job(turn: Turn, start: Start) -> pl.DataFrame:
    """Features joined to scores."""
    before = with_labels(turn.before, turn.now, turn.ledger, start.setting)
    return scored(turn.now, before, start.champions, start.setting)


def learned(
    past: list[pl.DataFrame], turn: Turn, now: pl.DataFrame, setting: Setting
) -> tuple[pl.DataFrame, LearnedEffects]:
    """What the job believes after its past decisions, by stage and by customer."""
    if not past:
        return NO_EFFECTS, NOTHING_LEARNED
    decisions = pl.concat(past)
    rows = matured(decisions, outcomes(turn.ledger, decisions))
    params, columns = setting.params.measure, ["customer_id", "as_of", "expected_value_cents"]
    log = pl.concat([decisions.select(columns), now.select(columns)])
    gains = with_gains(rows, log, setting.params.recommend.kept_value_days)
    believed = effects_table(gains, setting.catalogue.actions, params)
    return believed, learned_effects(rows, params)
