"""Small builders: a test names only what it is about."""

from datetime import date

import polars as pl
import pytest

from actions.catalogue import ActionCatalogue
from actions.params import RecommendParams
from features.time import day_number

AS_OF = date(2018, 1, 1)
ACTION = {
    "name": "Offer",
    "tactic": "targeted_email",
    "goal": "next_value",
    "stages": ["engagement"],
    "levels": ["interest"],
    "activities": ["active"],
    "channels": {"email": 1},
    "cooldown_days": 0,
    "expires_days": 14,
    "effect": {"points": 10, "sd": 1, "source": "assumption"},
    "brief": "Say one friendly sentence.",
}
CUSTOMER = {
    "stage": "engagement",
    "level": "interest",
    "activity": "active",
    "p_value": 0.5,
    "p_alive": 1.0,
    "order_value_cents": 1000,
    "expected_value_cents": 500,
    "transactional_score": 50.0,
    "emotional_score": 50.0,
    "social_score": 50.0,
    "experiential_score": 50.0,
}
PARAMS = {
    "budget_cents": 1_000_000,
    "margin_rate": 0.5,
    "kept_value_days": 30,
    "holdout_share": 0.0,
    "random_share": 0.0,
    "usual_share": 0.0,
    "holdout_salt": "salt",
}


@pytest.fixture
def catalogue():
    """Build a catalogue: an action with an e-mail unless said otherwise."""

    def of(
        *actions: dict,
        channels: dict | None = None,
        all_channels: tuple[int, int] = (99, 30),
        quiet_period: dict | None = None,
    ):
        count, days = all_channels
        return ActionCatalogue.model_validate(
            {
                "channels": channels or {"email": {"consent": True}, "web": {"consent": False}},
                "all_channels": {"count": count, "days": days},
                "quiet_period": quiet_period,
                "actions": [ACTION | {"id": "offer"} | action for action in actions or ({},)],
            }
        )

    return of


@pytest.fixture
def customers():
    """Build customers for whom the action fits, unless said otherwise."""

    def of(*rows: dict) -> pl.DataFrame:
        return pl.DataFrame([CUSTOMER | row for row in rows])

    return of


@pytest.fixture
def permitted():
    """Build permissions from (customer, channel) pairs."""

    def of(*rows: tuple[str, str]) -> pl.DataFrame:
        return pl.DataFrame(
            rows, schema={"customer_id": pl.String, "channel": pl.String}, orient="row"
        )

    return of


@pytest.fixture
def contacts():
    """Build contacts from (customer, channel, action, days before the as-of date)."""

    def of(*rows: tuple[str, str, str | None, int]) -> pl.DataFrame:
        dated = [(c, channel, a, day_number(AS_OF) - ago) for c, channel, a, ago in rows]
        kinds = {"customer_id": pl.String, "channel": pl.String, "action_id": pl.String}
        return pl.DataFrame(dated, schema={**kinds, "day": pl.Int64}, orient="row")

    return of


@pytest.fixture
def params():
    """Build parameters: half of the price is margin, nobody is held out."""
    return lambda **changes: RecommendParams.model_validate(PARAMS | changes)


@pytest.fixture
def complaints():
    """Build complaints from (customer, days before the as-of date)."""

    def of(*rows: tuple[str, int]) -> pl.DataFrame:
        dated = [(customer, day_number(AS_OF) - ago) for customer, ago in rows]
        return pl.DataFrame(dated, schema={"customer_id": pl.String, "day": pl.Int64}, orient="row")

    return of


@pytest.fixture
def effects():
    """Build what was measured from (action, stage, points)."""

    def of(*rows: tuple[str, str, float]) -> pl.DataFrame:
        known = [(action, stage, "measured", points) for action, stage, points in rows]
        kinds = {"action_id": pl.String, "stage": pl.String, "basis": pl.String}
        return pl.DataFrame(known, schema={**kinds, "points": pl.Float64}, orient="row")

    return of
