"""Damaged, swollen and shifting files: quarantined row by row, or refused in one line."""

import gzip

import pytest

from features.errors import DataError, InputMissingError
from pipelines.ingest import ingest, read_events
from pipelines.intake import readers
from pipelines.intake.quarantine import read_quarantine

HEAD = "customer_id,occurred_at,event_type\n"
GOOD = "c1,2024-01-05,order_completed\n"


@pytest.fixture
def shop(tmp_path, make_source, make_catalogue, taxonomy):
    """Bytes of a file -> its account and the folder of tables."""

    def take(content, name="given.csv", say=lambda _: None, **settings):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        columns = dict.fromkeys(("customer_id", "occurred_at", "event_type"))
        source = make_source(columns, path=name, timezone="UTC", **settings)
        out = tmp_path / "tables"
        return ingest(tmp_path, out, make_catalogue(source), taxonomy, 1000, say)[0], out

    return take


def refused(shop, content, message, **settings):
    with pytest.raises((DataError, InputMissingError), match=message) as caught:
        shop(content, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("row", ["c2,2024-01-05", "c2,2024-01-05,page_viewed,4"])
def test_row_with_too_many_or_too_few_fields_is_kept_with_its_number(shop, row):
    account, out = shop(HEAD + GOOD + row + "\n" + GOOD.replace("c1", "c3"))
    assert account["reasons"] == {"field_count": 1}
    assert read_quarantine(out).select("row_number", "raw").rows() == [(2, row)]
    assert read_events(out).collect()["customer_id"].sort().to_list() == ["c1", "c3"]


def test_file_of_which_every_row_is_too_long_gives_no_event_and_no_shifted_column(shop):
    refused(shop, HEAD + "1,c1,2024-01-05,order_completed\n" * 3, "rejected: {'field_count': 3}")


def test_quote_that_is_never_closed_takes_no_other_row_with_it_unseen(shop):
    account, out = shop(HEAD + GOOD + '"c2,2024-01-05,page_viewed\nc3,2024-01-06,page_viewed\n'
                        '"c4",2024-01-06,page_viewed\n')  # fmt: skip
    texts = "".join(read_quarantine(out)["raw"])
    kept = set(read_events(out).collect()["customer_id"])
    assert {c for c in ("c1", "c2", "c3", "c4") if c in kept or c in texts} == {
        "c1", "c2", "c3", "c4",
    }  # fmt: skip
    assert account["quarantined"] > 0


def test_line_break_within_quotes_is_part_of_its_field(shop):
    account, _ = shop(HEAD.strip() + ",note\n" + GOOD.strip() + ',"two\nlines"\n')
    assert (account["rows_in"], account["accepted"]) == (1, 1)


def test_sign_that_is_none_in_an_id_is_rejected(shop):
    account, _ = shop(HEAD + GOOD + "c\x002,2024-01-05,page_viewed\n")
    assert account["reasons"] == {"bad_text": 1}


def test_name_written_in_two_ways_is_one_customer_and_zero_width_signs_stay(shop):
    rows = [
        GOOD.replace("c1", name) for name in ("e\u0301va", "\u00e9va", "🛒", "a\u200bb", "شركة")
    ]
    _, out = shop(HEAD + "".join(rows).replace("05", "06", 1))
    known = set(read_events(out).collect()["customer_id"])
    assert known == {"\u00e9va", "🛒", "a\u200bb", "شركة"}


def test_undeclared_delimiter_names_the_columns_that_it_finds(shop):
    refused(shop, (HEAD + GOOD).replace(",", "~"), "The file has 1 columns")


def test_row_longer_than_a_block_is_refused(shop, monkeypatch):
    monkeypatch.setattr("pipelines.intake.delimited.BLOCK_BYTES", 1 << 16)
    refused(shop, HEAD + GOOD + '"' + "x" * (1 << 18) + '",2024-01-05,page_viewed\n', "longer than")


def test_header_of_too_many_columns_is_refused(shop):
    refused(shop, ",".join(f"c{k}" for k in range(10_001)) + "\n", "Expected at most 10,000")


def test_archive_is_read_in_bounded_pieces_and_a_cut_one_is_refused(shop):
    swollen = gzip.compress((HEAD + GOOD + "c2,2024-01-05,page_viewed\n" * 400_000).encode())
    assert len(swollen) < 100_000  # ten million bytes of text
    seen = []
    account, _ = shop(swollen, name="given.csv.gz", say=seen.append)
    assert account["rows_in"] == 400_001
    assert max(seen) <= readers.CHUNK_ROWS + readers.BATCH_ROWS
    refused(shop, swollen[:-100], "cannot be", name="given.csv.gz")


def test_file_that_changes_while_it_is_read_is_refused_and_nothing_is_kept(shop, tmp_path):
    def grow(_):
        with (tmp_path / "given.csv").open("a") as file:
            file.write("c2,2024-01-05,page_viewed\n")

    with pytest.raises(DataError, match="changed while it was read"):
        shop(HEAD + GOOD, say=grow)
    assert not (tmp_path / "tables" / "ledger.json").exists()


@pytest.mark.parametrize("content", [HEAD, ""])
def test_events_of_a_header_alone_are_refused(shop, content):
    refused(shop, content, "no row was accepted|is empty")


def test_company_of_one_customer_is_a_company(shop):
    account, out = shop(HEAD + GOOD)
    assert (account["events"], read_events(out).collect().height) == (1, 1)
