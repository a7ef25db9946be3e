"""Files are read as they are, or refused in one line that says what to do."""

import polars as pl
import pytest

from features.errors import ConfigurationError, DataError, InputMissingError
from pipelines.intake.raw import ROW, open_raw, raw_rows, resolve

COLUMNS = {"customer_id": None, "occurred_at": None, "event_type": {"constant": "page_viewed"}}


@pytest.fixture
def read(tmp_path, make_source):
    def rows(content, name="given.csv", **settings):
        (tmp_path / name).write_bytes(content)
        return raw_rows("shop", make_source(COLUMNS, path=name, **settings), tmp_path)

    return rows


def test_text_is_never_taken_for_a_number_or_for_nothing(read):
    rows = read(b"customer_id,occurred_at\n001,NA\nnull,1e3\n")
    assert rows.drop(ROW).rows() == [("001", "NA"), ("null", "1e3")]


def test_first_row_of_data_is_number_one(read):
    assert read(b"customer_id,occurred_at\na,x\nb,y\n")[ROW].to_list() == [1, 2]


def test_byte_order_mark_is_no_part_of_the_first_name(read):
    assert read(b"\xef\xbb\xbfcustomer_id,occurred_at\na,x\n").columns[1] == "customer_id"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "given.csv is empty"),
        ("customer_id,occurred_at\né,x\n".encode("latin-1"), "is not utf-8. Got byte 24"),
        (b"customer_id,Customer_ID,occurred_at\n1,2,3\n", "names a column twice"),
    ],
)
def test_file_that_is_no_csv_is_refused_in_one_line(read, content, said):
    with pytest.raises(DataError, match=rf"sources.yaml, shop: .*{said}") as caught:
        read(content)
    assert "\n" not in str(caught.value)


def test_file_that_is_no_parquet_is_refused(read):
    with pytest.raises(DataError, match=r"given.parquet cannot be read"):
        read(b"customer_id,occurred_at\n", name="given.parquet")


def test_missing_column_is_named_beside_those_that_are_there(read):
    with pytest.raises(InputMissingError, match=r"Got occurred_at. The file has 2 columns: cu"):
        read(b"customer_id,day\n1,2\n")


@pytest.mark.parametrize("name", ["given.pdf", "given"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match=r"Expected one of .csv, .tsv"):
        open_raw(tmp_path / name)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("absent.csv", "file not found. Got 'absent.csv'"),
        ("package:no_such_package/a.csv", "the package 'no_such_package' is not installed"),
        ("package:polars/absent.csv", "'polars' ships no file 'absent.csv'"),
    ],
)
def test_file_that_is_not_there_is_named(tmp_path, path, message):
    with pytest.raises(InputMissingError, match=message):
        resolve(path, tmp_path)


def test_lookup_adds_columns_and_keeps_the_order_of_rows(tmp_path, make_source):
    n = 500
    campaigns = [str(k % 7) for k in range(n)]
    pl.DataFrame({"customer_id": map(str, range(n)), "campaign": campaigns}).write_csv(
        tmp_path / "mailings.csv"
    )
    days = pl.DataFrame({"campaign": ["0", "0", "1"], "occurred_at": ["mon", "tue", "wed"]})
    days.write_csv(tmp_path / "campaigns.csv")
    lookup = {"path": "campaigns.csv", "key": "campaign"}
    source = make_source(COLUMNS, path="mailings.csv", lookup=lookup)
    rows = raw_rows("shop", source, tmp_path)
    assert rows["customer_id"].to_list() == [str(k) for k in range(n)]
    assert rows["occurred_at"].to_list()[:3] == ["mon", "wed", None]  # first day of campaign 0


def test_lookup_by_a_column_that_is_not_in_both_files_is_refused(read, tmp_path):
    (tmp_path / "other.csv").write_text("campaign\n1\n")
    with pytest.raises(InputMissingError, match="no column 'campaign' in both files"):
        read(b"customer_id,occurred_at\n", lookup={"path": "other.csv", "key": "campaign"})


def test_lookup_by_keys_of_different_types_is_refused(read, tmp_path):
    pl.DataFrame({"customer_id": [1]}).write_parquet(tmp_path / "other.parquet")
    lookup = {"path": "other.parquet", "key": "customer_id"}
    with pytest.raises(DataError, match="datatypes of join keys don't match"):
        read(b"customer_id,occurred_at\n1,x\n", lookup=lookup)
