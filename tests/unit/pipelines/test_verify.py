"""A delivered folder is proven to be what its run wrote, and no more."""

from datetime import date

import pytest
import yaml

from delivery.manifest import file_entry, manifest_text
from delivery.platforms import PlatformCatalogue
from features.errors import DataError, InputMissingError, UsageError
from pipelines.verify import check_export, verdict, verify

TODAY = date(2026, 1, 1)
FILES = {"actions.csv": b"customer_id\n001\n", "report.html": b"<p>Hello</p>"}


@pytest.fixture
def folder(tmp_path):
    entries = {name: file_entry(content, 1) for name, content in FILES.items()}
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "manifest.json").write_text(manifest_text({"files": entries}))
    return tmp_path


@pytest.fixture(scope="module")
def platforms(request):
    path = request.config.rootpath / "catalogue" / "platforms.yaml"
    return PlatformCatalogue.model_validate(yaml.safe_load(path.read_text("utf-8")))


def test_folder_as_it_was_written_is_proven(folder):
    assert verify(folder) == 2


SPOILT = {
    "one byte is changed": (
        lambda f: (f / "actions.csv").write_bytes(b"customer_id\n002\n"),
        "changed: actions.csv",
    ),
    "a line is added": (
        lambda f: (f / "actions.csv").write_bytes(FILES["actions.csv"] + b"2\n"),
        "changed: actions.csv",
    ),
    "a file is gone": (lambda f: (f / "report.html").unlink(), "missing: report.html"),
    "a file is renamed": (
        lambda f: (f / "report.html").rename(f / "old.html"),
        "missing: report.html; changed: none; not in the manifest: old.html",
    ),
    "a file has joined": (
        lambda f: (f / "list.csv").write_bytes(b"x"),
        "not in the manifest: list.csv",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_folder_is_refused_when(folder, case):
    spoil, said = SPOILT[case]
    spoil(folder)
    with pytest.raises(DataError, match=said):
        verify(folder)


def test_folder_without_a_manifest_is_not_taken(tmp_path):
    with pytest.raises(InputMissingError):
        verify(tmp_path)


def test_file_that_a_platform_takes_is_said_to_be_ok(tmp_path, platforms):
    (tmp_path / "list.csv").write_text("Email Address\nada@example.org\n")
    said = verdict(tmp_path / "list.csv", "mailchimp", platforms, TODAY, as_json=False)
    assert said == ("ok: Mailchimp takes list.csv", 0)


def test_file_that_a_platform_refuses_gives_the_rule_and_a_code_of_its_own(tmp_path, platforms):
    (tmp_path / "list.csv").write_text("Email Address\nnobody\n")
    text, code = verdict(tmp_path / "list.csv", "mailchimp", platforms, TODAY, as_json=False)
    assert "email_form: line 2, Email Address" in text
    assert code == 65
    as_json, code = verdict(tmp_path / "list.csv", "mailchimp", platforms, TODAY, as_json=True)
    assert [(one["rule"], one["line"]) for one in yaml.safe_load(as_json)] == [("email_form", 2)]
    assert code == 65


def test_unknown_platform_is_refused_with_those_known(tmp_path, platforms):
    (tmp_path / "list.csv").write_text("x\n")
    with pytest.raises(UsageError, match="Known: braze, klaviyo"):
        check_export(tmp_path / "list.csv", "myspace", platforms, TODAY)
