from typing import get_args

import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from actions.catalogue import Tactic
from actions.sensitivity import (
    ENGAGEMENT_SCORES,
    ENGAGEMENT_TYPE,
    affinity,
    kind_of,
    responsiveness,
    score_of,
    sensitivity,
    shown,
)


@pytest.mark.parametrize(
    ("p", "staying", "order"),
    # nobody counts as less likely to stay than .01
    [
        (0.5, 1.0, 1.0),
        (0.1, 0.6, 1.8),
        (0.9, 0.6, 0.2),
        (1.0, 0.0, 0.0),
        (0.01, 0.198997, 1.98),
        (0.0, 0.198997, 2.0),
    ],
)
def test_toss_up_is_moved_by_1_and_the_certain_by_nothing(p, staying, order):
    one, who = np.ones(1), np.array([p])
    assert shown("retain", who, sensitivity(who, None)) == pytest.approx([staying], abs=1e-6)
    assert shown("next_value", who, sensitivity(who, one)) == pytest.approx([order])
    assert (sensitivity(who, None) == responsiveness(who)).all()


def test_affinity_follows_the_order_of_the_scores_and_is_1_on_average():
    score = pl.Series(np.random.default_rng(0).uniform(0, 100, 5000))
    fond = affinity(score)
    assert fond.mean() == pytest.approx(1)
    assert (rankdata(fond) == rankdata(score)).all()
    assert fond == pytest.approx(affinity(score.sqrt()))  # only the order counts
    assert np.median(fond) == pytest.approx(np.log(2), abs=0.001)  # as of an exponential


def test_who_does_not_differ_has_the_same_affinity():
    assert affinity(pl.Series([7.0, 7.0, 7.0])).tolist() == pytest.approx([1, 1, 1])
    assert affinity(pl.Series([], dtype=pl.Float64)).tolist() == []


def test_unknown_score_is_the_lowest():
    low, high, unknown = affinity(pl.Series([10.0, 90.0, None]))
    assert unknown < low < high


def test_action_may_offer_another_type_than_its_tactic_does(catalogue):
    plain, own, staying = catalogue(
        {}, {"id": "own", "engagement_type": "social"}, {"id": "staying", "goal": "retain"}
    ).actions
    assert [kind_of(a) for a in (plain, own, staying)] == ["transactional", "social", None]


def test_every_tactic_offers_one_of_the_engagement_types():
    assert set(ENGAGEMENT_TYPE) == set(get_args(Tactic))
    assert {score_of(kind) for kind in ENGAGEMENT_TYPE.values()} == set(ENGAGEMENT_SCORES)
