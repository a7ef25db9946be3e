"""Change values in ``params.yaml`` and keep its comments."""

import json
from collections.abc import Mapping

import yaml

from features.errors import ConfigurationError, UsageError


def with_values(text: str, values: Mapping[str, object]) -> str:
    """The text of ``params.yaml`` with some values replaced.

    Parameters
    ----------
    text : str
        Sections at the left margin, keys indented by two, one a line.
    values : mapping
        ``section.key`` -> new value; written as JSON, which is YAML too (text in double quotes).

    Raises
    ------
    ConfigurationError
        If a key is not there.
    """
    for name, value in values.items():
        text = _with_value(text, name, json.dumps(value, ensure_ascii=False))
    return text


def parsed(settings: list[str]) -> dict[str, object]:
    """``section.key=value`` texts as a mapping; values as YAML reads them.

    Raises
    ------
    UsageError
        If one has no value.
    """
    pairs = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if not value:
            raise UsageError(
                f"--set: no value. Got {setting!r}. Expected section.key=value, for example "
                f"recommend.budget_cents=80000."
            )
        pairs[name] = yaml.safe_load(value)
    return pairs


def _with_value(text: str, name: str, value: str) -> str:
    section, _, key = name.partition(".")
    lines = text.splitlines(keepends=True)
    inside = ""
    for number, line in enumerate(lines):
        if line[:1].isalpha():
            inside = line.partition(":")[0]
        elif inside == section and line.startswith(f"  {key}: "):
            comment = line.partition(" #")[2]
            lines[number] = f"  {key}: {value}" + (f" #{comment}" if comment else "\n")
            return "".join(lines)
    raise ConfigurationError(f"params.yaml: no key {name!r} to change. Restore the file.")
