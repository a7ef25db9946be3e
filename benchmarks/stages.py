"""The next stage and level on The Complete Journey and on a simulated company, out of time.

``python -m benchmarks.stages`` trains as ``keepwell train`` does, with the repository's own
parameters, and judges on the last cutoff beside "stays" and the transition table. A gain is against
the better of the two, metric by metric, with its paired 95 % interval over customers. It needs the
extra ``demo`` (The Complete Journey).
"""

import argparse
import shutil
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.record import Goal, line
from features.schemas import LABELS
from models.baselines import look_up, stays_table, transition_table
from models.evaluation import OURS
from models.metrics import Interval, class_log_losses, macro_f1, paired_interval
from models.standing import fit_standing, probabilities, standing_columns
from pipelines import steps
from pipelines.examples import Standing, classes, columns_of, labelled, standing_examples
from pipelines.features import read_cutoffs
from pipelines.project import Project
from pipelines.simulate import simulate_project
from pipelines.tables import read
from pipelines.train import STANDINGS

ROOT = Path(__file__).resolve().parent.parent
GOALS = [
    Goal(f"{data}_{kind}_{metric}_gain_low", 0, ">=")
    for data in ("completejourney", "simulation")
    for kind in ("stage", "level")
    for metric in ("log_loss", "macro_f1")
]


class Rows(NamedTuple):
    """The cutoffs to learn from, and the one that judges."""

    project: Project
    known: pl.DataFrame
    test: pl.DataFrame


def main() -> None:
    """Judge both models on both data sets and print the figures."""
    reader = argparse.ArgumentParser(description="Judge the forecasts of stage and level.")
    reader.add_argument("--customers", type=int, default=3000, help="of the simulated company")
    reader.add_argument("--seed", type=int, default=0)
    asked = reader.parse_args()
    figures: dict[str, float] = {}
    with TemporaryDirectory() as folder:
        for root in (demo(Path(folder)), simulated(Path(folder), asked.customers, asked.seed)):
            rows = prepared(Project(root))
            for standing in STANDINGS:
                found = judged(rows, standing)
                print(root.name, standing.name, found, file=sys.stderr)
                name = f"{root.name}_{standing.name}"
                figures |= {f"{name}_{key}": round(value, 5) for key, value in found.items()}
    print(line("stages", figures, GOALS))


def demo(folder: Path) -> Path:
    """A project of The Complete Journey with the repository's own configuration."""
    root = folder / "completejourney"
    shutil.copytree(ROOT / "catalogue", root / "catalogue")
    shutil.copy(ROOT / "params.yaml", root)
    return root


def simulated(folder: Path, customers: int, seed: int) -> Path:
    """A project of a simulated company with two years of history."""
    root = folder / "simulation"
    until = date(2026, 1, 1)
    simulate_project(ROOT, root, customers=customers, seed=seed, until=until, days=730)
    return root


def prepared(project: Project) -> Rows:
    """Snapshots joined to labels: the past cutoffs, and the one after them."""
    paths = project.paths("state")
    steps.ingest(project, paths)
    steps.features(project, paths, project.params.run.as_of)
    steps.labels(project, paths)
    cutoffs, labels = read_cutoffs(paths.features), read(paths.labels, LABELS)
    assert cutoffs.test is not None
    known = labelled(paths.features, labels, cutoffs.train)
    return Rows(project, known, labelled(paths.features, labels, [cutoffs.test]))


def judged(rows: Rows, standing: Standing) -> dict[str, float]:
    """Metrics of the model and of both baselines, and the gains over the better one."""
    params = rows.project.params
    following = classes(rows.test, f"{standing.name}_next")
    predictions = predicted(rows, standing)
    found: dict[str, float] = {"customers": len(following)}
    for model, p in predictions.items():
        found[f"{model}_log_loss"] = float(class_log_losses(following, p, standing.classes).mean())
        found[f"{model}_macro_f1"] = macro_f1(following, p, standing.classes)
    samples, seed = params.gate.bootstrap_samples, params.run.seed
    for metric, gain in gains(following, predictions, standing.classes, samples, seed).items():
        ends = gain._asdict().items()
        found |= {f"{metric}_gain_{end}": value for end, value in ends}
    return found


def predicted(rows: Rows, standing: Standing) -> dict[str, np.ndarray]:
    """P(next class) at the test by the model and by each baseline, all from the past cutoffs."""
    params, order = rows.project.params, standing.classes
    columns = columns_of(rows.project.definitions)
    x, after, _ = standing_examples(rows.known, columns, standing)
    test = standing_examples(rows.test, columns, standing).x
    before, now = (classes(part, standing.name) for part in (rows.known, rows.test))
    model = fit_standing(x.loc[:, standing_columns(x)], after, params.train, params.run.seed)
    return {
        OURS: probabilities(model, test, order),
        "stays": look_up(stays_table(before, after, len(order)), now, order),
        "transition_table": look_up(transition_table(before, after, order), now, order),
    }


def gains(
    following: np.ndarray,
    predictions: dict[str, np.ndarray],
    order: tuple[str, ...],
    samples: int,
    seed: int,
) -> dict[str, Interval]:
    """Over the better baseline of each metric; positive where the model is better."""
    losses = {m: class_log_losses(following, p, order) for m, p in predictions.items()}
    bars = [name for name in predictions if name != OURS]
    sharp = min(bars, key=lambda name: losses[name].mean())
    right = max(bars, key=lambda name: macro_f1(following, predictions[name], order))

    def f1(name: str, i: np.ndarray) -> float:
        return macro_f1(following[i], predictions[name][i], order)

    n, saved = len(following), losses[sharp] - losses[OURS]
    return {
        "log_loss": paired_interval(lambda i: float(saved[i].mean()), n, samples, seed),
        "macro_f1": paired_interval(lambda i: f1(OURS, i) - f1(right, i), n, samples, seed),
    }


if __name__ == "__main__":
    main()
