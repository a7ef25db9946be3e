"""The base of every configuration record: frozen, and strict about unknown keys."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A typed, immutable record; an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
