"""Uplift on Hillstrom's randomised e-mail test, and on simulated arms with known effects.

``python -m benchmarks.uplift [--data ../shared/data] [--seeds 5]``

Half of the customers are learned from, the other half judges. Policies are valued by inverse
propensity weighting against the best single arm.
"""

import argparse
import sys
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from actions.intervals import Z
from actions.qini import qini, qini_interval
from actions.uplift import FOLDS, Trial, fit_line, learn, policy
from benchmarks.record import Goal, line

SAMPLES = 200
LEARNED, JUDGED = 200_000, 600_000  # simulated decisions; many to judge, so that the slope is sure
RANKED = 20_000  # of those who judge, for the intervals of the Qini
MENS, WOMENS = 1, 2
GOALS = [
    Goal("womens_visit_qini", 0.061, ">="),
    Goal("mens_visit_detectable_share", 0.5, "<="),
    Goal("visit_policies_significantly_below_best_arm", 0, "<="),
    Goal("spend_policies_significantly_below_best_arm", 0, "<="),
    Goal("simulated_qini_low", 0, ">="),
    Goal("simulated_qini_gain_over_risk_low", 0, ">="),
    Goal("simulated_decile_slope_lowest", 0.8, ">="),
    Goal("simulated_decile_slope_highest", 1.2, "<="),
]


class Test(NamedTuple):
    """A randomised test with three arms of equal propensity."""

    features: np.ndarray
    arm: np.ndarray
    outcome: np.ndarray
    risk: np.ndarray  # the ranking that it is compared with: a rule, or the churn risk


