"""Whether columns are distributed as they were: effect size, and whether chance explains it.

The population stability index (Siddiqi 2006, Credit Risk Scorecards: below 0.1 small, from 0.25
on large) says how far; a chi-square test with Holm's correction over all columns says whether it
is more than chance.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2_contingency

from features.finding import Finding, Severity
from features.params import MonitorParams

BINS = 10
SURE = 0.01
NAMED = 5
SMALLEST = 1e-4  # share of an empty bin, so that the index stays finite


class Histogram(NamedTuple):
    """A column's distribution, without anybody's value.

    Attributes
    ----------
    edges : list of float
        Inner edges of the bins, increasing; a value on an edge lies above it.
    counts : list of int
        One more than edges, and the number of empty cells last.
    """

    edges: list[float]
    counts: list[int]


class Drift(NamedTuple):
    """How far a column moved, and the probability of that by chance, corrected."""

    column: str
    psi: float
    p: float


def histogram(values: np.ndarray, edges: Sequence[float] | None = None) -> Histogram:
    """Count values by bin.

    Parameters
    ----------
    values : array, shape (n,)
        NaN is an empty cell.
    edges : sequence of float, optional
        Those of the distribution to compare with; by default the deciles of `values`.
    """
    known = values[~np.isnan(values)]
    if edges is None:
        edges = _edges(known)
    bins = np.searchsorted(edges, known, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return Histogram(list(edges), [*counts.tolist(), int(np.isnan(values).sum())])


def _edges(known: np.ndarray) -> list[float]:
    """Between the values at the deciles and those next below: small moves cross no edge."""
    values = np.unique(known)
    if values.size < 2:
        return []
    places = np.searchsorted(values, np.quantile(known, np.arange(1, BINS) / BINS, method="lower"))
    above = np.unique(places[places > 0])
    return ((values[above] + values[above - 1]) / 2).tolist()


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """Population stability index of two columns of counts, 0 or more."""
    shares = [np.maximum(np.asarray(c) / np.sum(c), SMALLEST) for c in (before, now)]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def drifts(before: Mapping[str, Histogram], now: Mapping[str, np.ndarray]) -> list[Drift]:
    """How far each column that both have moved, furthest first.

    Parameters
    ----------
    before : mapping of str to Histogram
    now : mapping of str to array, shape (n,)
    """
    both = [name for name in before if name in now]
    counts = {name: (before[name].counts, histogram(now[name], before[name].edges).counts)
              for name in both}  # fmt: skip
    p = holm([_chance(*pair) for pair in counts.values()])
    found = [Drift(n, psi(*c), q) for (n, c), q in zip(counts.items(), p, strict=True)]
    return sorted(found, key=lambda drift: (-drift.psi, drift.column))


def holm(p: Sequence[float]) -> list[float]:
    """Probabilities corrected for their number (Holm 1979), in the order given."""
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    factors = len(p) - np.arange(len(p))
    raised = np.maximum.accumulate(np.asarray(p, dtype=float)[order] * factors)
    corrected[order] = np.minimum(raised, 1.0)
    return corrected.tolist()


def _chance(before: Sequence[int], now: Sequence[int]) -> float:
    table = np.array([before, now])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    _, p, *_ = chi2_contingency(table)
    return float(p)  # pyright: ignore[reportArgumentType]


def drift_finding(
    check: str, found: Sequence[Drift], customers: tuple[int, int], params: MonitorParams
) -> Finding:
    """One finding for all columns.

    Parameters
    ----------
    check : str
    found : result of `drifts`
    customers : tuple of int
        Before and now; fewer than ``min_customers`` in either are not judged.
    params : MonitorParams
    """
    if min(customers) < params.min_customers:
        return Finding(check, "ok", f"too few customers to judge: {min(customers):,}")
    sure = [drift for drift in found if drift.p < SURE and drift.psi >= params.warn_psi]
    if not sure:
        return Finding(check, "ok", f"{len(found)} columns are distributed as in the last run")
    severity: Severity = "error" if sure[0].psi >= params.error_psi else "warning"
    named = ", ".join(f"{drift.column} {drift.psi:.2f}" for drift in sure[:NAMED])
    words = f"{len(sure)} of {len(found)} columns moved since the last run (index {named})"
    return Finding(check, severity, words)
