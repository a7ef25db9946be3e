"""Every row of every source is accounted for, and none gets lost between sources."""

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import DataError
from features.schemas import CONSENTS, CUSTOMERS, EVENTS, QUARANTINE, SENDS
from pipelines.ingest import ACCOUNTING, read_events
from pipelines.intake.delimited import ROW
from pipelines.intake.quarantine import read_quarantine
from pipelines.tables import check, read

HEAD = "customer_id,event_id,occurred_at,event_type,value\n"
ROWS = """\
1,a,2024-01-05T12:00:00Z,order_completed,5.00
1,a,2024-01-05T12:00:00Z,order_completed,5.00
2,b,2024-01-05T12:00:00Z,order_completed,6.00
,c,2024-01-05T12:00:00Z,order_completed,7.00
3,d,never,order_completed,7.00
3,e,2024-01-05T12:00:00Z,teleported,7.00
"""
CONSENT_HEAD = "customer_id,channel,purpose,status,basis,since\n"


@pytest.fixture
def events_source(make_source):
    def source(path, **settings):
        return make_source(
            dict.fromkeys(HEAD.strip().split(",")), path=path, timezone="UTC", **settings
        )

    return source


@pytest.fixture
def consents_source(make_source):
    def source(path):
        return make_source(
            dict.fromkeys(CONSENT_HEAD.strip().split(",")), table="consents", path=path
        )

    return source


def test_every_row_is_accounted_for(ingested, events_source):
    out, accounting = ingested({"shop.csv": HEAD + ROWS}, {"shop": events_source("shop.csv")})
    assert accounting == [
        {
            "source": "shop",
            "table": "events",
            "rows_in": 6,
            "accepted": 2,
            "duplicates": 1,
            "quarantined": 3,
            "events": 2,
            "reasons": {"bad_time": 1, "missing_id": 1, "unknown_event_type": 1},
            "files": 1,
            "new_rows": 6,
            "new_accepted": 2,
            "first_on": "2024-01-05",
            "last_on": "2024-01-05",
            "warnings": [],
        }
    ]
    assert json.loads((out / ACCOUNTING).read_text()) == accounting


def test_rejected_row_is_kept_as_it_was_read(ingested, events_source):
    out, _ = ingested({"shop.csv": HEAD + ROWS}, {"shop": events_source("shop.csv")})
    quarantined = check(read_quarantine(out), QUARANTINE)
    first = quarantined.row(0, named=True)
    assert (first["row_number"], first["reason"]) == (4, "missing_id")
    assert json.loads(first["raw"]) == {
        "customer_id": None,
        "event_id": "c",
        "occurred_at": "2024-01-05T12:00:00Z",
        "event_type": "order_completed",
        "value": "7.00",
    }


@pytest.mark.parametrize("rows", ["", ROWS.splitlines()[4] + "\n"])
def test_source_that_gives_nothing_is_refused(ingested, events_source, rows):
    with pytest.raises(DataError, match="shop: no row was accepted"):
        ingested({"shop.csv": HEAD + rows}, {"shop": events_source("shop.csv")})


def test_company_without_events_is_refused(ingested, consents_source):
    files = {"allowed.csv": CONSENT_HEAD + "1,email,marketing,granted,opt_in,2024-01-01\n"}
    with pytest.raises(DataError, match=r"no events. Expected at least one source of table events"):
        ingested(files, {"allowed": consents_source("allowed.csv")})


def test_buckets_hold_every_event_once_and_a_customer_in_one_only(ingested, events_source):
    rows = [f"{k % 11},e{k},2024-01-05T12:00:00Z,order_completed,1\n" for k in range(60)]
    sources = {"shop": events_source("shop.csv")}
    out, _ = ingested({"shop.csv": HEAD + "".join(rows)}, sources, rows_per_bucket=20)
    buckets = [read(path, EVENTS) for path in sorted((out / "events").glob("*/*.parquet"))]
    assert len(buckets) == 3
    together = check(pl.concat(buckets), EVENTS)
    assert together["event_id"].sort().to_list() == sorted(f"e{k}" for k in range(60))
    assert sum(bucket["customer_id"].n_unique() for bucket in buckets) == 11


def test_export_that_overlaps_another_counts_once(ingested, events_source):
    lines = ROWS.splitlines(keepends=True)
    files = {"may.csv": HEAD + lines[0] + lines[2], "june.csv": HEAD + lines[2]}
    out, _ = ingested(files, {name[:-4]: events_source(name) for name in files})
    assert read_events(out).collect()["event_id"].sort().to_list() == ["a", "b"]


