"""Rules as data: first match wins, null satisfies nothing, and somebody takes everybody else."""

from datetime import date

import narwhals as nw
import polars as pl
import pytest
from pydantic import ValidationError

from features.rules import Condition, NamedRule, Rule
from features.schemas import ACTIVITIES, LEVELS, STAGES
from features.standing import StandingRules, holds, with_because, with_own_stage, with_standing


def where(feature: str, op: str, value: float) -> dict:
    return {"feature": feature, "op": op, "value": value}


def named(rule_id: str, **rule) -> dict:
    return {"id": rule_id, "meaning": "For a test."} | rule


RULES = {
    "stages": [
        named("retention", all=[where("orders", ">=", 3), where("age", ">=", 90)]),
        named("engagement", all=[where("orders", ">=", 1)]),
        named("acquisition", any=[where("age", "<=", 30), where("visits", ">", 0)]),
        named("awareness"),
    ],
    "activities": [named(activity) for activity in ACTIVITIES],
    "levels": [named(level) for level in reversed(LEVELS)],
}


def frame(**columns: list) -> nw.DataFrame:
    return nw.from_native(pl.DataFrame(columns, strict=False), eager_only=True)


def holding(rule: dict, values: list) -> list[bool]:
    rows = frame(x=pl.Series(values, dtype=pl.Float64), y=[1] * len(values))
    return rows.select(held=holds(Rule.model_validate(rule)))["held"].to_list()


def test_each_operator_compares_as_it_says():
    held = {op: holding({"all": [where("x", op, 2)]}, [1, 2, 3]) for op in (">=", "<=", ">", "<")}
    assert held == {
        ">=": [False, True, True],
        "<=": [True, True, False],
        ">": [False, False, True],
        "<": [True, False, False],
    }


@pytest.mark.parametrize("op", [">=", "<=", ">", "<"])
def test_null_never_satisfies(op):
    assert holding({"all": [where("x", op, 0)]}, [None]) == [False]
    assert holding({"any": [where("x", op, 0)]}, [None]) == [False]


def test_null_in_any_leaves_the_other_condition_to_decide():
    rule = {"any": [where("x", ">=", 5), where("y", ">=", 1)]}
    assert holding(rule, [None, 9]) == [True, True]


def test_all_and_any_must_both_hold():
    rule = {"all": [where("y", ">=", 1)], "any": [where("x", ">", 5), where("x", "<", 2)]}
    assert holding(rule, [1, 3, 6]) == [True, False, True]


def test_rule_without_conditions_holds_always():
    rows = frame(x=[1, None]).with_columns(held=holds(Rule()))
    assert rows["held"].to_list() == [True, True]


def test_first_rule_that_holds_wins():
    rules = StandingRules.model_validate(RULES)
    rows = frame(orders=[3, 3, 0, 0, None], age=[90, 89, 30, 31, None], visits=[1, 1, 0, 0, 1])
    stages = with_standing(rows, rules)["stage"].to_list()
    assert stages == ["retention", "engagement", "acquisition", "awareness", "acquisition"]


def because_of(rows, rules):
    return with_because(with_standing(rows, rules), rules)


def test_reason_says_the_rule_its_values_and_its_bounds():
    rules = StandingRules.model_validate(RULES)
    rows = frame(orders=[4, 0, 0], age=[90.456, 12, None], visits=[0, None, None])
    assert because_of(rows, rules)["stage_because"].to_list() == [
        "retention: orders 4 (>= 3) age 90.46 (>= 90)",
        "acquisition: age 12 (<= 30) visits none (> 0)",
        "awareness: none of the rules above",
    ]


def own_stages(*labels) -> nw.DataFrame:
    """The company's own labels: customer, valid from, stage."""
    kinds = {"customer_id": pl.String, "valid_from": pl.Date, "stage": pl.String}
    return nw.from_native(pl.DataFrame(labels, schema=kinds, orient="row"), eager_only=True)


def test_the_companys_own_stage_is_the_latest_that_held_before_the_day():
    labels = own_stages(
        ("ann", date(2026, 1, 1), "acquisition"),
        ("ann", date(2026, 2, 1), "engagement"),
        ("bob", date(2026, 3, 1), "retention"),
    )
    rules = StandingRules.model_validate(RULES)
    who = {"customer_id": ["ann", "bob"]}
    placed = with_standing(frame(**who, orders=[0, 0], age=[9, 99], visits=[0, 0]), rules)

    def on(day):
        told = with_because(with_own_stage(placed, labels, day), rules)
        return [told[name].to_list() for name in ("stage", "stage_source")]

    assert on(date(2026, 1, 1)) == [["acquisition", "awareness"], ["rules", "rules"]]
    assert on(date(2026, 2, 1)) == [["acquisition", "awareness"], ["own", "rules"]]
    assert on(date(2026, 2, 2)) == [["engagement", "awareness"], ["own", "rules"]]
    assert on(date(2026, 3, 2)) == [["engagement", "retention"], ["own", "own"]]
    told = with_because(with_own_stage(placed, labels, date(2026, 2, 2)), rules)
    assert told["stage_because"].to_list() == [
        "engagement: the company's own label",
        "awareness: none of the rules above",
    ]


def test_every_customer_keeps_a_row_and_gets_every_standing():
    rules = StandingRules.model_validate(RULES)
    placed = because_of(frame(orders=[1, None], age=[1, None], visits=[1, None]), rules)
    kinds = ["stage", "level", "activity"]
    names = [*kinds, *(f"{kind}_because" for kind in kinds)]
    assert placed.shape == (2, 3 + len(names) + 1)  # and where the stage comes from
    assert [name for name in names if placed[name].null_count()] == []


@pytest.mark.parametrize(
    ("kind", "ids"), [("stages", STAGES), ("levels", LEVELS), ("activities", ACTIVITIES)]
)
def test_every_id_is_there_exactly_once(kind, ids):
    missing = RULES | {kind: [named(i) for i in ids[1:]]}
    twice = RULES | {kind: [*(named(i) for i in ids), named(ids[0])]}
    unknown = RULES | {kind: [*(named(i) for i in ids[1:]), named("dormant")]}
    for wrong in (missing, twice, unknown):
        with pytest.raises(ValidationError, match=f"{kind}: every id exactly once"):
            StandingRules.model_validate(wrong)


def test_last_rule_with_conditions_is_refused():
    stages = [*RULES["stages"][:-1], named("awareness", all=[where("orders", "<", 1)])]
    with pytest.raises(ValidationError, match="stages, awareness: the last rule takes everybody"):
        StandingRules.model_validate(RULES | {"stages": stages})


def test_unknown_operator_and_unknown_key_are_refused():
    with pytest.raises(ValidationError, match="op"):
        Condition.model_validate(where("x", "==", 1))
    with pytest.raises(ValidationError, match="none_of"):
        NamedRule.model_validate(named("awareness", none_of=[]))


def test_conditions_are_listed_with_the_id_of_their_rule():
    conditions = StandingRules.model_validate(RULES).conditions
    assert [(rule, str(condition)) for rule, condition in conditions] == [
        ("retention", "orders >= 3"),
        ("retention", "age >= 90"),
        ("engagement", "orders >= 1"),
        ("acquisition", "age <= 30"),
        ("acquisition", "visits > 0"),
    ]
