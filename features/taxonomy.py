"""What an event type means: its role and the engagement type that it shows."""

from typing import Literal

from pydantic import Field

from features.records import Record

Role = Literal[
    "exposure", "visit", "intent", "value", "feedback", "advocacy", "service", "opt_out", "cancel"
]
EngagementType = Literal["transactional", "emotional", "social", "experiential"]


class EventMeaning(Record):
    """Role and engagement type of one event type, with its usual channel."""

    role: Role
    engagement_type: EngagementType | None = None
    channel: str | None = None
    note: str = ""


class Taxonomy(Record):
    """Channels that are counted apart; event type id -> meaning, and other names for them."""

    channels: list[str] = Field(min_length=1)
    events: dict[str, EventMeaning]
    aliases: dict[str, str] = Field(default_factory=dict)