def test_events_of_two_sources_that_share_an_id_and_differ_are_both_quarantined(
    ingested, events_source
):
    files = {
        "orders.csv": HEAD + ROWS + "1,17,2024-01-05T12:00:00Z,order_completed,5\n",
        "visits.csv": HEAD
        + "9,17,2024-02-05T12:00:00Z,page_viewed,\n9,18,2024-02-05T12:00:00Z,page_viewed,\n",
    }
    most = {"max_quarantined_rate": 0.6}
    sources = {name[:-4]: events_source(name, contract=most) for name in files}
    out, accounting = ingested(files, sources)
    assert [source["reasons"]["conflicting_duplicate"] for source in accounting] == [1, 1]
    assert read_events(out).collect()["event_id"].sort().to_list() == ["18", "a", "b"]


@pytest.mark.parametrize("order", [("granted", "denied"), ("denied", "granted")])
def test_refusal_counts_in_whichever_source_it_stands(
    ingested, events_source, consents_source, order
):
    files = {
        f"{status}.csv": f"{CONSENT_HEAD}1,email,marketing,{status},opt_in,2024-01-01\n"
        for status in order
    }
    sources = {status: consents_source(f"{status}.csv") for status in order}
    sources["shop"] = events_source("shop.csv")
    out, _ = ingested(files | {"shop.csv": HEAD + ROWS}, sources)
    assert read(out / "consents.parquet", CONSENTS)["status"].to_list() == ["denied"]


def test_tables_without_a_source_are_empty_and_customers_come_from_events(ingested, events_source):
    out, _ = ingested({"shop.csv": HEAD + ROWS}, {"shop": events_source("shop.csv")})
    assert read(out / "consents.parquet", CONSENTS).height == 0
    assert read(out / "customers.parquet", CUSTOMERS)["customer_id"].to_list() == ["1", "2"]


def test_second_ingest_leaves_nothing_of_the_first(ingested, events_source):
    rows = [f"{k},e{k},2024-01-05T12:00:00Z,order_completed,1\n" for k in range(60)]
    sources = {"shop": events_source("shop.csv")}
    ingested({"shop.csv": HEAD + "".join(rows)}, sources, rows_per_bucket=20)
    out, _ = ingested({"shop.csv": HEAD + rows[0]}, sources)
    assert read_events(out).collect()["event_id"].to_list() == ["e0"]


CELLS = {
    "customer_id": st.sampled_from(["1", "2", "001", None]),
    "event_id": st.sampled_from(["a", "b", "c", None]),
    "occurred_at": st.sampled_from(["2024-01-05T12:00:00Z", "2024-01-06", "never", None]),
    "event_type": st.sampled_from(["order_completed", "order_refunded", "page_viewed", "x", None]),
    "value": st.sampled_from(["1", "-1", "0.285", "much", "", None]),
}
RANDOM_ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=12)


@settings(
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=RANDOM_ROWS, lines=st.booleans())
def test_rows_in_are_accepted_or_rejected_once_whatever_they_hold(rows, lines, take_in, normalised):
    raw = pl.DataFrame(rows, schema=dict.fromkeys(CELLS, pl.String))
    typed = normalised(raw, lines_of_order=lines)
    intake = take_in(raw, lines=lines, timezone=None)
    rejected = intake.rejected[ROW].to_list()
    kept = [k for k in range(1, len(rows) + 1) if k not in rejected]
    assert len(set(rejected)) == len(rejected)
    check(intake.accepted, EVENTS)  # types, no empty value, ids unique
    assert intake.accepted.height <= len(kept) if lines else intake.accepted.height == len(kept)
    worth = typed.filter(pl.col(ROW).is_in(kept)).with_columns(pl.col("value").fill_null(0))
    assert set(worth["customer_id"]) == set(intake.accepted["customer_id"])
    sales = (pl.col("event_type") == "order_completed") * pl.col("value")
    earned = worth.select(sales.sum()).item()
    assert earned == intake.accepted.filter(pl.col("role") == "value")["value_cents"].sum()


def test_sends_of_a_header_alone_stop_nothing(ingested, events_source, make_source):
    sends = "customer_id,action_id,channel,sent_at"
    source = make_source(dict.fromkeys(sends.split(",")), table="sends", path="sends.csv",
                         timezone="UTC")  # fmt: skip
    files = {"shop.csv": HEAD + ROWS, "sends.csv": sends + "\n"}
    out, accounting = ingested(files, {"shop": events_source("shop.csv"), "sends": source})
    assert [source["rows_in"] for source in accounting] == [6, 0]
    assert read(out / "sends.parquet", SENDS).height == 0
