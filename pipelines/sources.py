"""The records of ``catalogue/sources.yaml``."""

from typing import Literal, Self

from pydantic import Field, model_validator

from features.records import Record
from features.schemas import CONSENTS, CUSTOMERS, EVENTS, IDENTITIES, SENDS, SUPPRESSIONS


class Override(Record):
    """Where `column` starts with a text, the target is another text."""

    column: str
    starts_with: str
    then: str


class Origin(Record):
    """Where a target column comes from: exactly one of a column, a constant or a product."""

    column: str | None = None
    constant: str | None = None
    product: list[str] | None = Field(default=None, min_length=2, max_length=2)
    when: tuple[Override, ...] = ()
    format: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [x for x in (self.column, self.constant, self.product) if x is not None]
        if len(given) != 1:
            raise ValueError("exactly one of column, constant or product")
        return self

    @property
    def reads(self) -> list[str]:
        """Names of the source's columns that it reads."""
        own = [self.column] if self.column else self.product or []
        return [*own, *(override.column for override in self.when)]


class Lookup(Record):
    """A second file whose columns are joined to the rows by a column that both have."""

    path: str
    key: str


TARGETS: dict[str, tuple[set[str], set[str]]] = {
    EVENTS.name: (
        {"customer_id", "occurred_at", "event_type"},
        {"event_id", "loaded_at", "channel", "value", "campaign"},
    ),
    CUSTOMERS.name: ({"customer_id", "known_since"}, set()),
    IDENTITIES.name: ({"customer_id"}, set(IDENTITIES.names) - {"customer_id"}),
    CONSENTS.name: (set(CONSENTS.names) - {"until"}, {"until"}),
    SENDS.name: (set(SENDS.names), set()),
    SUPPRESSIONS.name: (set(SUPPRESSIONS.names), set()),
}


class Source(Record):
    """One file and what its columns are."""

    table: Literal["events", "customers", "identities", "consents", "sends", "suppressions"]
    path: str
    timezone: str | None = None
    lines_of_order: bool = False
    lookup: Lookup | None = None
    columns: dict[str, Origin]

    @model_validator(mode="after")
    def _targets(self) -> Self:
        required, optional = TARGETS[self.table]
        missing, unknown = required - set(self.columns), set(self.columns) - required - optional
        if missing or unknown:
            raise ValueError(
                f"columns of table {self.table}: missing {_listed(missing)}; "
                f"unknown {_listed(unknown)}. Known: {_listed(required | optional)}"
            )
        if self.lines_of_order and "event_id" not in self.columns:
            raise ValueError("lines_of_order needs the column event_id")
        return self

    @property
    def reads(self) -> list[str]:
        """Names of the file's columns that it reads, each once."""
        return list(dict.fromkeys(name for o in self.columns.values() for name in o.reads))


class Business(Record):
    """Name, time zone and currency of the company."""

    name: str
    timezone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class SourceCatalogue(Record):
    """All that ``catalogue/sources.yaml`` says."""

    business: Business
    sources: dict[str, Source] = Field(min_length=1)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
