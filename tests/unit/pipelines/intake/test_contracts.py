"""A promise that a source breaks warns or stops the step, and money is never mixed."""

from datetime import date

import polars as pl
import pytest
from pydantic import ValidationError

from features.errors import DataError
from pipelines.ingest import ingest, read_events
from pipelines.intake.contracts import check_freshness
from pipelines.intake.sources import Business, SourceCatalogue

HEAD = "customer_id,event_id,occurred_at,event_type,value,currency\n"
COLUMNS = dict.fromkeys(HEAD.strip().split(","))


def row(event="a", value="1.00", currency="EUR", day="05"):
    return f"1,{event},2024-01-{day}T12:00:00Z,order_completed,{value},{currency}\n"


@pytest.fixture
def shop(tmp_path, make_source, taxonomy):
    def take(rows, *, rates=None, path="shop.csv", **settings):
        if isinstance(rows, pl.DataFrame):
            rows.write_parquet(tmp_path / path)
        else:
            (tmp_path / path).write_text(HEAD + "".join(rows))
        source = make_source(COLUMNS, path=path, timezone="UTC", **settings)
        business = Business(name="Test", timezone="UTC", currency="EUR", rates=rates or {})
        catalogue = SourceCatalogue(business=business, sources={"shop": source})
        out = tmp_path / "tables"
        return ingest(tmp_path, out, catalogue, taxonomy, 1000)[0], out

    return take


def test_other_currency_without_a_rate_is_refused(shop):
    with pytest.raises(DataError, match=r"other currencies. Got 'USD' in 1 rows. Expected EUR"):
        shop([row(), row("b", currency="USD")])


def test_other_currency_is_converted_by_its_rate(shop):
    account, out = shop([row(), row("b", "10.00", "usd")], rates={"USD": "0.925"})
    assert account["accepted"] == 2
    assert read_events(out).collect().sort("event_id")["value_cents"].to_list() == [100, 925]


def test_amount_without_its_currency_is_quarantined(shop):
    assert shop([row(), row("b", currency="")])[0]["reasons"] == {"missing_currency": 1}


@pytest.mark.parametrize("rate", ["0,92", "about 1", ""])
def test_rate_that_is_no_number_is_refused(rate):
    with pytest.raises(ValidationError, match="expected a code and a rate"):
        Business(name="Test", timezone="UTC", currency="EUR", rates={"USD": rate})


@pytest.mark.parametrize("path", ["postgresql://me:secret@host/db", "s3://key:secret@bucket/a.csv"])
def test_password_in_the_catalogue_is_refused_and_not_shown(make_source, path):
    with pytest.raises(ValidationError, match="a password does not belong") as caught:
        make_source(COLUMNS, path=path)
    assert "environment" in str(caught.value)


def test_column_that_the_contract_does_not_know_warns(shop):
    contract = {"columns": {"customer_id": "text"}}
    source_rows = pl.DataFrame({**_cells(), "note": ["x"]})
    account, _ = shop(source_rows, path="shop.parquet", contract=contract)
    assert account["warnings"] == ["shop: columns not in the contract: note"]


@pytest.mark.parametrize("columns", [{"score": "number"}, {"value": "integer"}])
def test_column_that_is_missing_or_retyped_is_refused(shop, columns):
    with pytest.raises(DataError, match="contract: the columns changed"):
        shop(pl.DataFrame(_cells()), path="shop.parquet", contract={"columns": columns})


def _cells():
    return {
        "customer_id": ["1"], "event_id": ["a"], "occurred_at": ["2024-01-05T12:00:00Z"],
        "event_type": ["order_completed"], "value": [1.5], "currency": ["EUR"],
    }  # fmt: skip


def test_value_outside_of_its_range_is_quarantined(shop):
    contract = {"ranges": {"value": {"max": 50}, "occurred_at": {"min": "2024-01-02"}}}
    rows = [row(), row("b", "50.01"), row("c", day="01"), row("d", "50.00")]
    assert shop(rows, contract=contract)[0]["reasons"] == {"out_of_contract": 2}


def test_too_many_wrong_rows_stop_the_step(shop):
    rows = [row(), row("b", "much")]
    with pytest.raises(DataError, match=r"Got 1 of 2 \(50.0%\): bad_value 1. Expected at most 10"):
        shop(rows, contract={"max_quarantined_rate": 0.1})


@pytest.fixture
def days(tmp_path, make_source, make_catalogue, taxonomy):
    """Files of some numbers of rows, one after the other; the last account."""

    def take(sizes, **contract):
        source = make_source(COLUMNS, path="*.csv", timezone="UTC", contract=contract)
        for day, size in enumerate(sizes):
            rows = [row(f"{day}-{k}") for k in range(size)]
            (tmp_path / f"{day}.csv").write_text(HEAD + "".join(rows))
            account = ingest(tmp_path, tmp_path / "tables", make_catalogue(source), taxonomy, 1000)
        return account[0]

    return take


def test_volume_that_drops_warns(days):
    account = days([4, 4, 4, 1], volume={"min_ratio": 0.5})
    assert account["warnings"] == ["shop: 3.csv has 1 rows, 0.25 times the usual"]


def test_volume_that_drops_stops_the_step_where_the_contract_says_so(days):
    with pytest.raises(DataError, match=r"3.csv has 1 rows, 0.25 times the usual"):
        days([4, 4, 4, 1], volume={"min_ratio": 0.5, "action": "error"})


def test_old_data_warn_and_then_stop(days, make_source):
    account = days([1])
    limits = {"warn_after_days": 2, "error_after_days": 5}
    source = make_source(COLUMNS, contract={"freshness": limits})
    ages = {6: 0, 8: 1}
    for day, warnings in ages.items():
        said = check_freshness([account], {"shop": source}, date(2024, 1, day))
        assert len(said) == warnings
    with pytest.raises(DataError, match="Got a newest row of 6 days before the as-of date"):
        check_freshness([account], {"shop": source}, date(2024, 1, 11))
