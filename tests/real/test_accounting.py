"""Every row of four real data sets is accounted for; sources.yaml written by hand."""

from pathlib import Path

import polars as pl
import pytest
import yaml

from features.schemas import EVENTS
from pipelines.config import read_catalogue
from pipelines.ingest import ingest, read_events
from pipelines.intake.sources import SourceCatalogue
from pipelines.tables import check

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
ORDERS = """
business: {{name: Real, timezone: {zone}, currency: {currency}}}
sources:
  orders:
    table: events
    path: {path}
    timezone: {zone}
    lines_of_order: {lines}
    columns: {columns}
"""
STATS = f"""
business: {{name: Cross Validated, timezone: UTC, currency: USD}}
sources:
  users:
    table: events
    path: {DATA}/stats_stackexchange/users.parquet
    timezone: UTC
    columns:
      customer_id: {{column: Id}}
      occurred_at: {{column: CreationDate}}
      event_type: {{constant: signed_up}}
    refused: {{Reputation: total at the time of the dump, UpVotes: total at the time of the dump}}
  posts:
    table: events
    path: {DATA}/stats_stackexchange/posts.parquet
    timezone: UTC
    columns:
      customer_id: {{column: OwnerUserId}}
      occurred_at: {{column: CreationDate}}
      event_type: {{constant: question_asked}}
    refused: {{Score: total at the time of the dump, ViewCount: total at the time of the dump}}
  badges:
    table: events
    path: {DATA}/stats_stackexchange/badges.parquet
    timezone: UTC
    columns:
      customer_id: {{column: UserId}}
      occurred_at: {{column: Date}}
      event_type: {{constant: badge_earned}}
"""

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not there"),
]


@pytest.fixture
def taken(tmp_path):
    """Ingest a sources.yaml: the accounts and the events."""

    def take(text, **meanings):
        catalogue = SourceCatalogue.model_validate(yaml.safe_load(text))
        known = read_catalogue(REPOSITORY / "catalogue").taxonomy
        events = {k: {"role": v} for k, v in meanings.items()}
        taxonomy = known.model_validate(
            {**known.model_dump(), "events": {**known.model_dump()["events"], **events}}
        )
        accounts = ingest(tmp_path, tmp_path / "tables", catalogue, taxonomy, 5_000_000)
        for account in accounts:
            parts = ("accepted", "duplicates", "quarantined")
            assert account["rows_in"] == sum(account[part] for part in parts)
        return accounts, check(read_events(tmp_path / "tables").collect(), EVENTS)

    return take


def test_online_retail_raw_rows(taken):
    columns = """
      event_id: {column: InvoiceNo}
      customer_id: {column: CustomerID}
      occurred_at: {column: InvoiceDate}
      event_type:
        constant: order_completed
        when: [{column: InvoiceNo, starts_with: C, then: order_refunded}]
      value: {product: [Quantity, UnitPrice]}
"""
    path = DATA / "online_retail" / "transactions.parquet"
    said = {"zone": "Europe/London", "currency": "GBP", "lines": "true"}
    text = ORDERS.format(path=path, columns=columns, **said)
    (account,), events = taken(text)
    assert account["rows_in"] == 541_909
    assert account["accepted"] == 401_604
    assert account["duplicates"] == 5_225
    assert account["reasons"] == {"missing_id": 135_080}
    raw = pl.read_parquet(path).unique().drop_nulls("CustomerID")
    cents = raw.select((pl.col("Quantity") * pl.col("UnitPrice") * 100).round().sum()).item()
    assert abs(events["value_cents"].sum() - int(cents)) <= 100  # halves of a cent aside


def test_cdnow_keeps_its_zero_padded_ids(taken):
    columns = """
      customer_id: {column: customer_id}
      occurred_at: {column: date}
      event_type: {constant: order_completed}
      value: {column: dollar_value}
"""
    path = DATA / "cdnow" / "master.parquet"
    text = ORDERS.format(zone="UTC", currency="USD", path=path, lines="false", columns=columns)
    (account,), events = taken(text)
    raw = pl.read_parquet(path)
    assert (account["rows_in"], account["duplicates"], account["quarantined"]) == (69_659, 255, 0)
    assert set(events["customer_id"]) == set(raw["customer_id"])
    cents = raw.unique().select((pl.col("dollar_value") * 100).round().sum()).item()
    assert events["value_cents"].sum() == int(cents)


def test_stats_stackexchange_in_three_tables(taken):
    roles = {"signed_up": "intent", "question_asked": "value", "badge_earned": "feedback"}
    accounts, events = taken(STATS, **roles)
    assert [account["rows_in"] for account in accounts] == [40_325, 91_976, 79_851]
    assert [account["reasons"] for account in accounts] == [{}, {"missing_id": 1_392}, {}]
    assert events.height == sum(account["accepted"] for account in accounts)
