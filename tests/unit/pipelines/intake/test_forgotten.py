"""Customers who were forgotten are counted, and nothing else of them is kept."""

from datetime import date

import polars as pl
import pytest

from features.errors import ConfigurationError
from pipelines.ingest import ingest, read_events
from pipelines.intake.forgotten import NOBODY, read_forgotten, with_forgotten
from pipelines.intake.quarantine import read_quarantine

DAY = date(2026, 1, 1)
ORDERS = """customer_id,occurred_at,event_type
c1,2025-01-01,purchase
gone,2025-01-02,purchase
gone,not a time,purchase
gone,2025-01-03,purchase,too,many
"""


@pytest.fixture
def forgotten(tmp_path):
    (tmp_path / "forgotten.csv").write_text(with_forgotten(tmp_path, "gone", DAY, "5a17"))
    return read_forgotten(tmp_path)


def test_list_holds_a_salted_hash_and_no_id(forgotten, tmp_path):
    assert "gone" not in (tmp_path / "forgotten.csv").read_text()
    assert (forgotten.holds("gone"), forgotten.holds("c1")) == (True, False)


def test_same_customer_is_listed_once_and_all_share_a_salt(forgotten, tmp_path):
    assert with_forgotten(tmp_path, "gone", DAY, "other").count("\n") == 2
    assert "other" not in with_forgotten(tmp_path, "c2", DAY, "other")


def test_project_without_a_list_has_forgotten_nobody(tmp_path):
    assert read_forgotten(tmp_path) == NOBODY


@pytest.mark.parametrize("text", ["a,b\n", "salt,customer_sha256,forgotten_on\nx,y\n"])
def test_list_that_was_changed_by_hand_is_refused(tmp_path, text):
    (tmp_path / "forgotten.csv").write_text(text)
    with pytest.raises(ConfigurationError, match=r"forgotten\.csv"):
        read_forgotten(tmp_path)


def test_rows_of_a_forgotten_customer_are_counted_and_not_even_quarantined(
    forgotten, tmp_path, make_source, make_catalogue, taxonomy
):
    (tmp_path / "given.csv").write_text(ORDERS)
    columns = dict.fromkeys(("customer_id", "occurred_at", "event_type"))
    catalogue = make_catalogue(make_source(columns, timezone="UTC"))
    out = tmp_path / "tables"
    account = ingest(tmp_path, out, catalogue, taxonomy, 1000, forgotten=forgotten)[0]
    assert (account["rows_in"], account["reasons"]) == (4, {"forgotten": 3})
    assert read_quarantine(out).height == 0
    assert read_events(out).collect()["customer_id"].to_list() == ["c1"]
    assert pl.read_parquet(out / "customers.parquet")["customer_id"].to_list() == ["c1"]
