"""Features that compare a customer with everybody else, computed by hand."""

import narwhals as nw
import polars as pl
import pytest

from features.population import with_population

KINDS = ("transactional", "emotional", "social", "experiential")
BLANK = {
    "days_since_known": 100,
    "own_recency_days": None,
    "own_gaps": None,
    "own_median_gap_days": None,
    "own_last_gap_days": None,
    "value_events": 0,
    "days_since_last_value": None,
    "days_since_last_event": 1,
    "value_events_365d": 0,
    "value_cents_365d": 0,
    **{f"{kind}_strength": 0 for kind in KINDS},
}
FLOATS = ("own_median_gap_days", "own_last_gap_days")


@pytest.fixture
def compared(params):
    """Add the population layer to customers, of whom a test names only what it is about."""

    def of(*customers: dict, gap_prior_count: int = 3) -> pl.DataFrame:
        schema = {name: pl.Float64 if name in FLOATS else pl.Int64 for name in BLANK}
        rows = pl.DataFrame([BLANK | c for c in customers], schema=schema, orient="row")
        chosen = params.model_copy(update={"gap_prior_count": gap_prior_count})
        return with_population(nw.from_native(rows, eager_only=True), chosen).to_native()

    return of


def rhythm(median: float, gaps: int, recency: int, last: float | None = None) -> dict:
    return {
        "own_median_gap_days": median,
        "own_gaps": gaps,
        "own_recency_days": recency,
        "own_last_gap_days": last,
    }


def test_usual_pause_weighs_the_own_median_by_its_pauses(compared):
    rows = compared(rhythm(10, 1, 5), rhythm(20, 7, 5), rhythm(60, 3, 5))
    expected = [(10 * 1 + 20 * 3) / 4, (20 * 7 + 20 * 3) / 10, (60 * 3 + 20 * 3) / 6]
    assert rows["usual_gap_days"].to_list() == pytest.approx(expected)


def test_customer_without_a_pause_has_the_populations(compared):
    rows = compared(rhythm(10, 1, 5), rhythm(20, 7, 5), rhythm(60, 3, 5), {"own_recency_days": 5})
    assert rows["usual_gap_days"].to_list()[3] == 20


def test_without_any_pause_the_usual_one_is_a_month(compared):
    assert compared({"own_recency_days": 5})["usual_gap_days"].to_list() == [30]


def test_prior_of_zero_pauses_trusts_a_single_own_one(compared):
    rows = compared(rhythm(10, 1, 5), rhythm(20, 7, 5), gap_prior_count=0)
    assert rows["usual_gap_days"].to_list() == [10, 20]


def test_prior_of_zero_pauses_leaves_the_population_to_those_without_one(compared):
    rows = compared(rhythm(10, 1, 5), {"own_recency_days": 20}, gap_prior_count=0)
    assert rows["usual_gap_days"].to_list() == [10, 10]
    assert rows["recency_ratio"].to_list() == [0.5, 2.0]


def test_usual_pause_is_at_least_a_day(compared):
    assert compared(rhythm(0.5, 4, 5))["usual_gap_days"].to_list() == [1]


def test_ratios_are_over_the_usual_pause(compared):
    row = compared(rhythm(20, 3, 35, last=50))
    assert row["recency_ratio"].to_list() == [1.75]
    assert row["last_gap_ratio"].to_list() == [2.5]


@pytest.mark.parametrize(("median", "window"), [(5, 30), (10, 30), (20, 60), (60, 180), (90, 180)])
def test_inactivity_window_is_three_usual_pauses_within_30_and_180_days(compared, median, window):
    assert compared(rhythm(median, 3, 5))["inactivity_window_days"].to_list() == [window]


def test_active_until_the_last_day_of_the_inactivity_window(compared):
    rows = compared(rhythm(20, 3, 60), rhythm(20, 3, 61), {"days_since_known": 1})
    assert rows["is_active"].to_list() == [1, 0, 0]


def test_score_is_the_percentile_among_those_who_show_the_type(compared):
    rows = compared(*({"social_strength": s} for s in (40, 10, 30, 20)))
    assert rows["social_score"].to_list() == [100.0, 25.0, 75.0, 50.0]


def test_customer_who_does_not_show_the_type_scores_0_and_moves_nobody(compared):
    rows = compared({"social_strength": 40}, {"social_strength": 0}, {"social_strength": 10})
    assert rows["social_score"].to_list() == [100.0, 0.0, 50.0]


def test_type_that_nobody_shows_scores_0(compared):
    assert compared({}, {})["emotional_score"].to_list() == [0.0, 0.0]


def test_equal_strengths_score_alike(compared):
    rows = compared(*({"social_strength": s} for s in (5, 5, 9, 1)))
    assert rows["social_score"].to_list() == [62.5, 62.5, 100.0, 25.0]


def test_types_are_counted_from_the_median_of_those_who_show_them(compared):
    strong, weak = {"social_strength": 9, "emotional_strength": 9}, {"social_strength": 1}
    rows = compared(strong, weak, {"social_strength": 5}, {})
    assert rows["engagement_types_above_median"].to_list() == [2, 0, 1, 0]


def test_ties_at_the_median_count(compared):
    rows = compared(*({"social_strength": strength} for strength in (1, 1, 1, 2, 2)))
    assert rows["engagement_types_above_median"].to_list() == [1] * 5


def test_customer_never_seen_is_not_active(compared):
    rows = compared({"own_recency_days": 5, "days_since_last_event": None})
    assert rows["is_active"].to_list() == [0]


def buyer(recency: int, orders: int = 1, cents: int = 0) -> dict:
    return {
        "value_events": orders,
        "days_since_last_value": recency,
        "value_events_365d": orders,
        "value_cents_365d": cents,
    }


def test_five_different_buyers_fill_the_five_quintiles(compared):
    rows = compared(*(buyer(10 * k, k, 100 * k) for k in (1, 2, 3, 4, 5)))
    assert rows["rfm_recency"].to_list() == [5, 4, 3, 2, 1]
    assert rows["rfm_frequency"].to_list() == [1, 2, 3, 4, 5]
    assert rows["rfm_money"].to_list() == [1, 2, 3, 4, 5]


def test_ties_share_a_quintile(compared):
    rows = compared(*(buyer(7, n) for n in (1, 1, 1, 1, 1, 1, 2, 2, 3, 9)))
    assert rows["rfm_frequency"].to_list() == [2, 2, 2, 2, 2, 2, 4, 4, 5, 5]
    assert rows["rfm_recency"].to_list() == [3] * 10


def test_single_buyer_is_in_the_middle_quintile(compared):
    assert compared(buyer(7))["rfm_money"].to_list() == [3]


def test_customer_without_an_order_has_no_quintile_and_moves_nobody(compared):
    alone = compared(buyer(7, 1), buyer(9, 2))
    accompanied = compared(buyer(7, 1), buyer(9, 2), {}, {})
    for name in ("rfm_recency", "rfm_frequency", "rfm_money"):
        assert accompanied[name].to_list() == [*alone[name].to_list(), None, None]
