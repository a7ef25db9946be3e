"""The base of every configuration record: frozen, and strict about unknown keys."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Record(BaseModel):
    """A typed, immutable record; an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _names_a_file(text: str) -> str:
    if text.startswith(".") or not text.isprintable() or {"/", "\\"} & {*text}:
        raise ValueError("files are named by it: no / or \\ in it, and no dot in front")
    return text


FileName = Annotated[str, AfterValidator(_names_a_file)]
