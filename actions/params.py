"""The section of ``params.yaml`` that recommending reads."""

from typing import Self

from pydantic import Field, model_validator

from features.records import Record


class RecommendParams(Record):
    """Budget, margin and the shares of the arms."""

    budget_cents: int = Field(ge=0)
    margin_rate: float = Field(gt=0, le=1)
    kept_value_days: int = Field(ge=1, le=3650)
    holdout_share: float = Field(ge=0, le=0.5)
    random_share: float = Field(ge=0, le=0.5)
    usual_share: float = Field(ge=0, le=0.5)
    holdout_salt: str = Field(min_length=1)

    @model_validator(mode="after")
    def _some_are_left(self) -> Self:
        used = self.holdout_share + self.random_share + self.usual_share
        if used > 0.9:
            raise ValueError(
                f"holdout_share, random_share and usual_share leave too few for the policy. Got "
                f"{used:g} together. Expected at most 0.9. Lower one"
            )
        return self


class MeasureParams(Record):
    """When a comparison is judged, and how far the stages may differ."""

    min_per_arm: int = Field(ge=2)
    stage_sd_share: float = Field(gt=0, le=2)
