"""The records of ``catalogue/platforms.yaml``: what each marketing platform takes as a file."""

from typing import Literal, Self

from pydantic import Field, model_validator

from features.records import FileName, Record

Cell = Literal[
    "text", "plain", "email", "phone", "sha256", "email_or_sha256", "phone_or_sha256", "country",
    "language", "date", "time", "past_time", "number", "boolean",
]  # fmt: skip
Extension = Literal["csv", "txt", "tsv"]
Address = Literal["email", "phone", "customer_id"]
DELIMITERS: dict[str, str] = {"csv": ",", "txt": "\t", "tsv": "\t"}
CONSENT = "keepwell_consent_basis"


class PlatformColumn(Record):
    """A header that a platform knows: what Keepwell writes there, and what a cell may hold."""

    header: str = Field(min_length=1)
    source: str | None = Field(default=None, alias="from")
    holds: Cell = Field(default="text", alias="is")
    values: tuple[str, ...] = ()
    filled: bool = False
    filled_with: str | None = None


class OptOutColumn(Record):
    """A column of the file of refusals: from the customer, or the same text for all."""

    header: str
    source: str | None = Field(default=None, alias="from")
    constant: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.source is None) == (self.constant is None):
            raise ValueError("exactly one of from or constant")
        return self


class OptOut(Record):
    """How a platform is told who refused: the channel that counts, and the columns."""

    channel: str
    columns: tuple[OptOutColumn, ...] = Field(min_length=1)


class Limits(Record):
    """Most and fewest that one file may hold; rows are without the header."""

    rows: int | None = Field(default=None, ge=1)
    min_rows: int = Field(default=1, ge=1)
    bytes: int | None = Field(default=None, ge=1)
    columns: int | None = Field(default=None, ge=1)
    cell_bytes: int | None = Field(default=None, ge=1)


class Platform(Record):
    """The import file of one platform; the header of ``platforms.yaml`` explains the keys."""

    name: str
    load: tuple[str, ...] = Field(min_length=1)
    source: str
    extensions: tuple[Extension, ...] = Field(min_length=1)
    channels: tuple[str, ...] = Field(min_length=1)
    address: Address
    identifiers: tuple[tuple[str, ...], ...] = Field(min_length=1)
    one_identifier: bool = False
    identifier_at: Literal["first", "last", "any"] = "any"
    own_fields: bool
    repeatable: dict[str, int] = Field(default_factory=dict)
    complete: tuple[str, ...] = ()
    plain_cells: bool = False
    consent: Literal["field", "files"]
    consent_region: tuple[str, ...] = ()
    limits: Limits = Limits()
    columns: tuple[PlatformColumn, ...] = Field(min_length=1)
    opt_out: OptOut

    @property
    def known(self) -> dict[str, PlatformColumn]:
        """Its own columns by header."""
        return {column.header: column for column in self.columns}

    @model_validator(mode="after")
    def _named(self) -> Self:
        named = {*self.complete, *self.repeatable, *(n for g in self.identifiers for n in g)}
        named |= {column.header for column in self.opt_out.columns}
        unknown = sorted(named - self.known.keys())
        if unknown:
            raise ValueError(f"headers without an entry in columns: {', '.join(unknown)}")
        return self


class PlatformCatalogue(Record):
    """All that ``catalogue/platforms.yaml`` says."""

    attributes: tuple[PlatformColumn, ...]
    platforms: dict[FileName, Platform] = Field(min_length=1)

    def columns_of(self, platform: Platform) -> dict[str, PlatformColumn]:
        """Every column that a file may have and that means something, by header."""
        own = {c.header: c for c in self.attributes} if platform.own_fields else {}
        return {**own, **platform.known}
