"""A person who is forgotten is in no file of the project, and no later file brings them back."""

import csv
import io
import re
import shutil
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines.cli import commands
from pipelines.project import Project
from pipelines.steps import ingest
from pipelines.verify import verify


def texts_of(path):
    """All that a file says, as text, by means of its own; not by Keepwell's search."""
    content = path.read_bytes()
    if content.startswith(b"PAR1"):
        return pq.read_table(path).to_pandas().to_csv()
    if content.startswith(b"SQLite"):
        with sqlite3.connect(path) as base:
            return "\n".join(base.iterdump())
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "\n".join(archive.read(n).decode("utf-8", "replace") for n in archive.namelist())
    return content.decode("utf-8", "replace") + content.decode("utf-16", "replace")


def holding(folder, needles):
    """Files that hold one of the texts as a word of its own, in their name or their content."""
    either = "|".join(map(re.escape, needles))
    sought = re.compile(rf"(?<![0-9A-Za-z.])({either})(?![0-9A-Za-z])", re.IGNORECASE)
    files = [p for p in Path(folder).rglob("*") if p.is_file() and not p.is_symlink()]
    named = {str(p.relative_to(folder)): p for p in files}
    return [name for name, p in named.items() if sought.search(f"{name}\n{texts_of(p)}")]


def forget(project, customer_id):
    words = ["forget", "-", "--project", str(project.root)]
    return CliRunner().invoke(commands, words, input=f"{customer_id}\n")


@pytest.fixture(scope="module")
def canary(done):
    """Somebody on whom an action was decided, and who has addresses."""
    tables = done.project.root / "state" / "tables"
    acted = pl.read_csv(done.project.outbox / "latest" / "actions.csv", infer_schema=False)
    people = pl.read_parquet(tables / "identities.parquet").drop_nulls(["email", "phone"])
    row = people.filter(pl.col("customer_id").is_in(acted["customer_id"].implode())).row(
        0, named=True
    )
    return [row["customer_id"], row["email"], row["phone"]]


@pytest.fixture(scope="module")
def planted(done, canary, tmp_path_factory):
    """A copy of a project that has run, with the canary in every corner where it could be."""
    root = tmp_path_factory.mktemp("planted") / "shop"
    shutil.copytree(done.project.root, root, symlinks=True)
    shutil.rmtree(root / "truth")  # of the simulation alone
    shutil.copytree(root / "state", root / "data")
    own, email, phone = canary
    cache = root / ".dvc" / "cache" / "files" / "md5" / "ab"
    cache.mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    pl.DataFrame({"customer_id": [own]}).write_parquet(cache / "cdef")
    (cache / "cdef").chmod(0o444)
    (root / "mlartifacts").mkdir(exist_ok=True)
    (root / "mlartifacts" / "sample.txt").write_text(f"contact {email}", "utf-16")
    with sqlite3.connect(root / "mlflow.db") as base:
        base.execute("CREATE TABLE notes (said TEXT)")
        base.execute("INSERT INTO notes VALUES (?)", (f"for {own}, {phone}",))
    (root / "nightly.log").write_text(f"started\nsent to {email.upper()}\nended\n")
    (root / "state" / "evaluation" / f"{own}.json").write_text("{}")
    return Project(root)


@pytest.fixture(scope="module")
def exports(planted):
    """The sources' files as they were before, the canary among them."""
    return {p: p.read_bytes() for p in (planted.root / "raw").rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def forgotten(planted, canary, exports):
    assert len(holding(planted.root, canary)) > 15
    return forget(planted, canary[0])


def test_person_is_in_no_file_by_name_or_content(forgotten, planted, canary):
    assert forgotten.exit_code == 0, forgotten.output
    assert holding(planted.root, canary) == []
    assert "found nothing" in forgotten.output


def test_command_does_not_repeat_who_was_forgotten(forgotten, canary):
    assert [text for text in canary if text in forgotten.output] == []


def test_nothing_else_is_lost(forgotten, planted, canary, exports):
    for path, content in exports.items():
        if path.suffix == ".csv":
            rows = [r for r in csv.reader(io.StringIO(content.decode())) if not {*r} & {*canary}]
            assert list(csv.reader(io.StringIO(path.read_text()))) == rows
    assert (planted.root / "nightly.log").read_text() == "started\nended\n"


def test_delivery_that_lost_a_row_is_still_whole(forgotten, planted):
    assert verify(planted.outbox / "latest") > 0


def test_forgetting_twice_is_no_mistake(forgotten, planted, canary):
    again = forget(planted, canary[0])
    assert (again.exit_code, "done before" in again.output) == (0, True)


def test_later_export_does_not_bring_the_person_back(forgotten, planted, canary, exports):
    for path, content in exports.items():
        path.write_bytes(content + content.splitlines(keepends=True)[-1])
    accounts = ingest(planted, planted.paths("state"))
    assert sum(account["reasons"].get("forgotten", 0) for account in accounts) > 0
    assert holding(planted.root / "state" / "tables", canary) == []
    assert forget(planted, canary[0]).exit_code == 0


def test_id_that_nobody_has_is_refused_and_changes_nothing(planted, forgotten):
    before = (planted.root / "catalogue" / "forgotten.csv").read_bytes()
    error = forget(planted, "nobody-of-this-id").exception
    assert error.exit_code == 66
    assert "nobody-of-this-id" not in str(error)
    assert (planted.root / "catalogue" / "forgotten.csv").read_bytes() == before


def test_file_of_the_company_that_no_source_names_is_named_and_not_touched(
    forgotten, planted, canary, exports
):
    letter = planted.root / f"letter-{canary[0]}.md"
    letter.write_text(f"Dear {canary[1]}")
    error = forget(planted, canary[0]).exception
    assert error.exit_code == 65
    assert "letter-***.md" in str(error)
    assert letter.exists()
    letter.unlink()
