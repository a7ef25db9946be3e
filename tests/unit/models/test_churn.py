import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV

from models.churn import Examples, fit_churn, logistic_member
from models.metrics import auc
from models.params import TrainParams
from models.preprocessing import informative, matrix, signed_log
from models.reasons import attributions

PARAMS = TrainParams(
    min_per_class=10, boosting_rounds=10, boosting_leaves=7, learning_rate=0.2, logistic_c=1.0
)


def examples(seed, n=600, shift=0.0):
    """Customers whose risk grows with their silence; a third never visited."""
    draw = np.random.default_rng(seed)
    silence = draw.gamma(2, 10, n)
    x = pd.DataFrame(
        {
            "days_since_last_value": silence,
            "value_events_90d": draw.poisson(3, n).astype(float),
            "days_since_last_visit": np.where(draw.random(n) < 0.3, np.nan, draw.gamma(2, 5, n)),
            "channel_ad_events_90d": np.zeros(n),
        }
    )
    y = (draw.random(n) < expit(shift + (silence - 20) / 5)).astype(int)
    return Examples(x, y)


def chosen(rows, columns):
    return Examples(rows.x[columns], rows.y)


@pytest.fixture(scope="module")
def fitted():
    fit, later = examples(0), examples(1)
    columns = informative(fit.x)
    return fit_churn(chosen(fit, columns), chosen(later, columns), PARAMS, 0), columns


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
    model, columns = fitted
    assert columns == ["days_since_last_value", "value_events_90d", "days_since_last_visit"]
    test = examples(2)
    risk = model.predict_proba(test.x[columns])[:, 1]
    assert np.isfinite(risk).all()
    assert ((risk > 0) & (risk < 1)).all()
    assert auc(test.y, risk) > 0.8


def test_customer_of_whom_nothing_is_known_has_a_risk(fitted):
    model, columns = fitted
    risk = model.predict_proba(pd.DataFrame(np.nan, index=[0], columns=columns))[0, 1]
    assert 0 < risk < 1


def test_later_customers_set_the_general_level():
    """Twice as many churn at the calibration cutoff as at the fit."""
    fit, later, test = examples(0, shift=-2), examples(1, shift=1), examples(2, shift=1)
    columns = informative(fit.x)
    rows = [chosen(part, columns) for part in (fit, later, test)]
    plain = fit_churn(rows[0], None, PARAMS, 0).predict_proba(rows[2].x)[:, 1]
    calibrated = fit_churn(rows[0], rows[1], PARAMS, 0).predict_proba(rows[2].x)[:, 1]
    assert abs(calibrated.mean() - test.y.mean()) < 0.05 < abs(plain.mean() - test.y.mean())


def test_calibration_keeps_the_order():
    fit, later = examples(0), examples(1)
    columns = informative(fit.x)
    rows = [chosen(part, columns) for part in (fit, later)]
    plain = fit_churn(rows[0], None, PARAMS, 0).predict_proba(rows[1].x)[:, 1]
    calibrated = fit_churn(rows[0], rows[1], PARAMS, 0).predict_proba(rows[1].x)[:, 1]
    assert auc(later.y, calibrated) == pytest.approx(auc(later.y, plain))


def test_calibration_customers_of_one_kind_are_not_used():
    fit = chosen(examples(0), ["days_since_last_value", "value_events_90d"])
    alike = Examples(fit.x.head(50), np.zeros(50, dtype=int))
    assert not isinstance(fit_churn(fit, alike, PARAMS, 0), CalibratedClassifierCV)


def test_same_seed_gives_the_same_bytes():
    columns = ["days_since_last_value", "value_events_90d"]
    fit, later, test = (chosen(examples(seed), columns) for seed in (0, 1, 2))
    one, again = (fit_churn(fit, later, PARAMS, 3).predict_proba(test.x) for _ in range(2))
    assert one.tobytes() == again.tobytes()


@pytest.mark.parametrize("calibrated", [True, False])
def test_shares_add_up_to_the_log_odds_of_the_logistic_member(fitted, calibrated):
    model, columns = fitted
    if not calibrated:
        model = fit_churn(chosen(examples(0), columns), None, PARAMS, 0)
    member, x = logistic_member(model), examples(2).x[columns]
    names, shares = attributions(member, x)
    assert sorted(names) == sorted(columns)
    log_odds = shares.sum(axis=1) + member["model"][-1].intercept_[0]
    assert np.abs(log_odds - member.decision_function(x)).max() < 1e-9


def test_share_of_silence_grows_with_the_silence(fitted):
    model, columns = fitted
    member, x = logistic_member(model), examples(2).x[columns]
    names, shares = attributions(member, x)
    silence = x["days_since_last_value"].to_numpy()
    own = shares[:, names.index("days_since_last_value")]
    assert (np.diff(own[np.argsort(silence)]) >= 0).all()
    assert own[silence.argmin()] < 0 < own[silence.argmax()]
