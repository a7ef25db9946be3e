"""Tables are checked at both ends, and a write is whole or not at all."""

from datetime import date

import polars as pl
import pytest

from features.errors import DataError, InputMissingError
from features.schemas import CUSTOMERS, SENDS
from pipelines.tables import check, polars_schema, read, replacing, write, write_text


def customers(**columns):
    given = {"customer_id": ["1", "2"], "known_since": [date(2024, 1, 1)] * 2} | columns
    dtype = pl.String if given["known_since"][0] == "2024-01-01" else pl.Date
    return pl.DataFrame(given, schema_overrides={"known_since": dtype})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (customers(known_since=["2024-01-01"] * 2), "columns differ from the schema"),
        (customers().drop("known_since"), r"Got \['known_since'\]"),
        (customers(extra=[1, 2]), r"Got \['extra'\]"),
        (customers(known_since=[None] * 2), r"empty values are not allowed. Got \{'known_since'"),
        (customers(customer_id=["1", "1"]), "1 rows repeat the key"),
    ],
)
def test_table_that_breaks_its_declaration_is_neither_written_nor_read(tmp_path, rows, message):
    path = tmp_path / "customers.parquet"
    with pytest.raises(DataError, match=message):
        write(rows, path, CUSTOMERS)
    assert list(tmp_path.iterdir()) == []
    rows.write_parquet(path)
    with pytest.raises(DataError, match=message):
        read(path, CUSTOMERS)


def test_what_is_written_is_what_is_read(tmp_path):
    write(customers(), tmp_path / "deep" / "customers.parquet", CUSTOMERS)
    assert read(tmp_path / "deep" / "customers.parquet", CUSTOMERS).equals(customers())


def test_part_of_a_table_is_its_key_and_the_columns_asked_for_checked(tmp_path):
    path = tmp_path / "sends.parquet"
    sends = pl.DataFrame(schema=polars_schema(SENDS))
    write(sends, path, SENDS)
    assert set(read(path, SENDS, ["channel"]).columns) == {*SENDS.key, "channel"}
    sends.drop("channel").write_parquet(path)
    assert set(read(path, SENDS, ["customer_id"]).columns) == {*SENDS.key, "customer_id"}
    with pytest.raises(DataError, match=r"Got \['channel'\]"):
        read(path, SENDS, ["channel"])


def test_empty_table_is_legal():
    assert check(customers().clear(), CUSTOMERS).height == 0


def test_table_that_no_step_has_made_is_named(tmp_path):
    with pytest.raises(InputMissingError, match="customers: not found"):
        read(tmp_path / "customers.parquet", CUSTOMERS)


def test_write_that_fails_half_way_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "table"
    write_text("old", path)
    with pytest.raises(UnicodeEncodeError):
        write_text("ne\ud800", path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("table", "old")]


def test_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "table"
    write_text("old", path)
    with replacing(path) as unfinished:
        unfinished.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
