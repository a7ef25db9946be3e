"""Rejected rows are shown by reason, and only their owner may read them."""

import stat

import pytest

from pipelines.intake.quarantine import described, read_quarantine

HEAD = "customer_id,event_id,occurred_at,event_type,value\n"
GOOD = "1,a,2024-01-05T12:00:00Z,order_completed,5.00\n"


@pytest.fixture
def rejected(ingested, make_source):
    rows = [GOOD, GOOD.replace(",a,", ",b,"), "2,c,never,order_completed,1\n", "1,d,2024\n"]
    source = make_source(dict.fromkeys(HEAD.strip().split(",")), path="shop.csv", timezone="UTC")
    out, _ = ingested({"shop.csv": HEAD + "".join(rows)}, {"shop": source})
    return out


def test_reasons_come_with_counts_and_the_rows_as_they_were(rejected):
    assert described(read_quarantine(rejected)).splitlines() == [
        "shop, bad_time: 1 rows",
        '  shop.csv, row 3: {"customer_id":"2","event_id":"c","occurred_at":"never",'
        '"event_type":"order_completed","value":"1"}',
        "shop, field_count: 1 rows",
        "  shop.csv, row 4: 1,d,2024",
    ]


@pytest.mark.parametrize("only", [{"reason": "bad_time"}, {"source": "shop", "reason": "bad_time"}])
def test_one_reason_alone(rejected, only):
    assert described(read_quarantine(rejected), **only).count("rows") == 1


def test_nothing_is_said_plainly(rejected):
    assert described(read_quarantine(rejected), source="other") == "nothing in quarantine"


def test_files_are_for_their_owner_only(rejected):
    modes = {stat.S_IMODE(p.stat().st_mode) for p in (rejected / "quarantine").rglob("*.parquet")}
    assert modes == {0o600}
