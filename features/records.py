"""The base of every configuration record: frozen, and strict about unknown keys."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Record(BaseModel):
    """A typed, immutable record; an unknown key is an error, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _names_a_file(text: str) -> str:
    if text.startswith(".") or not text.isprintable() or {"/", "\\"} & {*text}:
        raise ValueError("files are named by it: no / or \\ in it, and no dot in front")
    return text


def _has_no_password(address: str) -> str:
    if re.match(r"[a-z0-9+]+://[^/@:]*:[^/@]*@", address):
        raise ValueError(
            "a password does not belong into the configuration: leave it out, and set it in the "
            "environment (PGPASSWORD, AWS_SECRET_ACCESS_KEY, MLFLOW_TRACKING_PASSWORD) or in the "
            "usual file (~/.pgpass, ~/.aws/credentials)"
        )
    return address


FileName = Annotated[str, AfterValidator(_names_a_file)]
Address = Annotated[str, AfterValidator(_has_no_password)]
