"""The section of ``params.yaml`` that delivering reads."""

from pydantic import Field

from features.records import Record


class DeliverParams(Record):
    """Which files are made, how fresh suppressions must be, how long the report's tables are."""

    platforms: tuple[str, ...]
    max_suppression_age_days: int = Field(ge=0, le=365)
    top_rows: int = Field(ge=1, le=50)
    top_customers: int = Field(ge=0, le=2000)
