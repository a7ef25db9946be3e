"""MLflow: one store, opened without telemetry, and models by name and alias."""

import hashlib
import io
import json
import logging
import os
from contextlib import redirect_stderr
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

from features.errors import ConfigurationError, NoChampionError, RefusedError
from pipelines.ending import storage_error
from pipelines.leftovers import remove, unfinished_stores
from pipelines.lock import locked
from pipelines.params import TrackingParams

MODEL = "model.skops"
CHAMPION, CHALLENGER = "champion", "challenger"
DIGEST, FINGERPRINT, LABEL = "keepwell.sha256", "keepwell.fingerprint", "keepwell.label"
FOLDER, LIBRARIES = "keepwell.folder_sha256", "keepwell.libraries"
ADDED = "registered_model_meta"  # MLflow writes it into what it downloads
EXACT = ("lightgbm", "scikit-learn", "skops")  # a model means the same in these versions alone
SQLITE = "sqlite:///"
MAKING_SECONDS = 300.0  # making the database takes ten seconds, or some minutes on a busy machine
REQUIREMENTS = ("keepwell", "lightgbm", "scikit-learn", "scipy", "skops", "numpy", "pandas")


class Registered(NamedTuple):
    """A registered model version, resolved once.

    Attributes
    ----------
    name, version : str
    sha256 : str
        Digest of the artefact, kept in the registry, outside the artefact.
    fingerprint : str
        Digest of the model that does not depend on when and where it was trained.
    label : str
        The label that it was trained for, as JSON.
    run_id : str
        MLflow run that judged it.
    """

    name: str
    version: str
    sha256: str
    fingerprint: str
    label: str
    run_id: str

    @property
    def spoken(self) -> str:
        """Name and fingerprint, for files: the same model has the same name in every registry."""
        return f"{self.name}@{self.fingerprint[:12]}"


def quiet() -> None:
    """Switch off what MLflow and DVC send home, before either is imported."""
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        DVC_NO_ANALYTICS="1",
        MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    )


def open_store(params: TrackingParams, root: Path) -> Any:
    """The ``mlflow`` module, bound to the project's store and experiment.

    A relative SQLite path is relative to the project, not to the current folder.

    Raises
    ------
    ConfigurationError
        If the store is of another version of MLflow, or damaged.
    """
    quiet()
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is raised; rows stay out
    uri = _absolute(params.uri, root)
    location = _absolute_folder(params.artifacts, root) if uri.startswith(SQLITE) else None
    file = _file_of(uri)
    try:
        if file and not file.exists():
            _make_store(mlflow, file, params.experiment, location)
        _bind(mlflow, uri, params.experiment, location)
    except (MlflowException, SQLAlchemyError) as error:
        if storage_error(error):
            raise
        raise ConfigurationError(
            f"{file.name if file else 'tracking.uri'}: MLflow cannot open its store. Got "
            f"{str(error).splitlines()[0]:.160}. `keepwell doctor` names the command that mends it."
        ) from error
    return mlflow


def is_begun(params: TrackingParams, root: Path) -> bool:
    """Whether there can be models: False only for a SQLite store that nobody has made yet."""
    file = store_file(params, root)
    return file is None or file.exists()


def store_file(params: TrackingParams, root: Path) -> Path | None:
    """The file of a SQLite store; None for a server."""
    return _file_of(_absolute(params.uri, root))


def _file_of(uri: str) -> Path | None:
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def _make_store(mlflow: Any, file: Path, experiment: str, location: str | None) -> None:
    """Make the database once, under a lock and aside: two at a time would spoil it for good."""
    with locked(file.parent, wait_seconds=MAKING_SECONDS, name=f"{file.name}.lock"):
        if file.exists():
            return
        remove(unfinished_stores(file))
        aside = file.with_name(f"{file.name}.{os.getpid()}.new")
        _bind(mlflow, f"{SQLITE}{aside}", experiment, location)
        aside.replace(file)


def _bind(mlflow: Any, uri: str, experiment: str, location: str | None) -> None:
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    if mlflow.get_experiment_by_name(experiment) is None:
        mlflow.create_experiment(experiment, artifact_location=location)
    mlflow.set_experiment(experiment)


def register(
    mlflow: Any, name: str, model: Any, *, example: Any, fingerprint: str, label: str
) -> Registered:
    """Log a model to the active run and register it, with all its tags, under no alias yet."""
    from mlflow.models import infer_signature

    from pipelines.artifacts import TRUSTED

    answers = getattr(model, "predict_proba", None) or model.predict
    signature = infer_signature(example, answers(example))
    with redirect_stderr(io.StringIO()):  # chatter, which could hold rows of the example
        info = mlflow.sklearn.log_model(
            model,
            name=name,
            serialization_format="skops",
            skops_trusted_types=list(TRUSTED),
            signature=signature,
            pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
        )
        folder = Path(mlflow.artifacts.download_artifacts(info.model_uri))
    sha256 = hashlib.sha256((folder / MODEL).read_bytes()).hexdigest()
    tags = {
        DIGEST: sha256, FINGERPRINT: fingerprint, LABEL: label, FOLDER: _folder_digest(folder),
        LIBRARIES: json.dumps({library: installed(library) for library in EXACT}),
    }  # fmt: skip
    with redirect_stderr(io.StringIO()):
        version = str(mlflow.register_model(info.model_uri, name, tags=tags).version)
    return Registered(name, version, sha256, fingerprint, label, info.run_id)


