"""Whether the run looks as it should: what monitoring found, in the report's words."""

from collections.abc import Mapping
from typing import Any

from delivery import formats
from delivery.pieces import TextTable

CHECKS = {
    "contract": "Promises of a source",
    "flow": "Events of the week",
    "stopped": "Events that stopped",
    "volume": "Number of events",
    "content": "What events hold",
    "feature_drift": "What is known of customers",
    "score_drift": "Scores",
    "equal_scores": "Risks tell customers apart",
    "flips": "Changes of stage and level",
    "calibration": "Past predictions",
    "one_action": "Variety of actions",
    "use": "Budget and capacities",
}
SEVERITIES = {"ok": "fine", "warning": "look at it", "error": "wrong"}


def watched(found: Mapping[str, Any] | None) -> TextTable | None:
    """Everything that monitoring looked at, the worst first; None where nothing was monitored.

    Parameters
    ----------
    found : mapping or None
        ``as_of``, ``status``, ``compared_with`` and ``findings``.
    """
    if found is None:
        return None
    order = list(SEVERITIES)
    findings = sorted(found["findings"], key=lambda f: -order.index(f["severity"]))
    rows = tuple((CHECKS[f["check"]], SEVERITIES[f["severity"]], f["words"]) for f in findings)
    earlier = found["compared_with"]
    against = f", compared with {formats.day(earlier)}" if earlier else ""
    return TextTable(
        f"Health of this run{against}", ("Looked at", "Verdict", "Found"), rows, labels=3
    )
