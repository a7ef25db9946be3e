"""Records about a person leave a text file; every other byte of it stays."""

import gzip

import polars as pl
import pytest

from pipelines.erasure.person import person_of
from pipelines.erasure.records import drop_records
from pipelines.erasure.search import holds
from pipelines.erasure.tables import drop_rows


@pytest.fixture
def person(tmp_path):
    people = {"customer_id": ["42", "7"], "email": ["Eva@Example.com", "x@y.org"],
              "phone": ["+49 30 1234567", None]}  # fmt: skip
    pl.DataFrame(people).write_parquet(tmp_path / "identities.parquet")
    return person_of("42", [tmp_path / "identities.parquet"], ["member"])


@pytest.mark.parametrize(
    ("name", "written", "left"),
    [
        ("a.csv", "member,n\n42,1\n7,42\n", "member,n\n7,42\n"),
        ("b.csv", 'member,said\n42,"two\nlines"\n7,"more\r\nlines"\n',
         'member,said\n7,"more\r\nlines"\n'),
        ("c.csv", "name;mail\nE;eva@example.COM\nF;f@f.org\n", "name;mail\nF;f@f.org\n"),
        ("d.csv", "phone_number,n\n'+49301234567,1\n+15551,2", "phone_number,n\n+15551,2"),
        ("e.jsonl", '{"member": 42}\n{"n": 42}\nnot json\n', '{"n": 42}\nnot json\n'),
        ("f.jsonl", '{"a": {"to": "Eva@Example.com"}}\n{}\n', "{}\n"),
    ],
)  # fmt: skip
def test_records_about_the_person_go_and_no_other_byte(tmp_path, person, name, written, left):
    path = tmp_path / name
    path.write_bytes(written.encode())
    assert holds(path, person)
    assert drop_records(path, person) == 1
    assert path.read_bytes() == left.encode()
    assert not holds(path, person)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_encoding_and_its_mark_stay(tmp_path, person, encoding):
    path = tmp_path / "a.csv"
    path.write_text("member,n\n42,1\n7,2\n", encoding)
    drop_records(path, person)
    assert path.read_text(encoding) == "member,n\n7,2\n"
    assert path.read_bytes() == "member,n\n7,2\n".encode(encoding)


def test_packed_file_stays_packed(tmp_path, person):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"member,n\n42,1\n7,2\n"))
    drop_records(path, person)
    assert gzip.decompress(path.read_bytes()) == b"member,n\n7,2\n"


def test_number_that_is_the_same_in_another_column_is_nobody(tmp_path, person):
    rows = pl.DataFrame({"customer_id": ["42", "7"], "channel": ["web", "42"]})
    rows.write_parquet(tmp_path / "t.parquet")
    assert drop_rows(tmp_path / "t.parquet", person) == 1
    assert pl.read_parquet(tmp_path / "t.parquet")["channel"].to_list() == ["42"]
