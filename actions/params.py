"""The section of ``params.yaml`` that recommending reads."""

from pydantic import Field

from features.records import Record


class RecommendParams(Record):
    """Budget, margin and holdout."""

    budget_cents: int = Field(ge=0)
    margin_rate: float = Field(gt=0, le=1)
    kept_value_days: int = Field(ge=1, le=3650)
    holdout_share: float = Field(ge=0, le=0.5)
    holdout_salt: str = Field(min_length=1)
