import numpy as np
import pandas as pd
import pytest

from models.leaks import too_telling


@pytest.fixture
def rows():
    """An honest feature, the label in two disguises, and one that is known of the churned only."""
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, 400)
    honest = y + draw.normal(size=400)
    x = pd.DataFrame(
        {
            "honest": honest,
            "orders_next": 5 - 3 * y,
            "copy": y + 0.1 * draw.random(400),
            "reason_left": np.where(y == 1, 1.0, np.nan),
        }
    )
    return x, y


def test_feature_that_tells_nearly_all_is_named_whichever_way_it_points(rows):
    found = too_telling(*rows, limit=0.99)
    assert [s.name for s in found] == ["copy", "orders_next", "reason_left"]
    assert found[0].auc == pytest.approx(1.0)


def test_honest_features_are_not_suspected(rows):
    x, y = rows
    assert too_telling(x[["honest"]], y, limit=0.99) == []


def test_nobody_is_suspected_where_all_end_alike(rows):
    x, y = rows
    assert too_telling(x, np.ones_like(y), limit=0.99) == []
