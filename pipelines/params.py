"""The sections of ``params.yaml`` that the steps themselves read."""

from features.records import Record


class TrackingParams(Record):
    """Where MLflow keeps runs and models."""

    uri: str
    artifacts: str
    experiment: str