def challenge(mlflow: Any, model: Registered) -> None:
    """Make a version the challenger."""
    mlflow.MlflowClient().set_registered_model_alias(model.name, CHALLENGER, model.version)


def promote(mlflow: Any, model: Registered) -> None:
    """Make a version the champion."""
    mlflow.MlflowClient().set_registered_model_alias(model.name, CHAMPION, model.version)


def champion(mlflow: Any, name: str) -> Registered | None:
    """The version that carries the alias ``champion``, or None."""
    return _resolve(mlflow, name, CHAMPION)


def find(mlflow: Any, name: str, version: str) -> Registered:
    """A registered version by its number, or the challenger where `version` is empty.

    Raises
    ------
    NoChampionError
        If there is no such version.
    """
    found = _resolve(mlflow, name, version or CHALLENGER)
    if found is None:
        raise NoChampionError(
            f"{name}: no such version. Got {version or CHALLENGER!r}. Expected the number of a "
            f"registered version. Train one: `keepwell run --train always`."
        )
    return found


def artifact(mlflow: Any, model: Registered, name: str) -> str:
    """The text of a file that was logged to the run which judged a model."""
    return Path(mlflow.artifacts.download_artifacts(f"runs:/{model.run_id}/{name}")).read_text()


def challenger(mlflow: Any, name: str) -> Registered | None:
    """The version that carries the alias ``challenger``, or None."""
    return _resolve(mlflow, name, CHALLENGER)


def load(mlflow: Any, model: Registered) -> Any:
    """A registered model, its digest and types checked before anything of it runs."""
    from pipelines.artifacts import load_model

    return load_model(fetch(mlflow, model.name, model.version), model.sha256)


def _resolve(mlflow: Any, name: str, alias_or_number: str) -> Registered | None:
    from mlflow.exceptions import MlflowException

    client = mlflow.MlflowClient()
    numbered = alias_or_number.isdigit()
    look_up = client.get_model_version if numbered else client.get_model_version_by_alias
    try:
        found = look_up(name, alias_or_number)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    tags = found.tags
    return Registered(
        name, str(found.version), tags[DIGEST], tags[FINGERPRINT], tags[LABEL], found.run_id
    )


def fetch(mlflow: Any, name: str, version: str) -> Path:
    """The artefact of a registered version; of the folder around it, not a byte was changed.

    Raises
    ------
    RefusedError
        If the folder is not the one that was registered, or the model was made with other versions
        of the libraries that give it its meaning.
    """
    tags = mlflow.MlflowClient().get_model_version(name, version).tags
    _check_libraries(f"{name} version {version}", other_libraries(tags))
    folder = _downloaded(mlflow, name, version)
    digest = _folder_digest(folder)
    if digest != tags[FOLDER]:
        raise RefusedError(
            f"model {name} version {version}: not the folder that was registered. Got SHA-256 "
            f"{digest[:12]}. Expected {tags[FOLDER][:12]}. Train again, or restore the artefact."
        )
    return folder / MODEL


def readable(mlflow: Any, model: Registered) -> bool:
    """Whether a model was made with the libraries that are installed."""
    tags = mlflow.MlflowClient().get_model_version(model.name, model.version).tags
    return not other_libraries(tags)


def other_libraries(tags: dict[str, str]) -> dict[str, str]:
    """Libraries, and the versions that a model was made with, where others are installed."""
    made_with = json.loads(tags.get(LIBRARIES, "{}"))
    known = {name: made_with.get(name, "unknown") for name in EXACT}
    return {name: version for name, version in known.items() if version != installed(name)}


def _check_libraries(model: str, other: dict[str, str]) -> None:
    if not other:
        return
    got = ", ".join(f"{name} {installed(name)}" for name in other)
    expected = ", ".join(f"{name} {version}" for name, version in other.items())
    raise RefusedError(
        f"model {model}: made with other libraries. Got {got}. Expected {expected}. "
        "Install those versions, or train again: `keepwell run --train always`."
    )


def _downloaded(mlflow: Any, name: str, version: str) -> Path:
    return Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}"))


def _folder_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files, in order."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != ADDED):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder)} {content}\n".encode())
    return digest.hexdigest()


def _absolute(uri: str, root: Path) -> str:
    if not uri.startswith(SQLITE) or uri.startswith(f"{SQLITE}/"):
        return uri
    return f"{SQLITE}{(root / uri.removeprefix(SQLITE)).resolve()}"


def _absolute_folder(artifacts: str, root: Path) -> str:
    return artifacts if "://" in artifacts else (root / artifacts).resolve().as_uri()
