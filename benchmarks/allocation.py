"""Allocation at scale: worth, distance from the bound and seconds, beside what others would do.

``python -m benchmarks.allocation [--instances 10]``

Each instance is random: lognormal values of customers, heterogeneous effects, half of the options
not allowed, a money budget and four capacities that bind. Compared, within the same limits: greedy
by return on investment, greedy by churn risk (the riskiest customers first, each with the option
of most worth), and at 100,000 customers the linear relaxation by HiGHS.
"""

import argparse
import resource
import sys
import time
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from actions.allocation import allocate
from actions.limits import Limits
from benchmarks.record import Goal, line

SIZES = {"100k_x_6": (100_000, 6), "1m_x_20": (1_000_000, 20)}
GOALS = [
    *(Goal(f"{size}_violations", 0, "<=") for size in SIZES),
    *(Goal(f"{size}_gap_percent", 0.1, "<=") for size in SIZES),
    Goal("1m_x_20_seconds", 60, "<="),
    Goal("peak_gib", 4, "<="),
    Goal("call_wins_with_slack_budget", 1, ">="),
]


class Instance(NamedTuple):
    """What a plan is made from, and each customer's churn risk."""

    worth: np.ndarray
    limits: Limits
    risk: np.ndarray


def main() -> None:
    """Run every instance of every size and print the figures."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--instances", type=int, default=10)
    instances = reader.parse_args().instances
    figures: dict[str, float] = {"call_wins_with_slack_budget": slack_budget()}
    for size, (customers, options) in SIZES.items():
        rows = [judged(instance(customers, options, seed), size) for seed in range(instances)]
        figures |= worst(rows, size)
    figures["peak_gib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)
    print(line("allocation", figures, GOALS))


def slack_budget() -> int:
    """Whether a $190 call that brings more beats a $5 e-mail where there is money for both."""
    worth = np.array([[40_000, 1_500]] * 10)  # after the cost of each
    limits = Limits(["budget"], np.array([[19_000, 500]]), np.array([10 * 19_000]))
    return int((allocate(worth, limits).chosen == 0).all())


def instance(customers: int, options: int, seed: int) -> Instance:
    """A random instance with five limits over all customers."""
    draw = np.random.default_rng(seed)
    cost = np.sort(draw.integers(1, 2000, options))
    cost[0] = 0
    risk = draw.beta(2, 5, customers)
    value = draw.lognormal(8, 1, customers) * 4 * risk * (1 - risk)
    effect = draw.uniform(0, 0.08, options) * (1 + cost / 800)
    worth = np.empty((customers, options), dtype=np.int64)
    for k in range(options):
        noise = draw.lognormal(0, 0.5, customers) * (draw.random(customers) < 0.5)
        worth[:, k] = np.rint(value * effect[k] * noise - cost[k])
    channel = np.arange(options) % 3
    use = [cost, channel == 0, channel == 1, np.arange(options) == options - 1,
           np.arange(options) == options // 2]  # fmt: skip
    most = [customers * 60, customers // 6, customers // 8, customers // 100, customers // 50]
    names = ["budget", "channel 0", "channel 1", "last option", "middle option"]
    return Instance(worth, Limits(names, np.array(use, dtype=np.int64), np.array(most)), risk)


def judged(one: Instance, size: str) -> dict[str, float]:
    """Worth and seconds of every way, in units of the bound."""
    start = time.perf_counter()
    plan = allocate(one.worth, one.limits)
    row = {
        "seconds": time.perf_counter() - start,
        "gap_percent": 100 * plan.gap,
        "violations": int((one.limits.used(plan.chosen) > one.limits.most).sum()),
    }
    orders = {"return_on_investment": by_return(one), "churn_risk": by_risk(one)}
    for name, order in orders.items():
        start = time.perf_counter()
        row[f"{name}_share"] = taken(one, order) / plan.bound_cents
        row[f"{name}_seconds"] = time.perf_counter() - start
    if size == "100k_x_6":
        start = time.perf_counter()
        row["linear_relaxation_share"] = relaxation(one) / plan.bound_cents
        row["linear_relaxation_seconds"] = time.perf_counter() - start
    row["keepwell_share"] = plan.worth_cents / plan.bound_cents
    print(size, {name: round(value, 6) for name, value in row.items()}, file=sys.stderr)
    return row


def by_return(one: Instance) -> tuple[np.ndarray, np.ndarray]:
    """Customer-option pairs, most worth for a cent of cost first."""
    customers, options = np.nonzero(one.worth > 0)
    ratio = one.worth[customers, options] / np.maximum(one.limits.use[0][options], 1)
    order = np.argsort(-ratio, kind="stable")
    return customers[order], options[order]


def by_risk(one: Instance) -> tuple[np.ndarray, np.ndarray]:
    """The riskiest customers first, each with options of most worth first."""
    customers, options = np.nonzero(one.worth > 0)
    order = np.lexsort((-one.worth[customers, options], -one.risk[customers]))
    return customers[order], options[order]


def taken(one: Instance, order: tuple[np.ndarray, np.ndarray]) -> int:
    """Worth when pairs are taken in this order wherever they still fit."""
    room, use = one.limits.most.tolist(), one.limits.use.T.tolist()
    done, total = np.zeros(len(one.worth), dtype=bool), 0
    worth = one.worth[order]
    for customer, option, gain in zip(*(part.tolist() for part in (*order, worth)), strict=True):
        if not done[customer]:
            needs = use[option]
            if all(need <= left for need, left in zip(needs, room, strict=True)):
                room = [left - need for need, left in zip(needs, room, strict=True)]
                done[customer] = True
                total += gain
    return total


def relaxation(one: Instance) -> float:
    """Worth of the linear relaxation by HiGHS: no plan can be worth more."""
    customers, options = np.nonzero(one.worth > 0)
    columns = np.arange(len(customers))
    n = len(one.worth)
    shared_row, shared_option = np.nonzero(one.limits.use)
    rows, where, values = [customers], [columns], [np.ones(len(columns))]
    for limit, option in zip(shared_row, shared_option, strict=True):
        own = columns[options == option]
        rows.append(np.full(len(own), n + limit))
        where.append(own)
        values.append(np.full(len(own), one.limits.use[limit, option], dtype=float))
    shape = (n + len(one.limits.most), len(columns))
    matrix = csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(where))), shape=shape
    )
    most = np.concatenate([np.ones(n), one.limits.most])
    found = linprog(-one.worth[customers, options], A_ub=matrix, b_ub=most, bounds=(0, 1),
                    method="highs")  # fmt: skip
    return -found.fun


def worst(rows: list[dict[str, float]], size: str) -> dict[str, float]:
    """Over the instances: the largest of times, gaps and violations, the mean of shares."""
    merged = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        f"{size}_{name}": round(
            float(np.mean(values) if name.endswith("share") else max(values)), 6
        )
        for name, values in merged.items()
    }


if __name__ == "__main__":
    main()
