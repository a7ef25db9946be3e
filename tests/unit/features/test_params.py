"""The features section of params.yaml: what other layers need is there, and nothing twice."""

import pytest
from pydantic import ValidationError

from features.params import FeatureParams


@pytest.mark.parametrize("windows", [[7, 28], [7, 90], [7, 365]])
def test_windows_that_other_features_read_cannot_be_left_out(params, windows):
    with pytest.raises(ValidationError, match=r"windows_days.*90 and 365"):
        FeatureParams.model_validate(params.model_dump() | {"windows_days": windows})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("windows_days", [90, 365, 90]),
        ("half_lives_days", [15, 15]),
    ],
)
def test_repeated_windows_and_half_lives_are_refused(params, key, values):
    with pytest.raises(ValidationError, match=f"{key}.*twice"):
        FeatureParams.model_validate(params.model_dump() | {key: values})


def test_history_cannot_be_shorter_than_the_longest_window(params):
    with pytest.raises(ValidationError, match=r"history_days: Got 364.*365"):
        FeatureParams.model_validate(params.model_dump() | {"history_days": 364})
