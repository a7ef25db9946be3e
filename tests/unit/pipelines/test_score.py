"""A champion is only asked what it can answer."""

from types import SimpleNamespace

import numpy as np
import pytest

from features.errors import DataError
from models.scoring import Champion
from pipelines.score import check_features

READS = SimpleNamespace(feature_names_in_=np.array(["visits", "orders_14d", "current_code"]))


def test_champion_that_reads_features_which_are_no_longer_made_is_refused_by_name():
    with pytest.raises(DataError, match=r"champion shop-churn@abc: .* Got 1 missing.*orders_14d"):
        check_features(Champion(READS, "shop-churn@abc"), ["visits"])


def test_champion_whose_features_are_all_there_is_taken():
    check_features(Champion(READS, "shop-churn@abc"), ["visits", "orders_14d", "more"])
    check_features(None, [])
