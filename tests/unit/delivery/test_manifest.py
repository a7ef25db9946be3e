"""The manifest: counts add up, and nothing in it is a time."""

import hashlib
import json
from datetime import date

import pytest

from delivery.manifest import file_entry, manifest, manifest_text
from features.errors import DataError


def written(scored, table):
    content = manifest(
        as_of=date(2017, 12, 2),
        run_id="run-1",
        scored=scored,
        decisions=table,
        files={"actions.csv": file_entry(b"a\n1\n", 1)},
        versions={"keepwell": "0.1.0"},
        hashes={"scores": "ab"},
    )
    return manifest_text(content)


def test_counts_add_up_and_every_exit_reason_is_counted(decisions, exported):
    table = decisions(
        exported("1"),
        {"customer_id": "2", "outcome": "held_out", "exit_reason": "holdout"},
        {"customer_id": "3", "outcome": "suppressed", "exit_reason": "no_consent"},
        {"customer_id": "4", "outcome": "no_action", "exit_reason": "no_gain"},
        {"customer_id": "5", "outcome": "no_action", "exit_reason": "no_gain"},
    )
    assert json.loads(written(5, table))["counts"] == {
        "scored": 5,
        "exported": 1,
        "held_out": 1,
        "suppressed": 1,
        "no_action": 2,
        "by_exit_reason": {"holdout": 1, "no_consent": 1, "no_gain": 2},
        "erased": 0,
    }


@pytest.mark.parametrize(
    "row",
    [
        {"outcome": "vanished", "exit_reason": "budget"},
        {"outcome": "no_action", "exit_reason": None},
    ],
)
def test_customer_who_vanishes_is_refused(decisions, exported, row):
    table = decisions(exported("1"), {"customer_id": "2"} | row)
    with pytest.raises(DataError, match="do not add up"):
        written(2, table)


def test_score_without_a_decision_is_refused(decisions, exported):
    with pytest.raises(DataError, match="Expected 2"):
        written(2, decisions(exported("1")))


def test_same_inputs_give_the_same_bytes_without_a_clock(decisions, exported):
    text = written(1, decisions(exported("1")))
    assert text == written(1, decisions(exported("1")))
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_file_entry_is_the_checksum_of_its_bytes():
    expected = hashlib.sha256(b"abc").hexdigest()
    assert file_entry(b"abc", 2) == {"sha256": expected, "bytes": 3, "rows": 2}
