"""The records of ``catalogue/actions.yaml``: channels, contact policy and actions."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from features.records import Record
from features.rules import Rule

Tactic = Literal[
    "interactive_content",
    "gamification",
    "personalised_experiences",
    "user_generated_content",
    "community_building",
    "experiential_marketing",
    "social_media_engagement",
    "loyalty_programme",
    "surveys_and_feedback",
    "seamless_omnichannel",
    "content_marketing",
    "paid_ads",
    "targeted_email",
    "exceptional_service",
    "referral_programme",
    "reviews_and_testimonials",
]
Goal = Literal["first_value", "next_value", "retain"]
EngagementType = Literal["transactional", "emotional", "social", "experiential"]
Stage = Literal["awareness", "acquisition", "engagement", "retention"]
Level = Literal["awareness", "interest", "engagement", "loyalty", "advocacy"]
Activity = Literal["new", "active", "at_risk", "lapsed", "won_back"]
Cents = Annotated[int, Field(ge=0)]


class Cap(Record):
    """At most `count` contacts in any `days` days before the as-of date."""

    count: int = Field(ge=0)
    days: int = Field(ge=1, le=30)


class Channel(Record):
    """Whether a channel needs consent, how often it may be used, and by how many in a run."""

    consent: bool
    cap: Cap | None = None
    capacity: int | None = Field(default=None, ge=0)


class QuietPeriod(Record):
    """No action for `days` days after one of `events`, but for what puts things right."""

    days: int = Field(ge=1, le=365)
    events: list[str] = Field(min_length=1)
    allowed_tactics: tuple[Tactic, ...] = ()


class Effect(Record):
    """The catalogue's prior for what the action changes.

    Attributes
    ----------
    points : float
        Change of the success probability, in percentage points, for a customer for whom success
        is a toss-up, of average affinity; `actions.sensitivity` says what it is for others.
    sd : float
        Standard deviation of that belief, in percentage points.
    source : str
        Where the figure comes from, or the word ``assumption``.
    """

    points: float = Field(ge=-50, le=50)
    sd: float = Field(gt=0, le=50)
    source: str = Field(min_length=1)


class Action(Record):
    """One thing that the company can do for a customer."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str
    tactic: Tactic
    engagement_type: EngagementType | None = None
    goal: Goal
    stages: list[Stage] = Field(min_length=1)
    levels: list[Level] = Field(min_length=1)
    activities: list[Activity] = Field(min_length=1)
    when: Rule = Rule()
    channels: dict[str, Cents] = Field(min_length=1)
    fixed_cents: Cents = 0
    incentive_cents: Cents = 0
    take_up: float = Field(default=0.0, ge=0, le=1)
    starts_on: date | None = None
    ends_on: date | None = None
    cooldown_days: int = Field(ge=0, le=365)
    max_per_customer: int | None = Field(default=None, ge=1)
    capacity: int | None = Field(default=None, ge=0)
    expires_days: int = Field(ge=1, le=365)
    effect: Effect
    brief: str = Field(min_length=20)


class ActionCatalogue(Record):
    """All that ``catalogue/actions.yaml`` says."""

    channels: dict[str, Channel]
    all_channels: Cap
    quiet_period: QuietPeriod | None = None
    actions: list[Action] = Field(min_length=1)
