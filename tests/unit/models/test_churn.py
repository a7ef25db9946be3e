from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import expit, logit
from threadpoolctl import threadpool_limits

from features.params import ChurnParams
from models.churn import HISTORY, MEMBERS, Examples, histories
from models.fitting import Task, fit_churn
from models.metrics import auc
from models.preprocessing import informative, matrix, signed_log

LABEL = ChurnParams(horizon_days=30, gap_days=0, lookback_days=90)
JANUARY, MARCH, MAY = (date(2018, month, 1) for month in (1, 3, 5))
COLUMNS = ["days_since_last_value", "value_events_90d", "days_since_last_visit", *HISTORY]


def examples(seed, n=600, shift=0.0, as_of=JANUARY):
    """Customers whose risk grows with their silence; a third never visited."""
    draw = np.random.default_rng(seed)
    silence = draw.gamma(2, 10, n).round()
    repeats = draw.poisson(3, n).astype(float)
    span = np.where(repeats > 0, draw.gamma(4, 20, n).round(), 0.0)
    x = pd.DataFrame(
        {
            "days_since_last_value": silence,
            "value_events_90d": draw.poisson(3, n).astype(float),
            "days_since_last_visit": np.where(draw.random(n) < 0.3, np.nan, draw.gamma(2, 5, n)),
            "channel_ad_events_90d": np.zeros(n),
            "value_gaps": repeats,
            "value_span_days": span,
            "days_since_first_value": span + silence,
        }
    )
    y = (draw.random(n) < expit(shift + (silence - 20) / 5)).astype(int)
    return Examples(x, y, np.full(n, np.datetime64(as_of)))


def both(one, other):
    x = pd.concat([one.x, other.x], ignore_index=True)[COLUMNS]
    return Examples(x, np.append(one.y, other.y), np.append(one.as_of, other.as_of))


@pytest.fixture(scope="module")
def fit(quick_training):
    def of(rows, seed=0):
        rows = rows._replace(x=rows.x[COLUMNS])
        buyers = dict.fromkeys((JANUARY, MARCH, MAY), histories(rows.x))
        return fit_churn(Task(rows, buyers, LABEL, quick_training, seed))

    return of


@pytest.fixture(scope="module")
def fitted(fit):
    return fit(both(examples(0), examples(1, as_of=MARCH)))


def test_column_that_is_constant_or_unknown_tells_nobody_apart():
    x = pd.DataFrame(
        {"varies": [1.0, 2.0, np.nan], "constant": [3.0, 3.0, np.nan], "unknown": np.nan}
    )
    assert informative(x) == ["varies"]


def test_matrix_holds_the_named_columns_as_numbers_and_null_as_nan():
    rows = pl.DataFrame({"id": ["x", "y"], "b": [1, None], "a": [True, False]})
    x = matrix(rows, ["a", "b"])
    assert x.columns.to_list() == ["a", "b"]
    assert x.dtypes.eq("float64").all()
    assert x.to_numpy() == pytest.approx(np.array([[1, 1], [0, np.nan]]), nan_ok=True)


def test_signed_log_is_odd_and_keeps_zero_and_nan():
    tamed = signed_log(np.array([0.0, np.e - 1, 1 - np.e, np.nan]))
    assert tamed == pytest.approx(np.array([0, 1, -1, np.nan]), nan_ok=True)


def test_it_learns_in_spite_of_constant_and_unknown_values(fitted):
    test = examples(2)
    assert informative(test.x) == COLUMNS
    risk = fitted.predict_proba(test.x[COLUMNS])[:, 1]
    assert ((risk > 0) & (risk < 1)).all()
    assert auc(test.y, risk) > 0.8


def test_customer_of_whom_nothing_is_known_has_a_risk(fitted):
    risk = fitted.predict_proba(pd.DataFrame(np.nan, index=[0], columns=COLUMNS))[0, 1]
    assert 0 < risk < 1


def test_level_of_the_latest_cutoff_does_not_move_the_level(fit):
    """Twice as many churn at the held-out cutoff: that alone does not foretell the next."""
    model = fit(both(examples(0, n=3000, shift=-1), examples(1, n=3000, shift=1, as_of=MARCH)))
    assert abs(model.blend_["intercept"]) < 0.5


def test_boosting_does_not_take_the_level_of_a_past_date_for_something_of_the_customer(fit):
    """Everybody's first order is two months older in March, when twice as many churn."""
    early, late = (
        examples(seed, n=3000, shift=shift, as_of=day)
        for seed, shift, day in ((0, -1, JANUARY), (1, 1, MARCH))
    )
    for rows, age in ((early, 10.0), (late, 70.0)):
        rows.x["days_since_first_value"] = age
    model = fit(both(early, late))
    young, old = (early.x[COLUMNS].assign(days_since_first_value=age) for age in (10.0, 70.0))
    assert model.member_logits(young)[:, 0] == pytest.approx(
        model.member_logits(old)[:, 0], abs=0.1
    )


def test_held_out_customers_of_one_kind_are_not_used(fit):
    alike = examples(1, n=50, as_of=MARCH)._replace(y=np.zeros(50, dtype=int))
    model = fit(both(examples(0), alike))
    assert model.blend_ == {"weights": dict.fromkeys(MEMBERS, 1 / 3), "intercept": 0.0}


def test_same_seed_gives_the_same_bytes(fit):
    rows = both(examples(0), examples(1, as_of=MARCH))
    one, again = (fit(rows, 3).predict_proba(examples(2).x[COLUMNS]) for _ in range(2))
    assert one.tobytes() == again.tobytes()


def test_attributions_add_up_to_the_log_odds_of_each_member_and_of_the_risk(fitted):
    x = examples(2).x[COLUMNS]
    logits = fitted.member_logits(x)
    assert np.abs(fitted.boosting_attributions(x).sum(axis=1) - logits[:, 0]).max() < 1e-9
    assert np.abs(fitted.logistic_attributions(x).sum(axis=1) - logits[:, 1]).max() < 1e-9
    risk = fitted.predict_proba(x)[:, 1]
    assert np.abs(fitted.attributions(x).sum(axis=1) - logit(risk)).max() < 1e-9


def test_share_of_silence_is_larger_for_the_silent(fitted):
    x = examples(2).x[COLUMNS]
    silence = x["days_since_last_value"].to_numpy()
    own = fitted.attributions(x)[:, COLUMNS.index("days_since_last_value")]
    assert own[silence.argmin()] < 0 < own[silence.argmax()]


def test_p_alive_stands_beside_the_risk(fitted):
    x = examples(2).x[COLUMNS]
    alive, buys = fitted.p_alive(x), fitted.p_purchase(x)
    assert ((buys > 0) & (buys < alive) & (alive < 1)).all()


def test_one_thread_and_two_give_the_same_bytes(fit):
    rows = both(examples(0, n=2000), examples(1, n=2000, as_of=MARCH))
    digests = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads):
            digests.append(fit(rows).predict_proba(examples(2, n=2000).x[COLUMNS]).tobytes())
    assert digests[0] == digests[1]
