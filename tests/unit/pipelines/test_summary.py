"""What is said at the end of a run."""

import polars as pl
import pytest

from pipelines.summary import assumed_share


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        (["assumed", None, "assumed"], " (all effects are assumptions so far)"),
        (["assumed", "measured", "measured", None], " (33.3% of the effects are assumptions)"),
        (["measured", None], ""),
        ([None], ""),
    ],
)
def test_how_much_rests_on_assumptions_is_said(bases, said):
    decisions = pl.DataFrame({"basis": bases}, schema={"basis": pl.String})
    assert assumed_share(decisions) == said
