from datetime import date

import numpy as np
import polars as pl
import pytest

from actions.evidence import evidence
from actions.gains import ORDERS
from actions.ledger import ledger
from actions.measurement import balance, matured, measure
from actions.params import MeasureParams
from actions.posterior import effects_table, posterior

PARAMS = MeasureParams(min_per_arm=20, stage_sd_share=0.5)
AS_OF = date(2018, 1, 1)


@pytest.fixture
def decided():
    """Decisions of a run: `n` in each arm, whose shares buy, all planned for one action."""

    def of(policy: float, holdout: float, n: int = 400, **changes) -> pl.DataFrame:
        bought = [*(np.arange(n) < policy * n), *(np.arange(n) < holdout * n)]
        rows = pl.DataFrame({"customer_id": [f"c{k}" for k in range(2 * n)], "success": bought})
        plain = {
            "as_of": AS_OF, "stage": "engagement", "level": "interest", "activity": "active",
            "planned_action_id": "offer", "p_value": 0.5, "order_value_cents": 1000,
            "expected_value_cents": 500, "cost_cents": 1, "uplift": 0.1,
            "sensitivity": 1.0,
        }  # fmt: skip
        return rows.with_columns(
            pl.col("success").cast(pl.Float64),
            value_cents=pl.col("success") * 1000.0,
            arm=pl.Series(["policy"] * n + ["holdout"] * n),
            outcome=pl.Series(["exported"] * n + ["held_out"] * n),
            action_id=pl.Series(["offer"] * n + [None] * n),
            eligible_options=pl.lit("offer:email"),
            action_propensity=pl.Series([0.9] * n + [0.1] * n),
            **{name: pl.lit(value) for name, value in (plain | changes).items()},
        )

    return of


@pytest.fixture
def offer(catalogue):
    return catalogue().actions[0]


def verdicts(rows):
    found = measure(rows, PARAMS)
    return {row["scope"]: row["verdict"] for row in found.iter_rows(named=True)}


def test_difference_beyond_chance_is_said_with_its_interval(decided):
    found = measure(decided(0.5, 0.3), PARAMS).row(0, named=True)
    assert found["verdict"] == "raises"
    assert found["difference"] == pytest.approx(0.2)
    assert found["low"] == pytest.approx(0.1324, abs=1e-3)
    assert found["value_cents"] == pytest.approx(200)
    assert "raises the share who buy (+20.0 points" in found["words"]


def test_no_detectable_effect_is_said_in_words_with_the_number_needed(decided):
    found = measure(decided(0.31, 0.3), PARAMS).row(0, named=True)
    assert found["verdict"] == "none"
    assert "no detectable effect" in found["words"]
    assert f"{found['needed']:,} would be needed" in found["words"]


def test_harm_is_said_too(decided):
    assert set(verdicts(decided(0.2, 0.4)).values()) == {"lowers"}


def test_too_few_get_no_verdict(decided):
    assert set(verdicts(decided(1.0, 0.0, n=19)).values()) == {"too_few"}


def test_customers_without_a_plan_and_of_other_arms_do_not_count(decided):
    rows = decided(0.5, 0.3)
    others = decided(1.0, 0.0).with_columns(planned_action_id=pl.lit(None, pl.String))
    usual = decided(1.0, 0.0).with_columns(arm=pl.lit("business_as_usual"))
    both = pl.concat([rows, others.select(rows.columns), usual.select(rows.columns)])
    assert measure(both, PARAMS).equals(measure(rows, PARAMS))


def test_customer_without_an_event_in_the_window_did_not_buy():
    decisions = pl.DataFrame({"customer_id": ["a", "b"], "as_of": [AS_OF] * 2})
    outcomes = pl.DataFrame(
        {"customer_id": ["a"], "as_of": [AS_OF], "value_events": [2], "value_cents": [900]}
    )
    found = matured(decisions, outcomes)
    assert found.select("success", "value_cents").rows() == [(1.0, 900.0), (0.0, 0.0)]


def test_arms_that_differ_beforehand_are_seen(decided):
    rows = decided(0.5, 0.3)
    skewed = rows.with_columns(
        p_value=pl.when(pl.col("arm") == "policy").then(pl.col("p_value") + 0.2).otherwise(0.5),
    ).with_columns(p_value=pl.col("p_value") + pl.int_range(pl.len()) % 5 / 10)
    found = dict(balance(skewed).select("feature", "difference").iter_rows())
    assert found["p_value"] > 0.1
    assert abs(found["order_value_cents"]) < 0.1


def test_ledger_sets_what_came_beside_what_was_promised(decided, catalogue):
    sends = pl.DataFrame(
        {"customer_id": ["c0", "c1", "stranger"], "action_id": ["offer", "offer", "offer"],
         "channel": ["email"] * 3, "sent_at": [date(2018, 1, 2)] * 3},
        schema_overrides={"sent_at": pl.Datetime("us", "UTC")},
    )  # fmt: skip
    (row,) = ledger(decided(0.5, 0.3), sends, catalogue()).to_dicts()
    assert row["promised_successes"] == pytest.approx(40)
    assert row["realised_successes"] == pytest.approx(80)
    assert (row["exported"], row["sent"], row["unmatched_sends"]) == (400, 2, 1)


