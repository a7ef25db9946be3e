"""Does it learn? Twelve monthly cycles on a simulated company whose truth is known.

``python -m benchmarks.closed_loop`` lets five policies run the same company, each in a world of its
own that goes on from the same history: Keepwell from believed effects that are wrong (those of
its actions, dealt out anew), ranking by churn risk, anybody at random, and two oracles. The first
oracle knows the true worth of every action as a function of what is observable; the second knows
everything about everybody. All five hold the same customers out and have the same budget.

The value of a cycle is the truth about its sends: the margin that they bring within a year, less
their cost. It is compared with what really happened: customers have the same demand in every world
(`simulation.journeys`), so that sales less those of a world where nothing is sent are caused by the
sends alone.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import t

from actions.decisions import Provenance, Situation, decide, situation
from actions.measurement import matured
from actions.posterior import effects_table
from benchmarks.loop_plot import plot_svg
from benchmarks.loop_policies import (
    Observer,
    at_random,
    best_for,
    by_risk,
    decisions_of,
    fitted_observer,
    true_worth,
    with_wrong_priors,
)
from benchmarks.loop_record import (
    Ledger,
    Setting,
    contact_record,
    empty_ledger,
    features_of,
    fitted_churn,
    outcomes,
    scored,
    told,
    with_labels,
)
from benchmarks.record import Goal, line
from features.definitions import all_features
from features.schemas import DECISIONS, EFFECTS
from models.scoring import Champions
from pipelines.config import read_catalogue, read_params
from pipelines.tables import DTYPES, polars_schema
from simulation.company import WAVE_TACTICS, history
from simulation.replies import Carried, carry_out, today
from simulation.state import World

ROOT = Path(__file__).resolve().parent.parent
UNTIL = date(2025, 1, 1)
DAYS = 540
CYCLE = timedelta(days=30)
REFIT_CYCLES = 6
KEEPWELL, RISK, RANDOM = "keepwell", "risk", "random"
OBSERVER, KNOWER, NOTHING = "oracle_observable", "oracle_all", "nothing"
POLICIES = (NOTHING, RANDOM, RISK, KEEPWELL, OBSERVER, KNOWER)
MARGIN, TIMES_RISK, LAST_CYCLES = 0.5, 1.3, 3
SETTINGS = {"margin_rate": MARGIN, "kept_value_days": 365}
CENTS_A_CUSTOMER = 10  # budget of a cycle
GOALS = [
    Goal("last_share_of_observable_oracle", 0.85, ">="),
    Goal("beyond_1_3_times_risk", 0, ">="),
]
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


class Cycle(NamedTuple):
    """What one policy did in one cycle, and what came of it.

    Attributes
    ----------
    seed, policy, cycle : which
    reached : number of customers who got something
    cost_cents : of what went out
    value_cents : true margin within a year of what went out, less its cost
    sales_cents : all orders of the cycle
    """

    seed: int
    policy: str
    cycle: int
    reached: int
    cost_cents: int
    value_cents: float
    sales_cents: int


def main() -> None:
    """Run the loops, print the figures, and write the plot and the cycles where asked."""
    parser = argparse.ArgumentParser(description="Twelve cycles with a known truth.")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--cycles", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--policies", nargs="+", default=POLICIES, choices=POLICIES)
    parser.add_argument("--out", type=Path, help="folder for cycles.csv and plot.svg")
    asked = parser.parse_args()
    done = [
        cycle
        for seed in range(asked.seeds)
        for cycle in loops(seed, asked.customers, asked.cycles, asked.policies)
    ]
    rows = pl.DataFrame(done, schema=Cycle._fields, orient="row")
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        rows.write_csv(asked.out / "cycles.csv")
        (asked.out / "plot.svg").write_text(plot_svg(rows), "utf-8")
    found = figures(rows)
    print(line("closed_loop", found, [goal for goal in GOALS if goal.key in found]))


def loops(seed: int, customers: int, cycles: int, policies: Sequence[str]) -> list[Cycle]:
    """All policies on the company of one seed."""
    start = begun(seed, customers)
    done = []
    for policy in policies:
        made = one_loop(policy, start, cycles)
        done += made
        value = sum(cycle.value_cents for cycle in made) / 100
        print(f"seed {seed}, {policy}: {value:,.0f} in {cycles} cycles", file=sys.stderr)
    return done


def begun(seed: int, customers: int) -> Start:
    """History, what the job knows of it, and the job's churn model."""
    catalogue, params = read_catalogue(ROOT / "catalogue"), read_params(ROOT / "params.yaml")
    catalogue = catalogue._replace(actions=with_wrong_priors(catalogue.actions, seed))
    budget = {"budget_cents": CENTS_A_CUSTOMER * customers}
    recommend = params.recommend.model_copy(update=SETTINGS | budget)
    setting = Setting(catalogue, params.model_copy(update={"recommend": recommend}))
    ledger, world = empty_ledger(), None
    for chapter in history(
        customers=customers, seed=seed, until=UNTIL, days=DAYS, wave_tactics=WAVE_TACTICS
    ):
        world = chapter.world
        ledger = told(ledger, chapter.happenings, world, setting)
    assert world is not None
    return Start(seed, world, ledger, fitted_churn(ledger, world, UNTIL, setting), setting)


