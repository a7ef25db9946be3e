"""The sections of ``params.yaml`` that features, labels and monitoring read."""

from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from features.records import Record

Days = Annotated[int, Field(ge=1, le=3650)]

NEEDED_WINDOWS_DAYS = (90, 365)  # features of other layers read these two


class FeatureParams(Record):
    """Windows and half-lives of the features."""

    windows_days: list[Days] = Field(min_length=1)
    half_lives_days: list[Days] = Field(min_length=1)
    score_half_life_days: Days
    history_days: Days
    gap_prior_count: int = Field(ge=0, le=100)
    rows_per_bucket: int = Field(ge=1)

    @model_validator(mode="after")
    def _names_are_complete_and_unique(self) -> Self:
        given = ", ".join(map(str, self.windows_days))
        if not set(NEEDED_WINDOWS_DAYS) <= set(self.windows_days):
            raise ValueError(f"windows_days: Got {given}. Expected 90 and 365 among them.")
        if self.history_days < max(self.windows_days):
            raise ValueError(
                f"history_days: Got {self.history_days}. Expected at least the longest window, "
                f"{max(self.windows_days)}."
            )
        for key in ("windows_days", "half_lives_days"):
            values = getattr(self, key)
            twice = sorted({str(v) for v in values if values.count(v) > 1})
            if twice:
                raise ValueError(f"{key}: given twice: {', '.join(twice)}. Remove one.")
        return self


class ChurnParams(Record):
    """The churn label: population, pause and window."""

    horizon_days: Days
    gap_days: int = Field(ge=0, le=365)
    lookback_days: Days

    @property
    def reach(self) -> timedelta:
        """From an as-of date to the end of its label window."""
        return timedelta(days=self.gap_days + self.horizon_days)


class StageParams(Record):
    """Where the stages come from that are reported, learned and forecast."""

    label_source: Literal["rules", "own"]


class CutoffParams(Record):
    """The past as-of dates that models learn from."""

    count: int = Field(ge=1, le=60)
    step_days: Days
    min_history_days: Days


class MonitorParams(Record):
    """When a run is unusual enough to be said, and what then."""

    weeks: int = Field(ge=4, le=52)
    min_events: int = Field(ge=1)
    min_volume_ratio: float = Field(gt=0, lt=1)
    max_volume_ratio: float = Field(gt=1)
    min_customers: int = Field(ge=2)
    warn_psi: float = Field(gt=0)
    error_psi: float = Field(gt=0)
    max_flip_rate: float = Field(gt=0, le=1)
    max_calibration_gap: float = Field(gt=0, le=1)
    min_auc: float = Field(ge=0.5, lt=1)
    on_error: Literal["deliver", "refuse"]


class Cutoffs(Record):
    """The as-of dates of one run.

    Attributes
    ----------
    train : list of date
        Training cutoffs, oldest first.
    test : date or None
        The out-of-time test.
    before : date
        The latest date whose label window is complete.
    now : date
        The date of the run.
    """

    train: list[date]
    test: date | None
    before: date
    now: date
