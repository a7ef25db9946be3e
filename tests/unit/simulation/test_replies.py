"""A company that answers decisions: what they change is what the truth says, and nothing else."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from features.errors import ConfigurationError, DataError
from simulation.archive import frames_of, world_of
from simulation.campaigns import CONTROL
from simulation.company import simulate_company
from simulation.replies import carry_out, respond, today
from simulation.season import NEVER
from simulation.tactics import TACTICS

UNTIL = date(2026, 1, 1)
NEXT = UNTIL + timedelta(days=29)
OWN = {tactic: tactic for tactic in TACTICS}


@pytest.fixture(scope="module")
def company():
    return simulate_company(
        customers=8_000, seed=11, until=UNTIL, days=400,
        wave_tactics=("targeted_email", "content_marketing"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def idle(company):
    return carry_out(company.world, decisions([]), tactics=OWN, until=NEXT)


def decisions(ids, *, action="targeted_email", channel="email", outcome="exported", as_of=UNTIL):
    schema = {"customer_id": pl.String, "as_of": pl.Date, "outcome": pl.String,
              "action_id": pl.String, "channel": pl.String}  # fmt: skip
    rows = [(customer_id, as_of, outcome, action, channel) for customer_id in ids]
    return pl.DataFrame(rows, schema=schema, orient="row")


def orders(happenings):
    placed = happenings.filter(pl.col("event") == "Order Completed")
    return placed.select("who", "at", "cents").sort("who", "at")


@pytest.mark.parametrize("tactic", ["targeted_email", "exceptional_service", "gamification"])
def test_what_a_tactic_changes_is_what_the_truth_says(company, idle, tactic):
    ids = company.truth["customer_id"]
    given = decisions(ids, action=tactic, channel="store")
    done = carry_out(company.world, given, tactics=OWN, until=NEXT)
    bought = [
        ids.is_in(ids.gather(orders(world.happenings)["who"].unique()).implode()).cast(float)
        for world in (done, idle)
    ]
    truth = company.truth.select("customer_id").join(done.truth, on="customer_id", how="left")
    difference = (bought[0] - bought[1] - truth["true_effect"].fill_null(0)).to_numpy()
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(difference.size)
    assert (done.truth["true_effect"] > 0.05).any()


def test_those_who_are_not_reached_buy_the_same(company, idle):
    half = company.truth["customer_id"].gather_every(2)
    done = carry_out(company.world, decisions(half), tactics=OWN, until=NEXT)
    others = pl.col("who") % 2 == 1
    assert orders(done.happenings).filter(others).equals(orders(idle.happenings).filter(others))
    assert not orders(done.happenings).equals(orders(idle.happenings))


def test_a_customer_who_had_dropped_out_can_be_won_back(company):
    gone = company.truth.filter(pl.col("dropped_out_on").is_not_null())["customer_id"]
    given = decisions(gone, action="exceptional_service", channel="phone")
    done = carry_out(company.world, given, tactics=OWN, until=NEXT)
    who = np.flatnonzero(company.world.state.dropped_at < company.world.state.at)
    back = who[done.world.state.dropped_at[who] == NEVER]
    assert 0.01 < back.size / gone.len() < 0.2
    later = carry_out(
        done.world, decisions([], as_of=NEXT), tactics=OWN, until=NEXT + timedelta(days=120)
    )
    again = orders(later.happenings).filter(pl.col("who").is_in(back.tolist()))
    assert again["who"].n_unique() > back.size / 2


def test_trouble_can_be_put_right_before_they_leave(company):
    state = company.world.state
    leaving = np.flatnonzero((state.soured_at < NEVER) & (state.dropped_at > state.at))
    ids = company.truth["customer_id"].gather(leaving)
    given = decisions(ids, action="exceptional_service", channel="phone")
    done = carry_out(company.world, given, tactics=OWN, until=NEXT)
    healed = done.world.state.soured_at[leaving] == NEVER
    assert 0.35 < healed.mean() < 0.65


def test_only_exported_decisions_are_sent_and_one_in_fifty_is_lost(company):
    ids = company.truth["customer_id"]
    given = pl.concat(
        [decisions(ids[:4000], channel="store"), decisions(ids[4000:], outcome="held_out")]
    )
    reached = carry_out(company.world, given, tactics=OWN, until=NEXT).truth
    assert reached["customer_id"].is_in(ids[:4000].implode()).all()
    assert 0.97 < reached.height / 4000 < 0.99


def test_sends_and_events_are_new_and_continue_the_old_ones(company):
    ids = company.truth["customer_id"].head(500)
    reply = respond(company.world, decisions(ids), tactics=OWN, until=NEXT)
    assert (reply.events["occurred_at"] >= "2026-01-01").all()
    assert (reply.events["occurred_at"] < NEXT.isoformat()).all()
    assert reply.events["event_id"][0] == f"e{company.events.height + 1:09d}"
    assert reply.events.equals(reply.events.sort("occurred_at", "event_id"))
    mine = reply.sends.filter(pl.col("action_id") == "targeted_email")
    assert mine["customer_id"].sort().equals(reply.truth["customer_id"])
    assert reply.events.columns == company.events.columns
    assert today(reply.world) == NEXT


def test_a_company_that_was_put_away_answers_alike(company):
    kept = world_of(frames_of(company.world))
    given = decisions(company.truth["customer_id"].head(500))
    one, other = (respond(w, given, tactics=OWN, until=NEXT) for w in (company.world, kept))
    assert all(a.equals(b) for a, b in zip(one[:4], other[:4], strict=True))


def test_decisions_of_another_day_are_refused(company):
    given = decisions(["000001"], as_of=NEXT)
    with pytest.raises(DataError, match="decisions of another day"):
        respond(company.world, given, tactics=OWN, until=NEXT)


def test_unknown_customers_actions_and_ends_are_refused(company):
    with pytest.raises(DataError, match="unknown customers"):
        respond(company.world, decisions(["x"]), tactics=OWN, until=NEXT)
    with pytest.raises(ConfigurationError, match="action_id: unknown"):
        respond(company.world, decisions(["000001"], action="spell"), tactics=OWN, until=NEXT)
    with pytest.raises(ConfigurationError, match="until: not later"):
        respond(company.world, decisions([]), tactics=OWN, until=UNTIL)


def test_waves_of_two_tactics_have_three_arms_of_equal_probability(company):
    shares = company.waves["arm"].value_counts(normalize=True)
    assert set(shares["arm"]) == {CONTROL, "targeted_email", "content_marketing"}
    assert shares["proportion"].to_numpy() == pytest.approx(np.full(3, 1 / 3), abs=0.02)
    assert (company.waves["propensity"] == 1 / 3).all()
    assert company.waves["true_effect"].equals(company.waves["true_effect_targeted_email"])


def test_effects_are_of_all_signs_and_differ_by_tactic_and_customer(company):
    effects = company.truth.select(pl.col("^effect_.*$"))
    assert effects.width == 16
    assert (effects.max().min_horizontal().item()) > 0
    assert (effects.min().max_horizontal().item()) < 0
    assert ((effects == 0).mean_horizontal() == 1).mean() > 0.1
    best = effects.with_columns(best=pl.concat_list("*").list.arg_max())["best"]
    assert best.n_unique() > 5
