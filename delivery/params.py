"""The section of ``params.yaml`` that delivering reads."""

from typing import Annotated

from pydantic import AfterValidator, Field

from delivery.formats import locale
from features.records import Record


def _known(code: str) -> str:
    locale(code)
    return code


class DeliverParams(Record):
    """Which files are made, how numbers are printed, and the limits of both."""

    platforms: tuple[str, ...]
    max_suppression_age_days: int = Field(ge=0, le=365)
    locale: Annotated[str, AfterValidator(_known)]
    top_rows: int = Field(ge=1, le=50)
    top_customers: int = Field(ge=0, le=2000)