def one_loop(policy: str, start: Start, cycles: int) -> list[Cycle]:
    """One policy, cycle by cycle."""
    decide_for = PLAYERS[policy](start)
    world, ledger, setting = start.world, start.ledger, start.setting
    tactics = {action.id: action.tactic for action in setting.catalogue.actions.actions}
    before = features_of(ledger, world, today(world) - setting.params.churn.reach, setting)
    done = []
    for number in range(cycles):
        as_of = today(world)
        now = features_of(ledger, world, as_of, setting) if policy != NOTHING else before
        decisions = decide_for(Turn(number, as_of, now, before, ledger, world))
        carried = carry_out(world, decisions, tactics=tactics, until=as_of + CYCLE)
        if policy != NOTHING:
            ledger = told(ledger, carried.happenings, carried.world, setting)
        world, before = carried.world, now
        done.append(cycle_of(start, policy, number, decisions, carried))
    return done


def cycle_of(
    start: Start, policy: str, number: int, decisions: pl.DataFrame, carried: Carried
) -> Cycle:
    """What the sends of a cycle are truly worth, and what was sold."""
    sent = carried.truth.join(decisions, on=["customer_id", "action_id"], how="left")
    cost = int(sent["cost_cents"].sum())
    margin = MARGIN * float(sent["true_cents"].to_numpy().sum())
    orders = carried.happenings.filter(pl.col("event") == "Order Completed")
    sales = int(orders["cents"].sum())
    return Cycle(start.seed, policy, number, sent.height, cost, margin - cost, sales)


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
        decided = decide(
            seen_by_job(turn, start),
            contact_record(turn.ledger, turn.world, turn.as_of, setting),
            setting.catalogue.actions,
            learned(past, turn, setting),
            setting.params.recommend,
            as_of=turn.as_of,
            horizon_days=setting.params.churn.horizon_days,
            provenance=Provenance("", "", "", ""),
        )
        past.append(decided.table)
        return decided.table

    return choose


def oracle_observable(start: Start) -> Policy:
    """The true worth of each action as a function of what is observable, refitted now and then."""
    fitted: list[Observer] = []
    columns = [feature.name for feature in all_features(start.setting.params.features)]

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
    )


def seen_by_job(turn: Turn, start: Start) -> pl.DataFrame:
    """Features joined to scores."""
    before = with_labels(turn.before, turn.now, turn.ledger, start.setting)
    return scored(turn.now, before, start.champions, start.setting)


def learned(past: list[pl.DataFrame], turn: Turn, setting: Setting) -> pl.DataFrame:
    """What the job believes of the effects after its past decisions, whose windows are over."""
    catalogue, params = setting.catalogue.actions, setting.params.measure
    if not past:
        return NO_EFFECTS
    decisions = pl.concat(past)
    return effects_table(matured(decisions, outcomes(turn.ledger, decisions)), catalogue, params)


def figures(rows: pl.DataFrame) -> dict[str, float]:
    """Values by policy with intervals over seeds, and how Keepwell compares [money units]."""
    last = pl.col("cycle") >= rows["cycle"].n_unique() - LAST_CYCLES
    seeds = rows.group_by("seed", "policy", maintain_order=True).agg(
        value=pl.col("value_cents").sum() / 100,
        last_value=pl.col("value_cents").filter(last).sum() / 100,
        sales=pl.col("sales_cents").sum() / 100,
        cost=pl.col("cost_cents").sum() / 100,
        reached=pl.col("reached").sum(),
    )
    wide = {
        name: seeds.pivot("policy", index="seed", values=name).sort("seed")
        for name in ("value", "last_value", "sales", "cost", "reached")
    }
    found: dict[str, float] = {"seeds": rows["seed"].n_unique(), "cycles": rows["cycle"].n_unique()}
    policies = [name for name in PLAYERS if name in wide["value"].columns]
    for name in policies:
        found |= _interval(f"{name}_value", wide["value"][name].to_numpy())
        found |= _interval(f"{name}_last_value", wide["last_value"][name].to_numpy())
        found[f"{name}_reached"] = round(float(wide["reached"][name].to_numpy().mean()))
        if NOTHING in policies and name != NOTHING:
            more = (wide["sales"][name] - wide["sales"][NOTHING]).to_numpy()
            realised = MARGIN * more - wide["cost"][name].to_numpy()
            found |= _interval(f"{name}_realised", realised)
    if {KEEPWELL, RISK, OBSERVER} <= set(policies):
        found |= _compared(wide["value"], wide["last_value"])
    return found


def _compared(whole: pl.DataFrame, last: pl.DataFrame) -> dict[str, float]:
    share = (last[KEEPWELL] / last[OBSERVER]).to_numpy()
    beyond = (whole[KEEPWELL] - TIMES_RISK * whole[RISK]).to_numpy()
    return _interval("last_share_of_observable_oracle", share, 3) | _interval(
        "beyond_1_3_times_risk", beyond
    )


def _interval(name: str, values: np.ndarray, decimals: int = 0) -> dict[str, float]:
    """Mean over seeds and its 95 % t interval; without an interval for a single seed."""
    mean = float(values.mean())
    found = {name: round(mean, decimals)}
    if len(values) > 1:
        half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
        found |= {f"{name}_low": round(mean - half, decimals)}
        found |= {f"{name}_high": round(mean + half, decimals)}
    return found


if __name__ == "__main__":
    main()
