"""The section of ``params.yaml`` that delivering reads."""

from pydantic import Field

from features.records import Record


class DeliverParams(Record):
    """How long the report's tables are."""

    top_rows: int = Field(ge=1, le=50)
