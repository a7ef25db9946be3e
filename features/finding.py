"""What monitoring found: one line a check, in words that a marketer can read."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

Severity = Literal["ok", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("ok", "warning", "error")


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    check : str
        For example ``volume`` or ``feature_drift``.
    severity : str
        ``ok``, ``warning`` or ``error``.
    words : str
        What was found, with its figures and limits; counts and names of columns only.
    """

    check: str
    severity: Severity
    words: str


def worst(findings: Sequence[Finding]) -> Severity:
    """The highest severity among findings; ``ok`` where there are none."""
    return SEVERITIES[max((SEVERITIES.index(f.severity) for f in findings), default=0)]
