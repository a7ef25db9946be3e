"""The records of ``catalogue/sources.yaml``."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from features.records import Address, FileName, Record
from features.schemas import (
    CONSENTS,
    CUSTOMERS,
    EVENTS,
    IDENTITIES,
    SENDS,
    STAGE_LABELS,
    SUPPRESSIONS,
)

Kind = Literal["csv", "jsonl", "parquet", "excel", "sqlite", "duckdb", "postgres"]
DATABASES: tuple[Kind, ...] = ("sqlite", "duckdb", "postgres")
EPOCHS = ("epoch_s", "epoch_ms", "epoch_us", "epoch_ns")


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


class Range(Record):
    """Least and greatest acceptable value of a target column: numbers, or dates as text."""

    min: float | str | None = None
    max: float | str | None = None


class Freshness(Record):
    """Days that the newest event may lie before the as-of date, before a warning or an error."""

    warn_after_days: int | None = Field(default=None, ge=0)
    error_after_days: int | None = Field(default=None, ge=0)


class Volume(Record):
    """Rows of a new file against the median of the source's earlier files."""

    min_ratio: float = Field(default=0, ge=0)
    max_ratio: float = Field(default=float("inf"), gt=0)
    action: Literal["warn", "error"] = "warn"


class Contract(Record):
    """What a source promises; a broken promise warns or stops the step."""

    columns: dict[str, Literal["text", "integer", "number", "boolean", "date", "timestamp"]] = (
        Field(default_factory=dict)
    )
    ranges: dict[str, Range] = Field(default_factory=dict)
    freshness: Freshness = Freshness()
    max_quarantined_rate: float = Field(default=0.5, ge=0, le=1)
    volume: Volume = Volume()


TARGETS: dict[str, tuple[set[str], set[str]]] = {
    EVENTS.name: (
        {"customer_id", "occurred_at", "event_type"},
        {"event_id", "loaded_at", "channel", "value", "discount", "campaign", "currency"},
    ),
    CUSTOMERS.name: ({"customer_id", "known_since"}, set()),
    IDENTITIES.name: ({"customer_id"}, set(IDENTITIES.names) - {"customer_id"}),
    CONSENTS.name: (set(CONSENTS.names) - {"until"}, {"until"}),
    SENDS.name: (set(SENDS.names), set()),
    SUPPRESSIONS.name: (set(SUPPRESSIONS.names), set()),
    STAGE_LABELS.name: (set(STAGE_LABELS.names), set()),
}


class Source(Record):
    """Files or one relation of a database, and what its columns are.

    ``refused`` names columns that must not be read, each with the reason.
    """

    table: Literal[
        "events", "customers", "identities", "consents", "sends", "suppressions", "stage_labels"
    ]
    path: Address
    kind: Kind | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    sheet: str | None = None
    relation: str | None = None
    query: str | None = None
    timezone: str | None = None
    lines_of_order: bool = False
    lookup: Lookup | None = None
    contract: Contract = Contract()
    columns: dict[str, Origin]
    refused: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _refusals(self) -> Self:
        read = sorted(set(self.reads) & set(self.refused))
        if read:
            raise ValueError(f"reads a refused column: {read[0]} ({self.refused[read[0]]})")
        return self

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
        unranged = set(self.contract.ranges) - set(self.columns)
        if unranged:
            raise ValueError(f"contract.ranges: no such target column: {_listed(unranged)}")
        if self.relation and self.query:
            raise ValueError("only one of relation and query")
        return self

    @property
    def reads(self) -> list[str]:
        """Names of the file's columns that it reads, each once."""
        return list(dict.fromkeys(name for o in self.columns.values() for name in o.reads))


class Business(Record):
    """Name, time zone and currency of the company, and rates of other currencies into it.

    ``rates`` has units of ``currency`` for one unit of the other, as text, so that it is exact.
    """

    name: str
    timezone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    rates: dict[str, str] = Field(default_factory=dict)

    @field_validator("rates")
    @classmethod
    def _rates(cls, rates: dict[str, str]) -> dict[str, str]:
        for code, rate in rates.items():
            if not re.fullmatch(r"[A-Z]{3}", code) or not re.fullmatch(r"\d+(\.\d+)?", rate):
                raise ValueError(f'{code}: expected a code and a rate in quotes, USD: "0.92"')
        return rates


class SourceCatalogue(Record):
    """All that ``catalogue/sources.yaml`` says."""

    business: Business
    sources: dict[FileName, Source] = Field(min_length=1)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
