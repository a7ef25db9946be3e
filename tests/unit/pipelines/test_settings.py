"""Values of params.yaml change; its comments and everything else stay."""

import pytest
import yaml

from features.errors import ConfigurationError
from pipelines.settings import with_values

TEXT = """\
# The run.
run:
  # First day not seen.
  as_of: "2018-01-01"
  seed: 0 # any
churn:
  seed: 3
  windows: [7, 28]
"""


def test_only_the_named_value_changes():
    changed = with_values(TEXT, {"run.seed": 5, "run.as_of": "2026-01-01"})
    assert changed == TEXT.replace("seed: 0", "seed: 5").replace("2018", "2026")


def test_key_of_the_right_section_is_changed():
    assert yaml.safe_load(with_values(TEXT, {"churn.seed": 9}))["run"]["seed"] == 0
    assert yaml.safe_load(with_values(TEXT, {"churn.seed": 9}))["churn"]["seed"] == 9


@pytest.mark.parametrize("value", ['say "hi"', "back\\slash", "Ærø: yes", True, None, 0.5, ["a"]])
def test_any_value_is_read_back_as_it_was_given(value):
    assert yaml.safe_load(with_values(TEXT, {"run.seed": value}))["run"]["seed"] == value


@pytest.mark.parametrize("name", ["run.horizon", "features.seed", "seed", "run"])
def test_key_that_is_not_there_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"no key '{name}' to change"):
        with_values(TEXT, {name: 1})
