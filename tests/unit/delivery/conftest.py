"""Small builders: a test names only the columns that it is about."""

from datetime import date

import polars as pl
import pytest

from actions.catalogue import ActionCatalogue
from delivery.clearance import Clearances
from features import schemas

KINDS = {
    "text": pl.String,
    "integer": pl.Int64,
    "float": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
BLANKS = {"text": "x", "integer": 0, "float": 0.0, "date": date(2017, 12, 2)}


def build(table: schemas.Table, rows: list[dict]) -> pl.DataFrame:
    """Table with every column of its schema: the given values, else a blank or null."""
    blank = {c.name: None if c.nullable else BLANKS[c.kind] for c in table.columns}
    schema = {column.name: KINDS[column.kind] for column in table.columns}
    return pl.DataFrame([blank | row for row in rows], schema=schema, orient="row")


@pytest.fixture
def scores():
    """Build a table of scores."""
    standing = {"stage": "retention", "level": "loyalty", "activity": "active",
                "reported_stage": "retention", "reported_level": "loyalty"}  # fmt: skip
    source = {"score_source": "model", "stage_model": "transition_table"}

    def of(*rows: dict) -> pl.DataFrame:
        return build(schemas.SCORES, [standing | source | row for row in rows])

    return of


@pytest.fixture
def decisions():
    """Build a table of decisions; the id follows the customer's."""

    def of(*rows: dict) -> pl.DataFrame:
        return build(
            schemas.DECISIONS,
            [{"decision_id": f"d-{row['customer_id']}", "arm": "policy"} | row for row in rows],
        )

    return of


@pytest.fixture
def exported():
    """Row of an exported decision for a customer."""

    def of(customer_id: str, **values) -> dict:
        return {
            "customer_id": customer_id,
            "outcome": "exported",
            "action_id": "thank_you",
            "channel": "email",
            "propensity": 0.9,
            "basis": "assumed",
            "expected_net_value_cents": 1205,
            "cost_cents": 5,
            "expires_on": date(2017, 12, 16),
            "catalogue_hash": "0123456789abcdef",
        } | values

    return of


@pytest.fixture
def known():
    """Clearances in which everybody named may be sent e-mail, if not said otherwise."""

    def of(*customers, refused=(), objected=(), suppressions=(), identities=()) -> Clearances:
        people = [{"customer_id": c, "email": f"{c}@example.org"} for c in customers]
        told = {row["customer_id"]: row for row in identities}
        people = [row | told.get(row["customer_id"], {}) for row in people]
        allowed = [(c, "email", "opt_in") for c in customers]
        text = pl.String
        return Clearances(
            permitted=pl.DataFrame(
                allowed, {"customer_id": text, "channel": text, "basis": text}, orient="row"
            ),
            refused=pl.DataFrame(
                list(refused), {"customer_id": text, "channel": text}, orient="row"
            ),
            objected=pl.DataFrame({"customer_id": list(objected)}, {"customer_id": text}),
            suppressions=build(schemas.SUPPRESSIONS, list(suppressions)),
            identities=build(schemas.IDENTITIES, people),
        )

    return of


@pytest.fixture
def catalogue():
    """Two actions: one in use, one whose name a spreadsheet would run."""
    action = {
        "tactic": "targeted_email",
        "goal": "retain",
        "stages": ["retention"],
        "levels": ["loyalty"],
        "activities": ["active"],
        "channels": {"email": 1, "mail": 65},
        "cooldown_days": 30,
        "expires_days": 14,
        "effect": {"points": 1, "sd": 1, "source": "assumption"},
        "brief": "For regular customers.\nThank them, and\tsell nothing.",
    }
    named = [{"id": "thank_you", "name": "Thank-you letter"}, {"id": "sum", "name": "=SUM(A1)"}]
    return ActionCatalogue.model_validate(
        {
            "channels": {
                "email": {"consent": True},
                "mail": {"consent": True},
                "web": {"consent": False},
                "ad": {"consent": False},
            },
            "all_channels": {"count": 4, "days": 30},
            "actions": [action | name for name in named],
        }
    )


@pytest.fixture
def run():
    """Facts of a first run with one source."""
    return {
        "as_of": "2017-12-02",
        "previous_as_of": None,
        "published_before": False,
        "judged_on": "2018-01-01",
        "run_id": "run-1",
        "company": "Example <Grocer> & Co",
        "currency": "USD",
        "budget_cents": 10_000,
        "spent_cents": 5,
        "holdout_share": 0.1,
        "horizon_days": 30,
        "gap_days": 0,
        "lookback_days": 90,
        "data_span": ["2016-12-30", "2017-12-01"],
        "sources": [
            {
                "source": "till",
                "rows_in": 10,
                "accepted": 7,
                "duplicates": 2,
                "quarantined": 1,
                "events": 7,
                "reasons": {"missing_id": 1},
                "last_on": "2017-12-01",
                "warnings": [],
            }
        ],
        "definitions": {
            "stages": [{"id": "retention", "meaning": "To be kept."}],
            "levels": [],
            "activities": [{"id": "at_risk", "meaning": "Silent for long."}],
        },
    }
