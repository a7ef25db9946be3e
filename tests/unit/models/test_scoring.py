from datetime import date

import numpy as np
import polars as pl
import pytest

from features.feature import Feature
from features.params import ChurnParams
from features.schemas import LEVELS, SCORES, STAGES
from models.churn import HISTORY, Examples, histories
from models.fitting import Task, fit_churn
from models.preprocessing import matrix
from models.scoring import Champion, Champions, score

MARGIN = 0.25
CHURN = ChurnParams(horizon_days=30, gap_days=0, lookback_days=90)
NOBODY = Champions(None, None, None)
CUSTOMER = {
    "as_of": date(2018, 1, 1),
    "stage": "retention",
    "stage_source": "rules",
    "stage_because": "",
    "level": "loyalty",
    "level_because": "",
    "activity": "active",
    "activity_because": "",
    **{f"{t}_score": 0.0 for t in ("transactional", "emotional", "social", "experiential")},
    "days_since_last_value": 10,
    "days_since_first_value": 365,
    "value_events": 10,
    "value_gaps": 9,
    "value_span_days": 355,
    "value_events_365d": 10,
    "order_cents": 10_000,
    "recency_ratio": 2.0,
}
COLUMNS = ["days_since_last_value", "value_events", *HISTORY]
SILENCE = Feature(
    "days_since_last_value", "days", "", "lifetime", None, "", "no order for {x} days", "recency"
)


@pytest.fixture
def snapshot():
    def of(*rows):
        kinds = {"days_since_last_value": pl.Int64, "days_since_first_value": pl.Int64}
        return pl.DataFrame([CUSTOMER | row for row in rows], schema_overrides=kinds)

    return of


@pytest.fixture
def before(snapshot):
    """Earlier customers: of ten regular ones 5 bought again, of ten who were gone 1 did."""

    def of(stage_next="retention", level_next="loyalty"):
        here = [
            {"customer_id": f"in{k}", "in_population": True, "churned": k < 5} for k in range(10)
        ]
        gone = [
            {"customer_id": f"out{k}", "in_population": False, "churned": k > 0} for k in range(10)
        ]
        after = {"stage_next": stage_next, "level_next": level_next}
        return snapshot(*(row | after for row in here + gone))

    return of


@pytest.fixture(scope="module")
def champion(quick_training):
    draw = np.random.default_rng(0)
    silence = draw.integers(1, 90, 400)
    rows = pl.DataFrame(
        {
            "days_since_last_value": silence,
            "value_events": 10,
            "value_gaps": 9,
            "value_span_days": 365 - silence,
            "days_since_first_value": 365,
        }
    )
    y = (draw.random(400) < silence / 90).astype(int)
    x = matrix(rows, COLUMNS)
    known = Examples(x, y, np.full(400, np.datetime64("2017-11-01")))
    task = Task(known, {date(2017, 12, 1): histories(x)}, CHURN, quick_training, 0)
    return Champion(fit_churn(task), "churn 3")


IN, OUT, NEVER = (
    {"customer_id": "in"},
    {"customer_id": "out", "days_since_last_value": 91},
    {
        "customer_id": "never",
        "days_since_last_value": None,
        "days_since_first_value": None,
        "value_events": 0,
        "value_gaps": 0,
        "value_span_days": None,
        "value_events_365d": 0,
        "order_cents": 0,
    },
)


def by_id(scores):
    return {row["customer_id"]: row for row in scores.to_dicts()}


def test_everybody_is_scored_sorted_by_id(snapshot, before, champion):
    for champions in (NOBODY, Champions(champion, None, None)):
        scores = score(snapshot(OUT, NEVER, IN), before(), champions, [SILENCE], CHURN, MARGIN)
        assert scores["customer_id"].to_list() == ["in", "never", "out"]
        assert scores.columns == SCORES.names
        required = [column.name for column in SCORES.columns if not column.nullable]
        assert scores.select(required).null_count().sum_horizontal().item() == 0


def test_without_a_champion_the_risk_comes_from_the_rule(snapshot, before):
    row = by_id(score(snapshot(IN), before(), NOBODY, [], CHURN, MARGIN))["in"]
    assert (row["score_source"], row["churn_model"], row["churn_risk"]) == ("rule", "rule", 0.5)
    assert row["p_value"] == 0.5
    assert row["reason_1"] == "silent for 2.0 times the usual pause"
    assert row["reason_2"] is row["reason_3"] is None


def test_with_a_champion_the_risk_is_the_models_to_six_decimals(snapshot, before, champion):
    now = snapshot(IN, IN | {"customer_id": "silent", "days_since_last_value": 80})
    rows = by_id(score(now, before(), Champions(champion, None, None), [SILENCE], CHURN, MARGIN))
    risk = champion.model.predict_proba(matrix(now, COLUMNS))[:, 1].round(6)
    assert [rows["in"]["churn_risk"], rows["silent"]["churn_risk"]] == risk.tolist()
    assert rows["silent"]["p_value"] == pytest.approx(1 - risk[1])
    assert (rows["in"]["score_source"], rows["in"]["churn_model"]) == ("model", "churn 3")
    assert rows["silent"]["reason_1"] == "no order for 80 days"


