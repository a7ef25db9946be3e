"""What holds of every plan, whatever the customers, the catalogue and the limits."""

from collections import Counter
from datetime import date
from typing import NamedTuple

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.arms import held_out
from actions.catalogue import ActionCatalogue
from actions.decisions import Provenance, decide
from actions.funnel import ContactRecord
from actions.params import RecommendParams
from actions.sensitivity import ENGAGEMENT_SCORES
from features.schemas import EFFECTS
from features.time import day_number
from pipelines.tables import polars_schema

AS_OF = date(2018, 1, 1)
IDS = [f"c{k}" for k in range(12)]
CHANNELS = ("email", "sms", "web")
STANDING = {"stage": "engagement", "level": "interest", "activity": "active"}
examples = settings(deadline=None, max_examples=50, derandomize=True)


NOTHING_MEASURED = pl.DataFrame(schema=polars_schema(EFFECTS))
PAIR = {"customer_id": pl.String, "channel": pl.String}


class World(NamedTuple):
    """All that a decision reads."""

    customers: pl.DataFrame
    permitted: pl.DataFrame
    refused: pl.DataFrame
    contacts: pl.DataFrame
    complaints: pl.DataFrame
    catalogue: ActionCatalogue
    params: RecommendParams


customer = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(["engagement", "engagement", "retention"]),
        "p_value": st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
        "p_alive": st.none() | st.sampled_from([0.0, 0.5, 1.0]),
        **{name: st.sampled_from([0.0, 50.0, 99.0]) for name in ENGAGEMENT_SCORES},
        "order_value_cents": st.integers(0, 20_000),
        "expected_value_cents": st.integers(0, 20_000),
        "value_events": st.none() | st.integers(0, 3),
    }
)
cap = st.fixed_dictionaries({"count": st.integers(0, 3), "days": st.integers(1, 30)})
channels = st.fixed_dictionaries(
    {
        name: st.fixed_dictionaries(
            {
                "consent": st.just(name != "web"),
                "cap": st.none() | cap,
                "capacity": st.none() | st.integers(0, 5),
            }
        )
        for name in CHANNELS
    }
)
rule = st.just({}) | st.just({"all": [{"feature": "value_events", "op": ">=", "value": 1}]})
action = st.fixed_dictionaries(
    {
        "name": st.just("Offer"),
        "tactic": st.just("targeted_email"),
        "goal": st.sampled_from(["next_value", "retain"]),
        "stages": st.sampled_from([["engagement"], ["engagement", "retention"]]),
        "levels": st.just(["interest"]),
        "activities": st.just(["active"]),
        "when": rule,
        "channels": st.dictionaries(st.sampled_from(CHANNELS), st.integers(0, 60), min_size=1),
        "incentive_cents": st.integers(0, 100),
        "take_up": st.sampled_from([0.0, 0.07, 0.5, 1.0]),
        "cooldown_days": st.integers(0, 30),
        "max_per_customer": st.none() | st.integers(1, 2),
        "fixed_cents": st.sampled_from([0, 0, 50]),
        "capacity": st.none() | st.integers(0, 4),
        "expires_days": st.just(7),
        "effect": st.fixed_dictionaries(
            {"points": st.integers(-5, 20), "sd": st.just(1), "source": st.just("assumption")}
        ),
        "brief": st.just("Say one friendly sentence."),
    }
)


@st.composite
def worlds(draw):
    rows = [
        STANDING | row | {"customer_id": customer_id}
        for customer_id, row in zip(
            IDS, draw(st.lists(customer, min_size=1, max_size=len(IDS))), strict=False
        )
    ]
    pairs = draw(st.sets(st.tuples(st.sampled_from(IDS), st.sampled_from(["email", "sms"]))))
    closed = draw(st.sets(st.tuples(st.sampled_from(IDS), st.sampled_from(["web", "any"]))))
    actions = draw(st.lists(action, min_size=1, max_size=3))
    named = [one | {"id": f"action_{k}"} for k, one in enumerate(actions)]
    action_ids = st.sampled_from([None, *(one["id"] for one in named)])
    day = st.integers(-40, 2).map(lambda offset: day_number(AS_OF) + offset)
    sent = st.tuples(st.sampled_from(IDS), st.sampled_from(CHANNELS), action_ids, day)
    filed = draw(st.sets(st.tuples(st.sampled_from(IDS), day), max_size=3))
    quiet = {"days": 14, "events": ["complaint_filed"], "allowed_tactics": []}
    plan = {
        "quiet_period": quiet,
        "channels": draw(channels),
        "all_channels": draw(cap),
        "actions": named,
    }
    return World(
        pl.DataFrame(rows, schema_overrides={"value_events": pl.Int64}),
        pl.DataFrame(sorted(pairs), schema=PAIR, orient="row"),
        pl.DataFrame(sorted(closed), schema=PAIR, orient="row"),
        pl.DataFrame(
            draw(st.lists(sent, max_size=20)),
            schema={
                "customer_id": pl.String,
                "channel": pl.String,
                "action_id": pl.String,
                "day": pl.Int64,
            },
            orient="row",
        ),
        pl.DataFrame(
            sorted(filed), schema={"customer_id": pl.String, "day": pl.Int64}, orient="row"
        ),
        ActionCatalogue.model_validate(plan),
        RecommendParams(
            budget_cents=draw(st.integers(0, 300)),
            margin_rate=0.5,
            kept_value_days=90,
            holdout_share=draw(st.sampled_from([0.0, 0.3, 0.5])),
            random_share=draw(st.sampled_from([0.0, 0.3])),
            usual_share=draw(st.sampled_from([0.0, 0.1])),
            holdout_salt="keepwell",
        ),
    )


