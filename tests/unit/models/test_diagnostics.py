import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from models.diagnostics import judged_by, lift_by_group

Y = np.array([1, 1, 0, 1, 0, 0, 0, 0])
P = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1])


def test_lift_is_the_groups_rate_over_everybodys():
    table = lift_by_group(Y, P, groups=2)
    assert table["churned"].to_list() == [0.75, 0.0]
    assert table["lift"].to_list() == [2.0, 0.0]  # 3 of 8 churned
    assert table["found"].to_list() == [1.0, 1.0]
    assert table["predicted"].to_list() == pytest.approx([0.75, 0.25])


def test_groups_are_judged_apart_as_scikit_learn_does():
    rows = pl.DataFrame({"churned": Y == 1, "risk": P, "kind": list("aaaabbbb")})
    first = judged_by(rows, "kind").row(0, named=True)
    assert first["auc"] == roc_auc_score(Y[:4], P[:4])
    assert first["log_loss"] == pytest.approx(log_loss(Y[:4], P[:4]))
    assert (first["customers"], first["churned"]) == (4, 0.75)


def test_the_auc_of_a_group_that_ended_alike_is_unknown():
    rows = pl.DataFrame({"churned": Y == 1, "risk": P, "kind": list("aaaabbbb")})
    assert np.isnan(judged_by(rows, "kind")["auc"][1])
