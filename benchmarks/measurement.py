"""Whether what is measured is true: simulated campaigns with known effects.

``python -m benchmarks.measurement [--campaigns 200]``

Each campaign is a small company of its own (heterogeneous customers, several runs, a durable
holdout, a random arm); half of them with an effect, and as many again with none at all.
"""

import argparse
import sys
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.measurement import compare, measure
from actions.offpolicy import Past, evaluate_policy
from actions.params import MeasureParams
from benchmarks.record import Goal, line

CUSTOMERS, RUNS = 3000, 2
SHARES = {"holdout": 0.2, "random": 0.2}
ACTIONS = ("email", "call")
JUDGED = MeasureParams(min_per_arm=50, stage_sd_share=0.5)
GOALS = [
    Goal("rate_coverage", 0.91, ">="),
    Goal("rate_coverage", 0.985, "<="),
    Goal("value_coverage", 0.91, ">="),
    Goal("value_coverage", 0.985, "<="),
    Goal("false_claims", 0.07, "<="),
    *(Goal(f"{name}_coverage", 0.9, ">=") for name in ("ips", "snips", "dr")),
]


class Campaign(NamedTuple):
    """Matured decisions, and the truth: means per customer if each action were taken, or none."""

    rows: pl.DataFrame
    chances: np.ndarray
    propensity: np.ndarray
    done: np.ndarray
    order_cents: np.ndarray


def main() -> None:
    """Simulate, measure, and count how often the truth is inside the intervals."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--campaigns", type=int, default=200)
    campaigns = reader.parse_args().campaigns
    found = [judged(campaign(seed, effect=True), seed) for seed in range(campaigns)]
    nothing = [claimed(campaign(10_000 + seed, effect=False)) for seed in range(campaigns)]
    figures = {name: round(float(np.mean([f[name] for f in found])), 4) for name in found[0]}
    figures["false_claims"] = round(float(np.mean(nothing)), 4)
    print(line("measurement", figures, GOALS))


def campaign(seed: int, *, effect: bool) -> Campaign:
    """Two runs over the same customers, who keep their arm."""
    draw = np.random.default_rng(seed)
    n = CUSTOMERS * RUNS
    who = np.tile(np.arange(CUSTOMERS), RUNS)
    lasting = draw.normal(0, 0.8, CUSTOMERS)[who]
    p0 = 1 / (1 + np.exp(1.0 - lasting))
    engaged = (lasting > 0).astype(int)
    size = effect * draw.uniform(-0.05, 0.12, (2, 2))
    lift = size[:, engaged].T * 4 * (p0 * (1 - p0))[:, None]
    chances = np.clip(np.column_stack([p0, p0[:, None] + lift]), 0, 1)
    draws = draw.random(CUSTOMERS)[who]
    held, explored = draws < SHARES["holdout"], draws > 1 - SHARES["random"]
    arm = np.select([held, explored], ["holdout", "random"], "policy")
    planned = 1 + (p0 + draw.normal(0, 0.1, n) > 0.35)  # every customer has a plan
    tried = draw.integers(1, 3, n)
    done = np.select([held, explored], [0, tried], planned)
    policy = 1 - SHARES["holdout"] - SHARES["random"]
    given = policy * (done == planned) + SHARES["random"] / 2 * (done > 0)
    propensity = np.where(done == 0, SHARES["holdout"], given)
    success = draw.random(n) < chances[np.arange(n), done]
    order = np.rint(np.exp(draw.normal(8, 0.7, n))).astype(np.int64)
    rows = pl.DataFrame(
        {
            "customer_id": pl.Series(who).cast(pl.String),
            "as_of": np.repeat(["2026-01-01", "2026-02-01"], CUSTOMERS),
            "arm": arm,
            "planned_action_id": np.array(ACTIONS)[planned - 1],
            "stage": np.array(["acquisition", "engagement"])[engaged],
            "p_value": np.clip(p0 + draw.normal(0, 0.05, n), 0.01, 0.99),
            "expected_value_cents": np.rint(p0 * 3800).astype(np.int64),
            "success": success.astype(float),
            "value_cents": success * order.astype(float),
        }
    )
    return Campaign(rows, chances, propensity, done, order)


def judged(one: Campaign, seed: int) -> dict[str, float]:
    """Whether each truth is inside its interval."""
    policy = (one.rows["arm"] == "policy").to_numpy()
    planned = one.rows.with_columns(action_id="planned_action_id")
    plan = (one.rows["planned_action_id"] == ACTIONS[1]).to_numpy() + 1
    compared = compare(planned.filter(pl.col("arm").is_in(["policy", "holdout"])))
    if compared is None:
        raise RuntimeError("an arm is empty")
    rows = np.arange(len(plan))
    effect = (one.chances[rows, plan] - one.chances[:, 0])[policy].mean()
    order = float(np.exp(8 + 0.7**2 / 2))
    covered = {
        "rate_coverage": compared.rate.low <= effect <= compared.rate.high,
        "value_coverage": compared.value.low <= effect * order <= compared.value.high,
    }
    covered |= off_policy(one, seed)
    print(seed, {name: int(inside) for name, inside in covered.items()}, file=sys.stderr)
    return {name: float(inside) for name, inside in covered.items()}


def off_policy(one: Campaign, seed: int) -> dict[str, bool]:
    """Value of a policy that was never run: e-mail where the score is low, else a call or none."""
    p = one.rows["p_value"].to_numpy()
    chosen = np.select([p < 0.2, p > 0.6], [1, 0], 2)
    truth = one.chances[np.arange(len(chosen)), chosen].mean()
    who = one.rows["customer_id"].cast(pl.Int64).to_numpy()
    features = np.column_stack([p, p * p])
    past = Past(features, one.done, one.propensity, one.rows["success"].to_numpy(), who)
    found = evaluate_policy(past, chosen)
    named = {"ips": found.ips, "snips": found.snips, "dr": found.dr}
    return {f"{name}_coverage": e.low <= truth <= e.high for name, e in named.items()}


def claimed(one: Campaign) -> bool:
    """Whether an effect is claimed for any action, where none has one."""
    found = measure(one.rows, JUDGED).filter(pl.col("scope") == "action")
    return bool(found["verdict"].is_in(["raises", "lowers"]).any())


if __name__ == "__main__":
    main()
