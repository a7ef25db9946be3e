"""The reported stage and level: a demotion takes two snapshots, a promotion one."""

import narwhals as nw
import polars as pl
import pytest

from features.hysteresis import Flips, flips, with_reported


def standings(**stages: str) -> nw.DataFrame:
    """Customers by id, each at a stage and all at one level."""
    same = {"level": "interest", "stage_source": "rules"}
    rows = [{"customer_id": c, "stage": s} | same for c, s in stages.items()]
    kinds = dict.fromkeys(("customer_id", "stage", "level", "stage_source"), pl.String)
    return nw.from_native(pl.DataFrame(rows, schema=kinds), eager_only=True)


def reported(*history: str) -> list[str]:
    """The reported stages of a customer whose rules said this, snapshot after snapshot."""
    snapshots = [standings(ann=stage) for stage in history]
    befores = [standings(), *snapshots]
    pairs = zip(snapshots, befores, strict=False)
    return [with_reported(now, before)["reported_stage"][0] for now, before in pairs]


@pytest.mark.parametrize(
    ("by_rules", "told"),
    [
        ("retention engagement", "retention retention"),
        ("retention engagement engagement", "retention retention engagement"),
        ("retention engagement retention", "retention retention retention"),
        ("engagement acquisition awareness", "engagement engagement acquisition"),
        ("awareness engagement", "awareness engagement"),
        ("engagement retention engagement engagement", "engagement retention retention engagement"),
    ],
)  # fmt: skip
def test_a_demotion_shows_at_the_second_snapshot_and_a_promotion_at_once(by_rules, told):
    assert reported(*by_rules.split()) == told.split()


def test_level_has_a_pause_of_its_own():
    before = standings(ann="engagement").with_columns(level=nw.lit("advocacy"))
    (row,) = with_reported(standings(ann="retention"), before).rows(named=True)
    assert (row["reported_stage"], row["reported_level"]) == ("retention", "advocacy")
    assert (row["stage"], row["level"]) == ("retention", "interest")


def test_what_the_company_says_itself_is_reported_at_once():
    now = standings(ann="awareness").with_columns(stage_source=nw.lit("own"))
    assert with_reported(now, standings(ann="retention"))["reported_stage"][0] == "awareness"


def test_customers_and_their_order_stay():
    now = standings(eve="awareness", ann="engagement", bob="engagement")
    told = with_reported(now, standings(ann="retention", gone="retention"))
    assert told["customer_id"].to_list() == ["eve", "ann", "bob"]
    assert told["reported_stage"].to_list() == ["awareness", "retention", "engagement"]


def test_flips_are_counted_by_the_rules_and_as_reported():
    earlier = standings(ann="retention", bob="retention", eve="engagement")
    before = standings(ann="engagement", bob="retention", eve="engagement", kim="awareness")
    late = {"kim": "awareness", "new": "awareness"}
    now = standings(ann="retention", bob="engagement", eve="retention", **late)
    # by the rules ann, bob and eve change; reported, ann stayed, bob is held and eve is promoted
    expected = Flips(30, 4, {"stage": 0.75, "level": 0.0}, {"stage": 0.25, "level": 0.0})
    assert flips(earlier, before, now, 30) == expected


def test_without_anybody_at_both_dates_nothing_flipped():
    assert flips(standings(), standings(ann="retention"), standings(), 30).customers == 0
