"""The sections of ``params.yaml`` that features and labels read."""

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from features.records import Record

Days = Annotated[int, Field(ge=1, le=3650)]


class FeatureParams(Record):
    """Windows, half-lives and dimensions of the features."""

    windows_days: list[Days] = Field(min_length=1)
    half_lives_days: list[Days] = Field(min_length=1)
    score_half_life_days: Days
    channels: list[str] = Field(min_length=1)
    gap_prior_count: int = Field(ge=0, le=100)
    rows_per_bucket: int = Field(ge=1)


class ChurnParams(Record):
    """The churn label: population, pause and window."""

    horizon_days: Days
    gap_days: int = Field(ge=0, le=365)
    lookback_days: Days

    @property
    def reach(self) -> timedelta:
        """From an as-of date to the end of its label window."""
        return timedelta(days=self.gap_days + self.horizon_days)


class CutoffParams(Record):
    """The past as-of dates that models learn from."""

    count: int = Field(ge=1, le=60)
    step_days: Days
    min_history_days: Days


class Cutoffs(Record):
    """As-of dates of one training: oldest first, then the out-of-time test, then now."""

    train: list[date]
    test: date | None
    now: date
