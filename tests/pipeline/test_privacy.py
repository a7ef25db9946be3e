"""Addresses and names stay where they belong, and only the owner may read what is written."""

import zipfile

import polars as pl
import pytest

# Where identities may stand: the company's own export, the table of identities, and the files
# that are made for sending.
MAY = ("raw/", "state/tables/", "outbox/")
IDENTITY_FREE = ("report.html", "decisions.parquet", "manifest.json", "dictionary.md")


@pytest.fixture(scope="module")
def secrets(done):
    rows = pl.read_csv(done.project.root / "raw" / "contacts.csv", infer_schema=False)
    columns = ("email", "phone")
    return [value.encode() for name in columns for value in rows[name].drop_nulls() if value]


def content(path):
    if path.suffix == ".parquet":
        texts = pl.read_parquet(path).select(pl.col(pl.String))
        return "\n".join(v for c in texts for v in c.drop_nulls().to_list()).encode()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return path.read_bytes()


def test_no_address_is_in_a_model_the_store_the_state_or_the_report(done, secrets):
    root = done.project.root
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    looked_at = [
        path
        for path in files
        if not str(path.relative_to(root)).startswith(MAY) or path.name in IDENTITY_FREE
    ]
    assert {"mlflow.db", "report.html", "scores.parquet"} <= {path.name for path in looked_at}
    found = [
        path.relative_to(root)
        for path in looked_at
        for text in [content(path)]
        if any(secret in text for secret in secrets)
    ]
    assert found == []


def test_delivered_files_are_the_owners_alone(done):
    for path in done.project.outbox.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), path.name
