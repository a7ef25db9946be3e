"""Generated files of any dress and damage: no row is lost, none is changed in silence.

The files are those of ``python -m benchmarks.ingest --hostile``, which runs many thousands; here
Hypothesis draws them, so that a file that breaks the rule is shrunk to a small seed.
"""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.hostile import FILES, judge

NAMES = {make.__name__: make for make in FILES}


@settings(
    deadline=None,
    max_examples=4,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("kind", NAMES)
@given(seed=st.integers(0, 2**32))
def test_no_row_of_a_hostile_file_is_lost_or_changed(tmp_path, kind, seed):
    verdict = judge(NAMES[kind](random.Random(seed)), tmp_path / "case")
    assert (verdict.rows_lost, verdict.silent_coercions, verdict.tracebacks) == (0, 0, 0)
