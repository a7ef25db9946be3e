"""Rules as data: ``all`` and ``any`` lists of ``{feature, op, value}``, first match wins."""

from typing import Literal

from pydantic import Field

from features.records import Record


class Condition(Record):
    """A feature compared with a number; a null feature never satisfies it."""

    feature: str
    op: Literal[">=", "<=", ">", "<"]
    value: float

    def __str__(self) -> str:
        return f"{self.feature} {self.op} {self.value:g}"


class Rule(Record):
    """Holds where every `all` holds and, if there is an `any`, at least one of those."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()

    @property
    def conditions(self) -> list[Condition]:
        """Every condition that the rule reads."""
        return [*self.all, *self.any]


class NamedRule(Rule):
    """A rule for one stage, level or activity, with what it means in words."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    meaning: str
