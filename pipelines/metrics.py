"""The small files that DVC's metrics and plots read."""

import json
from pathlib import Path
from typing import Any

from pipelines.tables import write_text


def write_reports(evaluation: dict[str, Any], reports: Path) -> None:
    """What ``dvc metrics show`` and ``dvc plots show`` read."""
    metrics = {
        kind: {row["model"]: {k: v for k, v in row.items() if k != "model"} for row in e["rows"]}
        for kind, e in evaluation.items()
    }
    _write(metrics, reports / "metrics.json")
    _write(evaluation["churn"].get("calibration", []), reports / "churn_calibration.json")
    beside = [
        {"model": f"{kind}: {row['model']}", "log_loss": row["log_loss"]}
        for kind, e in evaluation.items()
        for row in e["rows"]
        if "log_loss" in row
    ]
    _write(beside, reports / "log_loss.json")


def _write(content: Any, path: Path) -> None:
    write_text(json.dumps(content, indent=2) + "\n", path)