def test_no_reasons_are_looked_for_where_nothing_may_be_spoken_of(snapshot, before, champion):
    now = snapshot(IN, IN | {"customer_id": "silent", "days_since_last_value": 80})
    champions = Champions(champion, None, None)
    bare, full = (score(now, before(), champions, d, CHURN, MARGIN) for d in ([], [SILENCE]))
    said = [n for n in bare.columns if n.startswith(("reason_", "risk_"))]
    assert bare.select(said).null_count().row(0) == (2,) * len(said)
    assert bare.drop(said).equals(full.drop(said))


def test_start_effects_and_rest_add_up_to_every_risk(snapshot, before, champion):
    rows = [IN | {"customer_id": str(k), "days_since_last_value": 1 + 8 * k} for k in range(11)]
    scores = score(
        snapshot(*rows, OUT), before(), Champions(champion, None, None), [SILENCE], CHURN, MARGIN
    )
    known = scores.filter(pl.col("churn_risk").is_not_null())
    parts = known.select("risk_start", "^reason_._effect$", "risk_rest").fill_null(0.0)
    assert known.height == 11
    assert parts.sum_horizontal().round(6).equals(known["churn_risk"])
    assert scores["reason_1_effect"].null_count() == scores["reason_1"].null_count() > 0


def test_p_alive_is_beside_the_risk_where_there_is_an_order(snapshot, before, champion):
    now = snapshot(IN, OUT, NEVER)
    rows = by_id(score(now, before(), Champions(champion, None, None), [SILENCE], CHURN, MARGIN))
    alive = champion.model.p_alive(matrix(now, COLUMNS)).round(6)
    assert [rows[c]["p_alive"] for c in ("in", "out", "never")] == [alive[0], alive[1], None]
    ruled = score(now, before(), NOBODY, [], CHURN, MARGIN)
    unknown = ["p_alive", "risk_start", "reason_1_effect", "risk_rest"]
    assert ruled.select(unknown).null_count().row(0) == (3,) * 4


@pytest.mark.parametrize("customer", [OUT, NEVER])
@pytest.mark.parametrize("with_model", [True, False])
def test_outside_the_population_there_is_no_risk_and_no_reason(
    snapshot, before, champion, customer, with_model
):
    champions = Champions(champion, None, None) if with_model else NOBODY
    scores = score(snapshot(IN, customer), before(), champions, [SILENCE], CHURN, MARGIN)
    row = by_id(scores)[customer["customer_id"]]
    assert (row["churn_risk"], row["score_source"]) == (None, "none")
    assert [row[f"reason_{k}"] for k in (1, 2, 3)] == [None] * 3
    assert row["p_value"] == 0.1  # what those who were gone did over the latest horizon


def test_last_day_of_the_look_back_is_in_the_population(snapshot, before):
    edge = {"customer_id": "edge", "days_since_last_value": 90}
    row = by_id(score(snapshot(edge), before(), NOBODY, [], CHURN, MARGIN))["edge"]
    assert row["score_source"] == "rule"


def test_customers_outside_the_population_do_not_move_the_median_of_reasons(
    snapshot, before, champion
):
    silent = IN | {"customer_id": "silent", "days_since_last_value": 80}
    gone = [{"customer_id": f"gone{k}", "days_since_last_value": 400} for k in range(9)]
    now = snapshot(IN, silent, *gone)
    rows = by_id(score(now, before(), Champions(champion, None, None), [SILENCE], CHURN, MARGIN))
    assert rows["silent"]["reason_1"] == "no order for 80 days"


def test_without_a_model_the_next_stage_follows_the_observed_moves(snapshot, before):
    row = by_id(score(snapshot(IN), before(stage_next="engagement"), NOBODY, [], CHURN, MARGIN))[
        "in"
    ]
    assert row["stage_next"] == "engagement"
    assert row["p_stage_engagement"] == pytest.approx(21 / 24)  # 20 of 20 moved, one added to each
    assert sum(row[f"p_stage_{s}"] for s in STAGES) == pytest.approx(1)
    assert row["stage_model"] == "transition_table"


def test_class_of_which_no_move_was_seen_is_expected_to_stay(snapshot, before):
    rare = IN | {"level": "advocacy"}
    row = by_id(score(snapshot(rare), before(), NOBODY, [], CHURN, MARGIN))["in"]
    assert [row[f"p_level_{name}"] for name in LEVELS] == [0.2] * 5
    assert row["level_next"] == "advocacy"


def test_without_a_history_everybody_is_scored_too(snapshot, before):
    rows = by_id(score(snapshot(IN, NEVER), before().clear(), NOBODY, [], CHURN, MARGIN))
    assert rows["in"]["p_value"] == 0.5
    assert rows["never"]["p_value"] == 0.0
    assert rows["in"]["stage_next"] == "retention"


def test_expected_value_is_probability_times_orders_times_order(snapshot, before):
    row = by_id(score(snapshot(IN), before(), NOBODY, [], CHURN, MARGIN))["in"]
    assert row["order_value_cents"] == 1000
    assert row["expected_value_cents"] == 500  # 0.5 x 1 order x 1000
