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
    write_json(metrics, reports / "metrics.json")
    write_json(evaluation["churn"].get("calibration", []), reports / "churn_calibration.json")
    beside = [
        {"model": f"{kind}: {row['model']}", "log_loss": row["log_loss"]}
        for kind, e in evaluation.items()
        for row in e["rows"]
        if "log_loss" in row
    ]
    write_json(beside, reports / "log_loss.json")


def write_json(content: Any, path: Path) -> None:
    """Indented JSON, as DVC reads it."""
    write_text(json.dumps(content, indent=2) + "\n", path)
