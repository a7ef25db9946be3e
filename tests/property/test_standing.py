"""Every customer has exactly one stage, level and activity, whatever the log."""

import operator
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.hysteresis import CLASSES, with_reported
from features.schemas import ACTIVITIES, LEVELS, STAGES
from features.standing import with_because, with_standing
from features.time import day_number
from pipelines.config import read_catalogue, read_params

ROOT = Path(__file__).parents[2]
AS_OF = date(2026, 11, 1)
COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
CUSTOMERS = ("ann", "bob", "eve", "kim")
EVENT = {
    "customer_id": pl.String,
    "day": pl.Int64,
    "visible_day": pl.Int64,
    "role": pl.String,
    "engagement_type": pl.String,
    "channel": pl.String,
    "value_cents": pl.Int64,
    "discount_cents": pl.Int64,
    "hour": pl.Int64,
}

log_of = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS),
        st.integers(1, 500),
        st.sampled_from(["page_view", "signed_up", "order_completed", "order_refunded",
                         "review_submitted", "quiz_completed", "email_delivered"]),
    ),
    max_size=40,
)  # fmt: skip
limits = [None, 0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 28.0, 30.0, 31.0, 89.0, 90.0, 180.0, 181.0]


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue(ROOT / "catalogue")


@pytest.fixture(scope="module")
def definitions(catalogue):
    """The windows that the rules read; the others are made the same way."""
    shipped = read_params(ROOT / "params.yaml").features
    fewer = {"windows_days": [28, 56, 90, 180, 365], "half_lives_days": [45]}
    return catalogue.definitions(shipped.model_copy(update=fewer))


@settings(deadline=None, max_examples=30, derandomize=True)
@given(log=log_of, listed=st.sets(st.sampled_from(CUSTOMERS)))
def test_every_customer_has_exactly_one_stage_level_and_activity(
    catalogue, definitions, snapshots_of, log, listed
):
    today = day_number(AS_OF)
    meanings = [(c, today - ago, catalogue.taxonomy.events[name]) for c, ago, name in log]
    rows = [(c, d, d, m.role, m.engagement_type, m.channel, 100, 0, None) for c, d, m in meanings]
    events = pl.DataFrame(rows, schema=EVENT, orient="row")
    names = sorted({c for c, *_ in log} | listed)
    spine = pl.DataFrame(
        {"customer_id": names, "known_day": [today - 600] * len(names)},
        schema={"customer_id": pl.String, "known_day": pl.Int64},
    )
    made = snapshots_of(events, spine, [AS_OF], definitions)[AS_OF]
    placed = with_standing(nw.from_native(made, eager_only=True), catalogue.standing)
    assert placed["customer_id"].to_list() == names
    assert set(placed["stage"].to_list()) <= set(STAGES)
    assert set(placed["level"].to_list()) <= set(LEVELS)
    assert set(placed["activity"].to_list()) <= set(ACTIVITIES)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(data=st.data())
def test_standing_is_the_first_rule_that_a_person_would_find(catalogue, data):
    rules = catalogue.standing
    features = sorted({condition.feature for _, condition in rules.conditions})
    values = {name: data.draw(st.sampled_from(limits), label=name) for name in features}
    frame = pl.DataFrame([values], schema=dict.fromkeys(features, pl.Float64))
    placed = with_standing(nw.from_native(frame, eager_only=True), rules)
    (row,) = with_because(placed, rules).rows(named=True)

    def true(condition):
        value = values[condition.feature]
        return value is not None and COMPARE[condition.op](value, condition.value)

    def first(kind):
        return next(
            rule.id
            for rule in kind
            if all(map(true, rule.all)) and (not rule.any or any(map(true, rule.any)))
        )

    assert row["stage"] == first(rules.stages)
    assert row["level"] == first(rules.levels)
    assert row["activity"] == first(rules.activities)
    assert row["stage_because"].startswith(f"{row['stage']}:")
    assert row["level_because"].startswith(f"{row['level']}:")
    assert row["activity_because"].startswith(f"{row['activity']}:")


ONE = dict.fromkeys(("customer_id", "stage", "level", "stage_source"), pl.String)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(history=st.lists(st.tuples(st.sampled_from(STAGES), st.sampled_from(LEVELS)), min_size=2))
def test_a_demotion_never_shows_after_a_single_snapshot_and_a_promotion_shows_at_once(history):
    rows = [pl.DataFrame([("ann", *said, "rules")], schema=ONE, orient="row") for said in history]
    snapshots = [nw.from_native(row, eager_only=True) for row in rows]
    pairs = zip(snapshots[1:], snapshots, strict=False)
    told = [with_reported(now, before).rows(named=True)[0] for now, before in pairs]
    for kind, order in CLASSES.items():
        by_rules = [order.index(row[0, kind]) for row in rows]
        reported = [order.index(row[f"reported_{kind}"]) for row in told]
        for k, place in enumerate(reported):
            assert place >= by_rules[k + 1]
            assert place in (by_rules[k], by_rules[k + 1])
            if by_rules[k + 1] < by_rules[k]:
                assert place == by_rules[k]
            if k and place < reported[k - 1]:
                assert max(by_rules[k], by_rules[k + 1]) < reported[k - 1]