def decisions(world):
    provenance = Provenance("run", "data", "model", "catalogue")
    record = ContactRecord(world.permitted, world.refused, world.contacts, world.complaints)
    return decide(
        world.customers, record, world.catalogue, NOTHING_MEASURED, world.params,
        as_of=AS_OF, horizon_days=30, provenance=provenance,
    ).table  # fmt: skip


def exported(world):
    return decisions(world).filter(pl.col("outcome") == "exported")


@examples
@given(worlds())
def test_budget_is_never_exceeded_in_whole_cents(world):
    costs = decisions(world)["cost_cents"]
    assert costs.dtype == pl.Int64
    assert costs.min() >= 0
    assert costs.sum() <= world.params.budget_cents


@examples
@given(worlds())
def test_no_action_has_more_customers_than_its_capacity(world):
    used = Counter(exported(world)["action_id"])
    for one in world.catalogue.actions:
        assert one.capacity is None or used[one.id] <= one.capacity


@examples
@given(worlds())
def test_no_channel_has_more_customers_than_its_capacity(world):
    used = Counter(exported(world)["channel"])
    for name, channel in world.catalogue.channels.items():
        assert channel.capacity is None or used[name] <= channel.capacity


@examples
@given(worlds())
def test_fixed_costs_are_within_the_budget_too(world):
    sent = exported(world)
    by_policy = set(sent.filter(pl.col("arm") == "policy")["action_id"])
    fixed = sum(one.fixed_cents for one in world.catalogue.actions if one.id in by_policy)
    assert sent["cost_cents"].sum() + fixed <= world.params.budget_cents


@examples
@given(worlds())
def test_probability_of_what_was_done_is_above_0(world):
    """Every decision can be weighted; only business as usual has no probability of ours."""
    table = decisions(world)
    usual = table["arm"] == "business_as_usual"
    assert (table["action_propensity"].is_null() == usual).all()
    known = table["action_propensity"].drop_nulls()
    assert ((known > 0) & (known <= 1 + 1e-12)).all()


@examples
@given(worlds(), st.randoms(use_true_random=False))
def test_order_of_the_rows_changes_no_byte(world, random):
    tables = [table[random.sample(range(table.height), table.height)] for table in world[:5]]
    shuffled = World(*tables, world.catalogue, world.params)
    assert decisions(shuffled).write_csv() == decisions(world).write_csv()


@examples
@given(worlds())
def test_everybody_scored_has_exactly_one_of_the_four_outcomes(world):
    table = decisions(world)
    assert table["customer_id"].to_list() == sorted(world.customers["customer_id"])
    counts = Counter(table["outcome"])
    four = ("exported", "held_out", "suppressed", "no_action")
    assert sum(counts[name] for name in four) == world.customers.height


@examples
@given(worlds())
def test_there_is_either_an_action_or_a_reason(world):
    for row in decisions(world).iter_rows(named=True):
        done = row["outcome"] == "exported"
        assert (row["exit_reason"] is None) == done
        assert (row["action_id"] is not None) == done
        assert (row["expected_net_value_cents"] > 0) == done or row["arm"] == "random"


@examples
@given(worlds())
def test_nobody_is_written_to_without_a_consent_for_the_channel(world):
    allowed = set(world.permitted.rows())
    for row in exported(world).iter_rows(named=True):
        needs_none = not world.catalogue.channels[row["channel"]].consent
        pair = (row["customer_id"], row["channel"])
        assert needs_none or pair in allowed
        assert not needs_none or not {pair, (row["customer_id"], "any")} & set(world.refused.rows())


@examples
@given(worlds())
def test_nobody_in_the_holdout_is_exported_and_everybody_in_it_is_marked(world):
    table = decisions(world)
    held = held_out(table["customer_id"], world.params.holdout_share, world.params.holdout_salt)
    assert (table["arm"] == "holdout").to_list() == held.tolist()
    left_alone = table["arm"].is_in(["holdout", "business_as_usual"])
    assert (table["outcome"] == "held_out").to_list() == left_alone.to_list()


@examples
@given(worlds())
def test_nobody_is_contacted_beyond_a_cap_or_within_a_cool_down(world):
    today, sent = day_number(AS_OF), world.contacts.rows(named=True)
    rules = {one.id: one for one in world.catalogue.actions}
    for row in exported(world).iter_rows(named=True):
        before = [s for s in sent if s["customer_id"] == row["customer_id"] and s["day"] < today]
        limit = world.catalogue.channels[row["channel"]].cap
        if limit:
            same = [s for s in before if s["channel"] == row["channel"]]
            assert sum(s["day"] >= today - limit.days for s in same) < limit.count
        pause = rules[row["action_id"]].cooldown_days
        repeated = [s for s in before if s["action_id"] == row["action_id"]]
        assert all(s["day"] < today - pause for s in repeated)


@examples
@given(worlds())
def test_larger_holdout_only_takes_customers_out(world):
    larger = world.params.model_copy(update={"holdout_share": 0.5})
    held = set(decisions(world).filter(pl.col("arm") == "holdout")["customer_id"])
    more = decisions(world._replace(params=larger)).filter(pl.col("arm") == "holdout")
    assert held <= set(more["customer_id"])