# ----- beliefs


def gained(rows: pl.DataFrame) -> pl.DataFrame:
    """Nothing but success itself counts: a success is worth 1, and p of it was expected."""
    return rows.with_columns((pl.col("success") - pl.col("p_value")).alias(ORDERS))


def test_belief_without_evidence_is_the_prior():
    for belief in posterior((2.0, 1.0), 0.5, [None, None]):
        assert belief == pytest.approx((2.0, 1.25**0.5))


def test_one_stage_is_weighted_by_precision():
    """Prior variance 1 + 1/4 = 1.25, noise variance 5: a fifth of the way to the estimate."""
    (mean, sd), _ = posterior((2.0, 1.0), 0.5, [(7.0, 5.0**0.5), None])
    assert mean == pytest.approx(2 + 5 * 1.25 / 6.25)
    assert sd == pytest.approx((1.25 * 5 / 6.25) ** 0.5)


def test_stages_learn_from_one_another_and_most_from_themselves():
    (own, _), (other, _) = posterior((0.0, 1.0), 0.5, [(5.0, 1.0), None])
    assert 0 < other < own < 5


def test_wrong_prior_gives_way_to_much_evidence(decided, catalogue):
    prior = {"effect": {"points": 1, "sd": 1, "source": "assumption"}}
    table = effects_table(gained(decided(0.4, 0.3, n=100_000)), catalogue(prior), PARAMS)
    (row,) = table.to_dicts()
    assert (row["basis"], row["stage"], row["control"]) == ("measured", "engagement", 100_000)
    assert row["measured_points"] == pytest.approx(10)
    assert row["points"] == pytest.approx(10, abs=0.5)


def test_handful_of_equal_outcomes_is_not_certainty(decided, offer):
    found = evidence(gained(decided(1.0, 1.0, n=2)), offer)
    assert found is not None
    assert found.error > 40


def test_small_holdout_without_a_rare_gain_is_as_unsure_as_the_gains_are_rare(offer):
    """2 of 100 gained 10, none of 10 held out: squares 2 x 9.8^2 + 98 x 0.2^2 = 196 over 110."""
    rows = pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(110)],
            "planned_action_id": "offer",
            "arm": ["policy"] * 100 + ["holdout"] * 10,
            "action_id": ["offer"] * 100 + [None] * 10,
            "eligible_options": "offer:email",
            "action_propensity": 0.5,
            "p_value": 0.1,
            "sensitivity": 0.6,
            ORDERS: [10.0] * 2 + [0.0] * 108,
        }
    )
    found = evidence(rows, offer)
    assert found is not None
    assert found.points == pytest.approx(0.2 * 100 / 0.6)  # an effect moves p = 0.1 by 0.6 of it
    assert found.error == pytest.approx((196 / 110 * (1 / 100 + 1 / 10)) ** 0.5 * 100 / 0.6)


def drawn_log(effect: float) -> pl.DataFrame:
    """All planned for the call; the random arm drew the offer, more often where there is less else.

    Customers with one option buy more (p 0.7) and draw the offer twice as often as the others.
    """
    rng = np.random.default_rng(0)
    few = rng.random(60_000) < 0.5
    offered = rng.random(60_000) < np.where(few, 0.2, 0.1)
    p = np.where(few, 0.7, 0.3)
    return pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(len(p))],
            "as_of": AS_OF, "stage": "engagement", "p_value": 0.5, "sensitivity": 1.0,
            "planned_action_id": "call",
            "arm": "random",
            "action_id": pl.Series(["offer" if one else None for one in offered]),
            "eligible_options": np.where(few, "offer:email", "offer:email call:phone"),
            "action_propensity": np.where(few, np.where(offered, 0.2, 0.8),
                                          np.where(offered, 0.1, 0.9)),
            "success": (rng.random(len(p)) < p + effect * offered).astype(float),
        }
    )  # fmt: skip


@pytest.mark.parametrize("effect", [0.0, 0.1])
def test_random_arm_tells_of_actions_that_are_no_longer_planned(effect, offer):
    """The plain difference would be off by 100 x (17/30 - 13/27) x 0.4: customers differ."""
    found = evidence(gained(drawn_log(effect)), offer)
    assert found is not None
    assert found.points == pytest.approx(100 * effect, abs=2.5 * found.error)
    assert found.error < 1


def test_nothing_measured_leaves_everything_assumed(decided, catalogue):
    table = effects_table(gained(decided(0.4, 0.3)).clear(), catalogue(), PARAMS)
    assert table.select("basis", "points").rows() == [("assumed", 10.0)]


def test_result_of_one_among_actions_that_do_not_differ_moves_them_all_alike(decided, catalogue):
    """20 customers tell nothing that would set the offer apart from the three others."""
    effect = {"points": 2, "sd": 2, "source": "assumption"}
    four = catalogue(*({"id": name, "effect": effect} for name in ("offer", "a", "b", "c")))
    table = effects_table(gained(decided(0.6, 0.3, n=20)), four, PARAMS)
    assert table["basis"].to_list() == ["measured", "assumed", "assumed", "assumed"]
    assert table["measured_points"][0] == pytest.approx(30)
    assert table["points"].n_unique() == 1
    assert table["points"][0] > 2
