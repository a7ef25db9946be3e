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
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.stats import t

from benchmarks.loop_players import KEEPWELL, NOTHING, OBSERVER, PLAYERS, RISK, Start, Turn
from benchmarks.loop_plot import plot_svg
from benchmarks.loop_policies import (
    with_wrong_priors,
)
from benchmarks.loop_record import (
    Setting,
    empty_ledger,
    features_of,
    fitted_champions,
    told,
)
from benchmarks.record import Goal, line
from pipelines.config import read_catalogue, read_params
from simulation.company import WAVE_TACTICS, history
from simulation.replies import Carried, carry_out, today

ROOT = Path(__file__).resolve().parent.parent
UNTIL = date(2025, 1, 1)
DAYS = 540
CYCLE = timedelta(days=30)
MARGIN, TIMES_RISK, LAST_CYCLES = 0.5, 1.3, 3
SETTINGS = {"margin_rate": MARGIN, "kept_value_days": 365}
CENTS_A_CUSTOMER = 10  # budget of a cycle
GOALS = [
    Goal("last_share_of_observable_oracle", 0.85, ">="),
    Goal("beyond_1_3_times_risk", 0, ">="),
]


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


SCHEMA = pl.Schema(
    {
        "seed": pl.Int64,
        "policy": pl.String,
        "cycle": pl.Int64,
        "reached": pl.Int64,
        "cost_cents": pl.Int64,
        "value_cents": pl.Float64,
        "sales_cents": pl.Int64,
    }
)


def main() -> None:
    """Run the loops, print the figures, and write the plot and the cycles where asked."""
    parser = argparse.ArgumentParser(description="Twelve cycles with a known truth.")
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--cycles", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--policies", nargs="+", default=list(PLAYERS), choices=list(PLAYERS))
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for the cycles and plot.svg; what it has is not played again",
    )
    asked = parser.parse_args()
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
    done = [
        cycle
        for seed in range(asked.seeds)
        for cycle in loops(seed, asked.customers, asked.cycles, asked.policies, asked.out)
    ]
    rows = pl.DataFrame(done, schema=SCHEMA, orient="row")
    if asked.out:
        (asked.out / "plot.svg").write_text(plot_svg(rows), "utf-8")
    found = figures(rows)
    print(line("closed_loop", found, [goal for goal in GOALS if goal.key in found]))


def loops(
    seed: int, customers: int, cycles: int, policies: Sequence[str], out: Path | None = None
) -> list[Cycle]:
    """All policies on the company of one seed; those that `out` has are read from there."""
    begin, done = cache(lambda: begun(seed, customers)), []
    for policy in policies:
        kept = out and out / f"{customers}-{cycles}-{seed}-{policy}.csv"
        if kept and kept.exists():
            made = [Cycle(*row) for row in pl.read_csv(kept, schema=SCHEMA).iter_rows()]
        else:
            made = one_loop(policy, begin(), cycles)
        if kept:
            pl.DataFrame(made, schema=SCHEMA, orient="row").write_csv(kept)
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
    return Start(seed, world, ledger, fitted_champions(ledger, world, UNTIL, setting), setting)


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
