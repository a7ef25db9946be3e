"""The files that a marketer loads, byte for byte.

A change of one of these files is a change for everybody who loads them: name it in CHANGELOG.md,
and copy the new file from the folder that the failing test names.
"""

import csv
import json
import re
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent
# Hashes of the shipped catalogue, which may change while the files keep their form.
HASHED = ("decision_id", "run_id", "catalogue_version", "keepwell_decision_id")


def without_hashes(text):
    rows = list(csv.DictReader(text.splitlines()))
    return [
        {**row, **{name: re.sub(r"\w", "*", row[name]) for name in HASHED if name in row}}
        for row in rows
    ]


def test_action_file_is_what_it_was(delivered):
    text = (delivered / "actions.csv").read_bytes().decode("utf-8")
    golden = (GOLDEN / "actions.csv").read_bytes().decode("utf-8")
    assert text.splitlines()[0] == golden.splitlines()[0]
    assert without_hashes(text) == without_hashes(golden), delivered


@pytest.mark.parametrize("name", ["braze.csv", "mailchimp.csv", "opt_out_braze.csv"])
def test_platform_file_is_what_it_was(delivered, name):
    text = (delivered / name).read_bytes().decode("utf-8")
    golden = (GOLDEN / name).read_bytes().decode("utf-8")
    assert without_hashes(text) == without_hashes(golden), delivered
    assert text.splitlines()[0] == golden.splitlines()[0]


def test_dictionary_is_what_it_was(delivered):
    assert (delivered / "dictionary.md").read_text("utf-8") == (GOLDEN / "dictionary.md").read_text(
        "utf-8"
    )


def test_manifest_says_what_it_said(delivered):
    manifest = json.loads((delivered / "manifest.json").read_text("utf-8"))
    assert sorted(manifest) == [
        "as_of", "counts", "files", "hashes", "platforms", "run_id", "schema_version", "versions",
    ]  # fmt: skip
    assert manifest["schema_version"] == 2
    assert manifest["as_of"] == "2025-12-01"
    assert manifest["counts"]["scored"] == 5  # six known, one of whom objected
