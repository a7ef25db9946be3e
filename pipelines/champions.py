"""Which registered models are champions, resolved once a run, and how each was judged."""

import json
from pathlib import Path
from typing import Any

from models.scoring import Champion, Champions
from pipelines import tracking
from pipelines.tables import present, write_text

EVALUATION, CHAMPIONS = "evaluation.json", "champions.json"
KINDS = ("churn", "stage", "level")


def resolve_champions(out: Path, params: tracking.TrackingParams, root: Path) -> bool:
    """Write which versions are champions now, and how each was judged when it was promoted.

    Returns
    -------
    bool
        Whether there is a churn champion.
    """
    mlflow = tracking.open_store(params, root)
    champions = champions_of(mlflow, params.experiment)
    evaluation = {
        kind: json.loads(tracking.artifact(mlflow, now, EVALUATION))[kind]
        if now
        else nothing("there is no champion")
        for kind, now in champions.items()
    }
    write_champions(champions, evaluation, out)
    return champions["churn"] is not None


def champions_of(mlflow: Any, prefix: str) -> dict[str, tracking.Registered | None]:
    """The champion of each kind of model, or None."""
    return {kind: tracking.champion(mlflow, f"{prefix}-{kind}") for kind in KINDS}


def nothing(why: str) -> dict[str, Any]:
    """The evaluation of a model that does not exist."""
    return {"rows": [], "gain": None, "promoted": False, "champion": None, "why": why}


def write_champions(
    champions: dict[str, tracking.Registered | None], evaluation: dict[str, Any], out: Path
) -> None:
    """Write ``champions.json`` and ``evaluation.json``."""
    named = {kind: now and now._asdict() for kind, now in champions.items()}
    for content, name in ((evaluation, EVALUATION), (named, CHAMPIONS)):
        write_text(json.dumps(content, indent=2) + "\n", out / name)


def load_champions(path: Path, params: tracking.TrackingParams, root: Path) -> Champions:
    """The champions named in a file that `evaluate` wrote, each checked before it is loaded."""
    named = json.loads(present(path, "champions").read_text())
    if not any(named.values()):
        return Champions(None, None, None)
    mlflow = tracking.open_store(params, root)
    loaded = {}
    for kind, fields in named.items():
        version = tracking.Registered(**fields) if fields else None
        loaded[kind] = version and Champion(tracking.load(mlflow, version), version.spoken)
    return Champions(**loaded)
