import pytest

from models.gate import Rival, Verdict, judge, spoken
from models.metrics import Interval

SOUND = Verdict(True, "")
UNSOUND = Verdict(False, "calibration error 0.090 is above gate.max_ece 0.05")
DULL = Rival("recency", Interval(0.01, 0.03, 0.05))
BEST = Rival("rfm_logistic", Interval(-0.005, 0.01, 0.02))
NAN = Interval(float("nan"), float("nan"), float("nan"))


def test_better_than_the_dull_rule_and_ahead_of_the_best_baseline_is_promoted():
    assert judge("AUC", DULL, BEST, None, SOUND) == (
        True,
        "surely better than recency; against rfm_logistic "
        "AUC +0.010 (95 % interval -0.005 to +0.020)",
    )


@pytest.mark.parametrize("low", [0.0, -0.001])
def test_interval_that_reaches_zero_is_refused(low):
    dull = Rival("recency", Interval(low, 0.02, 0.04))
    promote, why = judge("AUC", dull, BEST, None, SOUND)
    assert not promote
    assert why.startswith("not surely better than recency: AUC +0.020 (95 % interval ")


def test_gain_that_could_not_be_measured_is_refused():
    promote, why = judge("AUC", Rival("recency", NAN), Rival("recency", NAN), None, SOUND)
    assert not promote
    assert why.startswith("not surely better than recency")


@pytest.mark.parametrize("mean", [0.0, -0.01, float("nan")])
def test_baseline_that_is_not_beaten_is_refused(mean):
    best = Rival("rfm_logistic", Interval(-0.02, mean, 0.02))
    promote, why = judge("AUC", DULL, best, None, SOUND)
    assert not promote
    assert why.startswith("does not beat rfm_logistic: AUC ")


def test_probabilities_that_cannot_be_trusted_are_refused():
    assert judge("AUC", DULL, BEST, None, UNSOUND) == UNSOUND


def test_champion_that_is_surely_better_stays():
    champion = Rival("champion", Interval(-0.03, -0.02, -0.01))
    assert judge("AUC", DULL, BEST, champion, SOUND) == (
        False,
        "loses to the champion: AUC -0.020 (95 % interval -0.030 to -0.010)",
    )


@pytest.mark.parametrize("high", [0.0, 0.01])
def test_champion_that_is_not_surely_better_goes(high):
    champion = Rival("champion", Interval(-0.03, -0.02, high))
    assert judge("AUC", DULL, BEST, champion, SOUND).promote


def test_first_refusal_is_the_one_that_is_told():
    dull = Rival("recency", Interval(-0.01, 0.0, 0.01))
    champion = Rival("champion", Interval(-0.03, -0.02, -0.01))
    assert "recency" in judge("AUC", dull, BEST, champion, UNSOUND).why


def test_gain_is_spoken_with_its_sign_and_interval():
    gain = Interval(-0.0004, 0.0123, 0.0251)
    assert spoken("log-loss", gain) == "log-loss +0.012 (95 % interval -0.000 to +0.025)"
