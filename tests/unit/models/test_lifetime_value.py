from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import skops.io

from models.gate import Verdict
from models.lifetime_value import (
    Forecast,
    Money,
    Ratio,
    SavedValue,
    Trust,
    days_to_next_order,
    fit_start,
    forecasts,
    histories,
    mean_ratio,
    season_of,
    started,
)
from models.params import GateParams, ValueParams
from models.purchases import Purchases, p_purchase
from models.value_backtest import Cutoff, Seen, Trial, Window, after_boosting, fit_value
from models.value_judge import accuracy, judge_value

PARAMS = ValueParams(
    min_customers=10,
    boosting_rounds=20, boosting_leaves=4, learning_rate=0.1, min_customers_in_leaf=20,
    backtest_cutoffs=2, season_ratio=0.7,
)  # fmt: skip
WINDOW = Window(0, 30)
GATE = GateParams(
    bootstrap_samples=100, max_ece=0.03, max_feature_auc=0.99, max_auc_gain=0.1,
    min_value_bias=0.7, max_value_bias=1.4, min_value_coverage=0.7,
)  # fmt: skip


def buyers(seed, n=400):
    """Half of the customers order twice as often as they did before."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(1.0, 0.05, n)
    age = draw.integers(30, 300, n)
    repeats = draw.poisson(rate * age)
    last = np.where(repeats > 0, age * draw.uniform(0.5, 1.0, n), 0).astype(int)
    doubled = draw.integers(0, 2, n)
    rows = pl.DataFrame(
        {
            "value_days": repeats + 1, "value_span_days": last, "days_since_first_value": age,
            "order_cents": (repeats + 1) * 1000, "doubled": doubled,
        }
    )  # fmt: skip
    orders = draw.poisson(rate * 30 * (1 + doubled))
    return rows, orders.astype(float), orders * 1000.0


def cutoffs(count=4, first=date(2025, 1, 1), season=(1.0,) * 20):
    made = []
    for k in range(count):
        rows, orders, cents = buyers(k)
        day = first + timedelta(days=30 * k)
        made.append(Cutoff(day, rows, orders * season[k], cents * season[k]))
    return made


@pytest.fixture(scope="module")
def model():
    return fit_value(cutoffs(), buyers(9)[0], ["doubled", "value_days"], WINDOW, PARAMS, 0)


def test_the_boosting_learns_what_the_histories_do_not_say(model):
    rows, _, _ = buyers(7)
    expected = forecasts(model, rows, date(2025, 6, 1), [30])[0].cents
    start = started(model.start, rows, 0, 30).cents
    doubled = rows["doubled"].to_numpy() == 1
    assert model.trust[0].orders > 0
    assert sum(model.trust[1]) > 0
    assert (expected / start)[doubled].mean() > 1.3 * (expected / start)[~doubled].mean()


def test_the_level_is_that_of_what_the_boostings_leave():
    """Believed boostings that double the orders and the money of everybody halve the level."""
    day = date(2025, 1, 1)
    twice = Money(np.array([2.0, 2.0]), np.array([2.0, 2.0]))
    start = Money(np.array([1.0, 3.0]), np.array([10.0, 30.0]))
    ratio = Ratio(day, 1.5, 3.0)
    cutoff = Cutoff(day, pl.DataFrame(), np.ones(2), np.ones(2))
    trial = Trial(Seen(cutoff, fit_start(buyers(0)[0]), start, ratio), twice)
    found = after_boosting([ratio], [trial], (Trust(1, 0), Trust(0, 0.5)))
    assert found[0][1:] == pytest.approx((0.75, 2.0))


def test_nothing_is_negative_and_the_ends_enclose_each_other(model):
    for forecast in forecasts(model, buyers(7)[0], date(2025, 6, 1), [30, 90, 365]):
        assert (np.array(forecast) >= 0).all()
        assert (forecast.low_cents <= forecast.high_cents).all()


def test_longer_windows_bring_more(model):
    month, quarter, year = forecasts(model, buyers(7)[0], date(2025, 6, 1), [30, 90, 365])
    assert (month.cents < quarter.cents).all()
    assert (quarter.cents <= year.cents).all()  # equal where somebody has all but left


def test_a_file_of_the_model_holds_text_and_gives_the_same_answers(model):
    saved = SavedValue().of(model)
    content = skops.io.dumps(saved)
    assert skops.io.get_untrusted_types(data=content) == ["models.lifetime_value.SavedValue"]
    loaded = skops.io.loads(content, trusted=["models.lifetime_value.SavedValue"])
    rows = buyers(7)[0]
    day = date(2025, 6, 1)
    before, after = (forecasts(m, rows, day, [90])[0] for m in (model, loaded.model))
    assert all((a == b).all() for a, b in zip(before, after, strict=True))


def test_one_cutoff_tells_of_the_start_its_level_alone():
    model = fit_value(cutoffs(1), buyers(9)[0], ["doubled"], WINDOW, PARAMS, 0)
    rows = buyers(7)[0]
    assert model.trust == (Trust(0, 0), Trust(0, 0))
    expected = forecasts(model, rows, date(2025, 6, 1), [30])[0].cents
    level = model.level.cents
    assert expected == pytest.approx(started(model.start, rows, 0, 30).cents * level)


def test_the_same_seed_gives_the_same_model():
    first, second = (
        fit_value(cutoffs(2), buyers(9)[0], ["doubled"], WINDOW, PARAMS, 0) for _ in range(2)
    )
    assert SavedValue().of(first).text_ == SavedValue().of(second).text_


def test_the_season_is_that_of_a_year_ago_and_the_mean_where_it_is_unknown(model):
    ratios = (Ratio(date(2025, 1, 1), 4.0, 9.0), Ratio(date(2025, 2, 2), 1.0, 1.0))
    seasonal = model._replace(seasons=ratios, level=mean_ratio(ratios))
    assert season_of(seasonal, date(2026, 1, 1))[1:] == pytest.approx((4.0, 9.0))
    assert season_of(seasonal, date(2026, 1, 17))[1:] == pytest.approx((2.0, 3.0))
    assert season_of(seasonal, date(2026, 3, 1))[1:] == pytest.approx((2.0, 3.0))


def test_a_season_that_comes_back_is_believed_and_one_that_does_not_is_not():
    returning = [3.0, *[1.0] * 11, 3.0, 1.0]
    once = [3.0, *[1.0] * 11, 1.0, 1.0]
    for season, expected in ((returning, True), (once, False)):
        model = fit_value(
            cutoffs(14, season=season), buyers(9)[0], ["doubled"], WINDOW,
            PARAMS.model_copy(update={"boosting_rounds": 10}), 0,
        )  # fmt: skip
        assert bool(model.seasons) is expected


def test_the_next_order_is_as_likely_as_not_by_its_date():
    start = fit_start(buyers(3)[0])
    rows = buyers(4, 50)[0]
    days = days_to_next_order(start, rows)
    known = np.isfinite(days)
    for k in np.flatnonzero(known)[:5]:
        chance = p_purchase(histories(rows[int(k)]), Purchases(*start.rates), days[k])
        assert chance.item() == pytest.approx(0.5)


def test_bias_is_the_predicted_total_over_the_actual():
    found = accuracy(np.array([0.0, 10.0, 20.0]), np.array([5.0, 10.0, 30.0]))
    assert found["bias"] == 1.5
    assert found["mae"] == 5.0
    assert found["rmse"] == pytest.approx(np.sqrt(125 / 3))
    assert found["spearman"] == 1.0


def judged(expected, cents=None, most=200.0):
    cents = np.tile([0.0, 100.0], 50) if cents is None else cents
    ends = np.zeros(100), np.full(100, most)
    forecast = Forecast(cents, np.asarray(expected, dtype=float), *ends)
    return judge_value(cents, forecast, {"past_rate": np.full(100, 50.0)}, None, GATE, 0)


def test_a_model_with_a_smaller_error_is_promoted():
    assert judged(np.tile([10.0, 90.0], 50)).verdict.promote


def test_a_model_that_expects_almost_nothing_is_not_promoted_for_its_small_error():
    few = np.where(np.arange(100) < 10, 100.0, 0.0)
    verdict = judged(np.full(100, 1.0), few).verdict
    assert isinstance(verdict, Verdict)
    assert not verdict.promote
    assert "0.10 times the money" in verdict.why


@pytest.mark.parametrize(("times", "promoted"), [(0.63, False), (0.75, True), (1.5, False)])
def test_a_model_is_promoted_only_with_a_total_within_the_bounds_of_the_gate(times, promoted):
    verdict = judged(np.tile([0.0, 100.0 * times], 50)).verdict
    assert verdict.promote == promoted
    assert promoted or f"{times:.2f} times the money" in verdict.why


def test_a_model_whose_intervals_hold_too_few_customers_is_not_promoted():
    verdict = judged(np.tile([10.0, 90.0], 50), most=50.0).verdict
    assert not verdict.promote
    assert verdict.why.startswith("the 80 % intervals hold 50%")


def test_a_model_that_gives_nobody_an_interval_is_judged_by_the_rest():
    assert judged(np.tile([10.0, 90.0], 50), most=0.0).verdict.promote
