"""The sections of ``params.yaml`` that the steps themselves read."""

from pydantic import Field

from features.records import Address, Record


class TrackingParams(Record):
    """Where MLflow keeps runs and models."""

    uri: Address
    artifacts: Address
    experiment: str


class SparkParams(Record):
    """Where Spark runs, if it is the engine."""

    master: str = Field(pattern=r"^(local(\[(\d+|\*)\])?|yarn|(spark|k8s)://\S+)$")
