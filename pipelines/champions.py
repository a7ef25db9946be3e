"""Which registered models are champions, resolved once a run, and how each was judged."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines import tracking
from pipelines.tables import present, write_text

if TYPE_CHECKING:
    from models.scoring import Champions

EVALUATION, CHAMPIONS = "evaluation.json", "champions.json"
KINDS = ("churn", "stage", "level", "value")


class ModelFile(NamedTuple):
    """Where a registered model lies, its digest, and its name for the files."""

    path: Path
    sha256: str
    name: str


def resolve_champions(out: Path, params: tracking.TrackingParams, root: Path) -> bool:
    """Write which versions are champions now, and how each was judged when it was promoted.

    Returns
    -------
    bool
        Whether there is a churn champion.
    """
    champions, evaluation = _current(params, root)
    write_champions(champions, evaluation, out)
    return champions["churn"] is not None


def _current(
    params: tracking.TrackingParams, root: Path
) -> tuple[dict[str, tracking.Registered | None], dict[str, Any]]:
    if not tracking.is_begun(params, root):  # nothing was ever trained: no store is made for that
        return dict.fromkeys(KINDS), {kind: nothing("there is no champion") for kind in KINDS}
    mlflow = tracking.open_store(params, root)
    champions = champions_of(mlflow, params.experiment)
    return champions, {
        kind: json.loads(tracking.artifact(mlflow, now, EVALUATION))[kind]
        if now
        else nothing("there is no champion")
        for kind, now in champions.items()
    }


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


def load_champions(
    path: Path, params: tracking.TrackingParams, root: Path, as_of: date
) -> "Champions":
    """The champions named in a file that `evaluate` wrote, each checked before it is loaded."""
    return load_files(champion_files(path, params, root), as_of)


def champion_files(
    path: Path, params: tracking.TrackingParams, root: Path
) -> dict[str, ModelFile | None]:
    """The artefacts of the champions named in a file that `evaluate` wrote; None for none."""
    named = json.loads(present(path, "champions").read_text())
    if not any(named.values()):
        return dict.fromkeys(KINDS)
    mlflow = tracking.open_store(params, root)
    versions = {kind: f and tracking.Registered(**f) for kind, f in named.items()}
    return {
        kind: v and ModelFile(tracking.fetch(mlflow, v.name, v.version), v.sha256, v.spoken)
        for kind, v in versions.items()
    }


def load_files(files: dict[str, ModelFile | None], as_of: date) -> "Champions":
    """Champions for an as-of date from their files, each checked before it is loaded."""
    from models.scoring import Champion, Champions
    from pipelines.artifacts import load_model

    loaded = {k: f and Champion(load_model(f.path, f.sha256), f.name) for k, f in files.items()}
    if loaded["churn"]:
        churn, name = loaded["churn"]
        loaded["churn"] = Champion(churn.on(as_of), name)
    return Champions(**loaded)