def main() -> None:
    """Learn and judge over the seeds and print the figures."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--data", type=Path, default=Path("../shared/data"))
    reader.add_argument("--seeds", type=int, default=5)
    asked = reader.parse_args()
    visit, spend = (hillstrom(asked.data, outcome) for outcome in ("visit", "spend"))
    figures = hillstrom_figures(visit, spend, asked.seeds)
    found = [simulated_figures(simulated(seed), seed) for seed in range(asked.seeds)]
    merged = {name: [row[name] for row in found] for name in found[0]}
    figures |= {
        "simulated_qini": float(np.mean(merged["qini"])),
        "simulated_risk_qini": float(np.mean(merged["risk_qini"])),
        "simulated_qini_low": min(merged["low"]),
        "simulated_qini_gain_over_risk_low": min(merged["gain_low"]),
        "simulated_decile_slope_lowest": min(merged["slope"]),
        "simulated_decile_slope_highest": max(merged["slope"]),
    }
    print(line("uplift", {name: round(value, 4) for name, value in figures.items()}, GOALS))


def hillstrom(folder: Path, outcome: str) -> Test:
    """The test of 2008: no e-mail, the men's and the women's, at random in thirds."""
    rows = pl.read_parquet(folder / "hillstrom" / "hillstrom.parquet")
    known = rows.select(
        "recency", pl.col("history").log().alias("log_history"), "history", "mens", "womens",
        "newbie",
        *((pl.col("zip_code") == name).alias(name) for name in ("Rural", "Urban")),
        *((pl.col("channel") == name).alias(name) for name in ("Phone", "Web")),
    )  # fmt: skip
    arm = rows["segment"].replace_strict({"No E-Mail": 0, "Mens E-Mail": 1, "Womens E-Mail": 2})
    return Test(
        known.cast(pl.Float64).to_numpy(),
        arm.to_numpy(),
        rows[outcome].to_numpy().astype(float),
        rows["womens"].to_numpy().astype(float),
    )


def hillstrom_figures(visit: Test, spend: Test, seeds: int) -> dict[str, float]:
    """Qini of both e-mails for visits, and what policies bring for visits and spend."""
    rows = []
    for seed in range(seeds):
        learn_from = np.random.default_rng(seed).random(len(visit.arm)) < 0.5
        row = {}
        for name, arm in (("mens", MENS), ("womens", WOMENS)):
            row |= {f"{name}_{k}": v for k, v in ranked(visit, arm, learn_from, seed).items()}
        for name, test in (("visit", visit), ("spend", spend)):
            row |= {f"{name}_{k}": v for k, v in valued(test, learn_from, seed).items()}
        print(seed, {name: round(value, 4) for name, value in row.items()}, file=sys.stderr)
        rows.append(row)
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    below = {
        f"{name}_policies_significantly_below_best_arm": sum(
            row[f"{name}_gain_high"] < 0 for row in rows
        )
        for name in ("visit", "spend")
    }
    return {
        "womens_visit_qini": mean["womens_qini"],
        "womens_visit_qini_of_rule": mean["womens_risk_qini"],
        "mens_visit_qini": mean["mens_qini"],
        "mens_visit_detectable_share": mean["mens_detectable"],
        "womens_visit_detectable_share": mean["womens_detectable"],
        **{f"{k}_policy_gain": mean[f"{k}_gain"] for k in ("visit", "spend")},
        **{f"{k}_heterogeneity_used_share": mean[f"{k}_used"] for k in ("visit", "spend")},
        **below,
    }


def trial(test: Test, rows: np.ndarray, seed: int) -> Trial:
    """The chosen rows as a trial with equal propensities."""
    n = int(rows.sum())
    fold = np.random.default_rng(1000 + seed).integers(0, FOLDS, n)
    third = np.full(n, 1 / 3)
    return Trial(test.features[rows], test.arm[rows], third, test.outcome[rows], fold)


def ranked(test: Test, arm: int, learn_from: np.ndarray, seed: int) -> dict[str, float]:
    """Qini of the learned ranking for one e-mail against none, on the half that judges."""
    learned, taught = trial(test, learn_from, seed), ~learn_from & np.isin(test.arm, [0, arm])
    gaps = learn(learned).scores
    score = fit_line(learned.features, gaps[:, arm] - gaps[:, 0]).at(test.features[taught])
    treated, outcome = test.arm[taught] == arm, test.outcome[taught]
    low, _ = qini_interval(score, treated, outcome, samples=SAMPLES, seed=seed)
    return {
        "qini": qini(score, treated, outcome),
        "risk_qini": qini(test.risk[taught], treated, outcome),
        "detectable": float(low > 0),
    }


def valued(test: Test, learn_from: np.ndarray, seed: int) -> dict[str, float]:
    """What the policy brings over the best single arm, on the half that judges."""
    own = trial(test, learn_from, seed)
    out = ~learn_from
    chosen, gain = policy(own, learn(own), test.features[out], np.zeros(2))
    arm, outcome = test.arm[out], test.outcome[out]
    gaps = 3 * outcome * ((arm == chosen).astype(float) - (arm == gain.best_arm))
    mean, error = float(gaps.mean()), float(gaps.std() / sqrt(len(gaps)))
    return {"gain": mean, "gain_high": mean + Z * error, "used": float(gain.low > 0)}


def simulated(seed: int) -> Test:
    """Three arms; effects grow with one trait, fall with another, and harm some."""
    draw, customers = np.random.default_rng(seed), LEARNED + JUDGED
    trait = draw.normal(size=(customers, 6))
    base = 1 / (1 + np.exp(1.2 - 0.8 * trait[:, 0] + 0.3 * trait[:, 1]))
    slope = 4 * base * (1 - base)
    first = slope * (0.03 + 0.05 * trait[:, 2])
    second = slope * (0.05 - 0.04 * trait[:, 3] + 0.02 * trait[:, 2])
    arm = draw.integers(0, 3, customers)
    p = np.clip(base + np.select([arm == 1, arm == 2], [first, second], 0), 0, 1)
    outcome = (draw.random(customers) < p).astype(float)
    return Test(trait, arm, outcome, 1 - base)


def simulated_figures(test: Test, seed: int) -> dict[str, float]:
    """Qini of the second action, beside ranking by churn risk, and calibration by decile."""
    learn_from = np.arange(len(test.arm)) < LEARNED
    out = ~learn_from & (test.arm != 1)
    effect = learn(trial(test, learn_from, seed)).effects[1].line
    score = effect.at(test.features[out])
    treated, outcome, risk = test.arm[out] == 2, test.outcome[out], test.risk[out]
    few = slice(RANKED)
    low, _ = qini_interval(score[few], treated[few], outcome[few], samples=SAMPLES, seed=seed)
    row = {
        "qini": qini(score, treated, outcome),
        "risk_qini": qini(risk, treated, outcome),
        "low": low,
        "gain_low": paired_gain_low(score[few], risk[few], treated[few], outcome[few], seed),
        "slope": decile_slope(score, treated, outcome),
    }
    print(seed, {name: round(value, 4) for name, value in row.items()}, file=sys.stderr)
    return row


def paired_gain_low(
    score: np.ndarray, other: np.ndarray, treated: np.ndarray, outcome: np.ndarray, seed: int
) -> float:
    """Lower end of the paired 95 % bootstrap interval of the difference of two Qinis."""
    draw, n = np.random.default_rng(seed), len(score)
    gaps = []
    for _ in range(SAMPLES):
        rows = draw.integers(0, n, n)
        w, y = treated[rows], outcome[rows]
        gaps.append(qini(score[rows], w, y) - qini(other[rows], w, y))
    return float(np.quantile(gaps, 0.025))


def decile_slope(score: np.ndarray, treated: np.ndarray, outcome: np.ndarray) -> float:
    """Slope of the measured on the predicted uplift over ten equal groups."""
    groups = np.array_split(np.argsort(score, kind="stable"), 10)
    predicted = [score[g].mean() for g in groups]
    measured = [outcome[g][treated[g]].mean() - outcome[g][~treated[g]].mean() for g in groups]
    return float(np.polyfit(predicted, measured, 1)[0])


if __name__ == "__main__":
    main()
