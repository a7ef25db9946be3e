from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import beta, gamma

from models.purchases import (
    Histories,
    Purchases,
    expected_purchases,
    fit_purchases,
    log_likelihood,
    p_alive,
    p_purchase,
)

MODEL = Purchases(r=0.6, alpha=5.0, a=1.7, b=2.5)
ONE = Histories(np.array([0.0]), np.array([0.0]), np.array([20.0]))
SEVERAL = Histories(np.array([3.0]), np.array([14.0]), np.array([20.0]))


@pytest.fixture(scope="session")
def cdnow(request):
    """The published sample: repeats, span and age in weeks over 39 weeks."""
    path = request.config.rootpath / "../shared/data/cdnow/sample_1in10.parquet"
    if not path.exists():
        pytest.skip("needs ../shared/data")
    end = date(1997, 9, 30)
    days = pl.read_parquet(path).select("customer_id", on=pl.col("date").dt.date()).unique()
    days = days.filter(pl.col("on") <= end).group_by("customer_id")
    rows = days.agg(n=pl.len(), first=pl.col("on").min(), last=pl.col("on").max())
    first = pl.col("first")
    span, age = (
        rows.select((to - first).dt.total_days() / 7).to_series().to_numpy()
        for to in (pl.col("last"), pl.lit(end))
    )
    return Histories((rows["n"] - 1).to_numpy().astype(float), span, age)


@pytest.mark.real
def test_published_parameters_of_bg_nbd_are_found(cdnow):
    fitted = fit_purchases(cdnow, first=False)
    assert fitted[:4] == pytest.approx((0.2426, 4.4135, 0.7929, 2.4258), abs=5e-4)
    assert log_likelihood(cdnow, fitted) == pytest.approx(-9582.4, abs=0.05)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("history", [ONE, SEVERAL])
def test_likelihood_is_the_mean_over_rates_and_dropouts(history, first):
    """Given a rate and a dropout probability, the history is counted out by hand."""
    (x,), (span,), (age,) = history
    middles = (np.arange(2_000) + 0.5) / 2_000
    rate = gamma(MODEL.r, scale=1 / MODEL.alpha).ppf(middles)
    p = beta(MODEL.a, MODEL.b).ppf(middles)[:, None]
    stays = (1 - p) ** (x + 1 if first else x)
    leaves = (1 - p) ** (x if first else x - 1) * p if x or first else 0.0
    given = rate**x * (stays * np.exp(-rate * age) + leaves * np.exp(-rate * span))
    model = MODEL._replace(first=first)
    assert log_likelihood(history, model) == pytest.approx(np.log(given.mean()), abs=2e-3)


@pytest.mark.parametrize("first", [True, False])
def test_the_found_parameters_are_where_the_likelihood_is_flat(first):
    drawn, _ = simulated(3_000, seed=1)
    fitted = fit_purchases(drawn, first=first)

    def of(logs):
        return log_likelihood(drawn, Purchases(*np.exp(logs), first)) / 3_000

    assert np.abs(approx_fprime(np.log(fitted[:4]), of, 1e-6)).max() < 1e-3


def test_parameters_of_simulated_buyers_are_found_again():
    drawn, _ = simulated(40_000, seed=2)
    assert fit_purchases(drawn)[:4] == pytest.approx(MODEL[:4], rel=0.15)


def test_forecasts_are_what_simulated_buyers_do():
    drawn, later = simulated(40_000, seed=3)
    for name, said, done in (
        ("any", p_purchase(drawn, MODEL, 10.0), later > 0),
        ("count", expected_purchases(drawn, MODEL, 10.0), later),
    ):
        for some in (drawn.repeats == 0, (drawn.repeats > 0) & (drawn.repeats < 4)):
            assert said[some].mean() == pytest.approx(done[some].mean(), rel=0.06), name


def test_buyer_of_once_is_surely_alive_by_bg_nbd_and_not_by_mbg_nbd():
    assert p_alive(ONE, MODEL._replace(first=False)) == pytest.approx([1.0])
    assert 0 < p_alive(ONE, MODEL)[0] < 1


def test_silence_and_shorter_horizons_lower_the_probability_of_a_purchase():
    silent = SEVERAL._replace(age=np.array([60.0]))
    assert p_purchase(silent, MODEL, 10.0) < p_purchase(SEVERAL, MODEL, 10.0)
    assert p_purchase(SEVERAL, MODEL, 1.0) < p_purchase(SEVERAL, MODEL, 10.0)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_histories_that_are_all_alike_have_a_finite_fit(n):
    alike = Histories(np.zeros(n), np.zeros(n), np.full(n, 30.0))
    fitted = fit_purchases(alike)
    assert np.isfinite(fitted).all()
    assert ((p_purchase(alike, fitted, 30.0) >= 0) & (p_purchase(alike, fitted, 30.0) < 0.5)).all()


def test_no_history_is_an_error():
    nobody = Histories(*np.empty((3, 0)))
    with pytest.raises(ValueError, match="no purchase history"):
        fit_purchases(nobody)


def simulated(n, seed, horizon=10.0):
    """Histories of n buyers over up to 40 weeks, and their purchases in the weeks that follow."""
    draw = np.random.default_rng(seed)
    rate = draw.gamma(MODEL.r, 1 / MODEL.alpha, n)
    dropout = draw.beta(MODEL.a, MODEL.b, n)
    age = draw.uniform(20, 40, n)
    repeats, span, later = np.zeros(n), np.zeros(n), np.zeros(n)
    now, alive = np.zeros(n), draw.random(n) > dropout
    while alive.any():
        now = now + draw.exponential(1 / np.maximum(rate, 1e-12))
        before, after = alive & (now < age), alive & (now >= age) & (now < age + horizon)
        repeats, span = repeats + before, np.where(before, now, span)
        later = later + after
        alive = (before | after) & (draw.random(n) > dropout)
    return Histories(repeats, span, age), later
