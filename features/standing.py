"""Stage, level and activity: rules over a snapshot, first match wins, with what fired them."""

from datetime import date
from typing import Any, Self

import narwhals as nw
from pydantic import model_validator

from features.comparisons import Rows
from features.records import Record
from features.rules import Condition, NamedRule, Rule
from features.schemas import ACTIVITIES, LEVELS, STAGES

RULES, OWN = "rules", "own"
_COMPARE = {
    ">=": lambda column, value: column >= value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    "<": lambda column, value: column < value,
}


class StandingRules(Record):
    """The rules of ``catalogue/stages.yaml`` and ``catalogue/levels.yaml``.

    Each list is read from the top, the first rule that holds wins, and the last one holds always.
    """

    stages: list[NamedRule]
    activities: list[NamedRule]
    levels: list[NamedRule]

    @model_validator(mode="after")
    def _exhaustive(self) -> Self:
        for kind, ids in (("stages", STAGES), ("activities", ACTIVITIES), ("levels", LEVELS)):
            _check_rules(kind, getattr(self, kind), ids)
        return self

    @property
    def conditions(self) -> list[tuple[str, Condition]]:
        """Every condition, with the id of its rule."""
        rules = [*self.stages, *self.activities, *self.levels]
        return [(rule.id, condition) for rule in rules for condition in rule.conditions]


def _check_rules(kind: str, rules: list[NamedRule], ids: tuple[str, ...]) -> None:
    given = [rule.id for rule in rules]
    if sorted(given) != sorted(ids):
        raise ValueError(
            f"{kind}: every id exactly once. Got {', '.join(given)}. Expected {', '.join(ids)}."
        )
    if rules[-1].conditions:
        raise ValueError(
            f"{kind}, {rules[-1].id}: the last rule takes everybody else. Remove its conditions."
        )


def holds(rule: Rule) -> nw.Expr:
    """Whether a rule holds; a null feature satisfies no condition."""
    every = [_satisfied(condition) for condition in rule.all]
    if rule.any:
        every.append(nw.any_horizontal(*(_satisfied(c) for c in rule.any), ignore_nulls=False))
    return nw.all_horizontal(*every, ignore_nulls=False) if every else nw.lit(True)


def _satisfied(condition: Condition) -> nw.Expr:
    compare = _COMPARE[condition.op]
    return compare(nw.col(condition.feature), condition.value).fill_null(False)


def first_match(rules: list[NamedRule]) -> nw.Expr:
    """Id of the first rule that holds."""
    chosen = nw.lit(rules[-1].id)
    for rule in reversed(rules[:-1]):
        chosen = nw.when(holds(rule)).then(nw.lit(rule.id)).otherwise(chosen)
    return chosen


def because(rules: list[NamedRule], column: str) -> nw.Expr:
    """The rule that fired and the values that fired it, as text."""
    text = nw.lit("")
    for rule in reversed(rules):
        text = nw.when(nw.col(column) == rule.id).then(_spoken(rule)).otherwise(text)
    return text


def _spoken(rule: NamedRule) -> nw.Expr:
    if not rule.conditions:
        return nw.lit(f"{rule.id}: none of the rules above")
    parts = [_value_and_bound(condition) for condition in rule.conditions]
    return nw.concat_str([nw.lit(f"{rule.id}:"), *parts], separator=" ")


def _value_and_bound(condition: Condition) -> nw.Expr:
    rounded = nw.col(condition.feature).cast(nw.Float64).round(2).cast(nw.String)
    value = rounded.str.replace(r"\.0$", "").fill_null("none")
    bound = nw.lit(f"({condition.op} {condition.value:g})")
    return nw.concat_str([nw.lit(condition.feature), value, bound], separator=" ")


def with_standing(features: Rows, rules: StandingRules) -> Rows:
    """Add ``stage``, ``level``, ``activity``, and ``stage_source``: here, the rules.

    Every customer gets exactly one of each: the rules are read in order and the last holds always.
    """
    placed = (first_match(r).alias(kind) for kind, r in _kinds(rules).items())
    return features.with_columns(*placed, stage_source=nw.lit(RULES))


def with_own_stage(placed: Rows, labels: Any, as_of: date) -> Rows:
    """The company's own stage in place of the rules' where it says one, as known on a date.

    Parameters
    ----------
    placed : result of `with_standing`, with ``customer_id``
    labels : table of schemas.STAGE_LABELS
        Those that hold from `as_of` on, or later, are not read.
    as_of : date
    """
    known = labels.filter(nw.col("valid_from") < as_of)
    latest = known.group_by("customer_id").agg(nw.col("valid_from").max())
    names = known.join(latest, on=["customer_id", "valid_from"], how="inner").select(
        "customer_id", own_stage=nw.col("stage")
    )
    both = placed.join(names, on="customer_id", how="left")
    said = ~nw.col("own_stage").is_null()
    return both.with_columns(
        stage=nw.when(said).then(nw.col("own_stage")).otherwise(nw.col("stage")),
        stage_source=nw.when(said).then(nw.lit(OWN)).otherwise(nw.col("stage_source")),
    ).drop("own_stage")


def with_because(placed: nw.DataFrame, rules: StandingRules) -> nw.DataFrame:
    """Add ``stage_because``, ``level_because`` and ``activity_because``.

    Each is the rule that fired and the values that fired it, as text.
    """
    reasons = {f"{kind}_because": because(r, kind) for kind, r in _kinds(rules).items()}
    told = nw.concat_str(nw.col("stage"), nw.lit(": the company's own label"))
    own = nw.when(nw.col("stage_source") == OWN).then(told)
    return placed.with_columns(
        **reasons | {"stage_because": own.otherwise(reasons["stage_because"])}
    )


def _kinds(rules: StandingRules) -> dict[str, list[NamedRule]]:
    return {"stage": rules.stages, "level": rules.levels, "activity": rules.activities}
