"""What of judged models is logged and registered, and which of them become champions.

The aliases move last, when all that is known of a champion is kept: whichever call to MLflow fails,
the champions of before stay, and the same command can be run again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from delivery.card import card_html, card_markdown, model_card
from delivery.charts import figure_svg
from delivery.risk import calibration_figure
from features.errors import StorageError
from features.params import ChurnParams
from models.evaluation import Judged
from models.gate import Verdict
from pipelines import tracking
from pipelines.champions import EVALUATION
from pipelines.ending import storage_error


class Trial(NamedTuple):
    """A judged model.

    Attributes
    ----------
    kind, name : str
        What it predicts, and its name in the registry.
    model : fitted model
    fingerprint : str
    label : str
        The label that it was trained for, as JSON.
    example : table
        Some rows that it reads.
    judged : Judged
    facts : dict
        What else its evaluation says.
    """

    kind: str
    name: str
    model: Any
    fingerprint: str
    label: str
    example: Any
    judged: Judged
    facts: dict[str, Any]


class Settled(NamedTuple):
    """What became of a model, who is champion then, and to which versions the aliases move."""

    verdict: Verdict
    champion: tracking.Registered | None
    challenges: tracking.Registered | None = None
    promoted: tracking.Registered | None = None


def recorded(
    mlflow: Any, run_name: str, params: dict[str, Any], trials: list[Trial], absent: dict[str, Any]
) -> dict[str, Any]:
    """Log and register what was judged, then promote what may be.

    Parameters
    ----------
    mlflow : result of tracking.open_store
    run_name : str
    params : dict
        What the run is logged with.
    trials : list of Trial
    absent : dict
        Evaluations of the kinds that are not on trial.

    Returns
    -------
    dict
        The evaluation of every kind, as it is logged.

    Raises
    ------
    StorageError
        If a call to MLflow fails; no champion was changed that is not logged whole.
    """
    with _failing_clearly():
        with mlflow.start_run(run_name=run_name):
            mlflow.log_params(params)
            settled = {trial.kind: _settled(mlflow, trial) for trial in trials}
            told = {t.kind: _evaluation(t, settled[t.kind]) for t in trials}
            for trial in trials:
                _log_card(mlflow, trial, told[trial.kind])
            evaluation = absent | told
            mlflow.log_dict(evaluation, EVALUATION)
        for one in settled.values():
            _move_aliases(mlflow, one)
    return evaluation


@contextmanager
def _failing_clearly() -> Iterator[None]:
    """One line, no traceback; a message of MLflow's could hold rows, so it is left out."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError) as error:
        if storage_error(error):
            raise
        code = getattr(error, "error_code", None)
        raise StorageError(
            f"tracking.uri: a call to MLflow failed. Got {type(error).__name__}"
            f"{f' ({code})' if code else ''}. Expected that every model and figure can be logged. "
            "The champions that are not logged whole stay as they were. Look at the tracking "
            "server, then run the same command again."
        ) from error


def _move_aliases(mlflow: Any, settled: Settled) -> None:
    if settled.challenges:
        tracking.challenge(mlflow, settled.challenges)
    if settled.promoted:
        tracking.promote(mlflow, settled.promoted)


def _settled(mlflow: Any, trial: Trial) -> Settled:
    """Log and register a model; one that is registered already is not registered again."""
    _log_metrics(mlflow, trial)
    verdict, now = trial.judged.verdict, tracking.champion(mlflow, trial.name)
    if now and _is_same(trial, now):
        return Settled(Verdict(True, verdict.why), now)
    latest = tracking.challenger(mlflow, trial.name)
    if latest is None or not _is_same(trial, latest):
        latest = tracking.register(
            mlflow, trial.name, trial.model, example=trial.example,
            fingerprint=trial.fingerprint, label=trial.label,
        )  # fmt: skip
    if now and now.label != trial.label:
        why = (
            f"the champion answers another question ({_question(now.label)}), so it stays; this "
            f"one is registered as challenger: `keepwell promote {trial.kind}` replaces it"
        )
        return Settled(Verdict(False, why), now, latest)
    if not verdict.promote:
        return Settled(verdict, now, latest)
    return Settled(verdict, latest, latest, promoted=latest)


def _is_same(trial: Trial, registered: tracking.Registered) -> bool:
    return (registered.fingerprint, registered.label) == (trial.fingerprint, trial.label)


def _question(label: str) -> str:
    churn = ChurnParams.model_validate_json(label)
    return f"the next {churn.horizon_days} days, look-back {churn.lookback_days} days"


def _evaluation(trial: Trial, settled: Settled) -> dict[str, Any]:
    judged, champion = trial.judged, settled.champion
    return {
        **trial.facts,
        "rows": judged.rows,
        "gain": judged.gain,
        "calibration": judged.calibration,
        "champion": champion and {"name": champion.name, "version": champion.version},
        "promoted": settled.verdict.promote,
        "why": settled.verdict.why,
    }


def _log_card(mlflow: Any, trial: Trial, test: dict[str, Any]) -> None:
    card = model_card(trial.kind, f"{trial.name}@{trial.fingerprint[:12]}", test)
    mlflow.log_text(card_markdown(card), f"{trial.kind}_card.md")
    mlflow.log_text(card_html(card), f"{trial.kind}_card.html")


def _log_metrics(mlflow: Any, trial: Trial) -> None:
    for row in trial.judged.rows:
        mlflow.log_metrics(
            {f"{trial.kind}.{row['model']}.{k}": v for k, v in row.items() if k != "model"}
        )
    figure = calibration_figure(trial.judged.calibration)
    if figure:
        mlflow.log_text(figure_svg(figure), f"{trial.kind}_calibration.svg")
