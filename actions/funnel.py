"""Who may get which action: one mask a rule, and the reason where nothing is left.

All masks have shape (n_customers, n_options), where an option is an action in one of its channels.
"""

from datetime import date
from typing import NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from actions.catalogue import Action, ActionCatalogue
from features.standing import holds
from features.time import day_number

STEPS = ("no_consent", "not_applicable", "not_eligible", "contact_cap", "cool_down")


class Option(NamedTuple):
    """An action in one of its channels."""

    action: Action
    channel: str

    @property
    def contact_cents(self) -> int:
        """What one contact costs [cents]."""
        return self.action.channels[self.channel]


def options(catalogue: ActionCatalogue) -> list[Option]:
    """Every action in every one of its channels, in the catalogue's order."""
    return [Option(a, channel) for a in catalogue.actions for channel in a.channels]


def masks(
    customers: pl.DataFrame,
    permitted: pl.DataFrame,
    contacts: pl.DataFrame,
    catalogue: ActionCatalogue,
    as_of: date,
) -> dict[str, np.ndarray]:
    """What each step of the funnel lets through, in the order of the steps.

    Parameters
    ----------
    customers : features joined to scores, shape (n_customers, .)
        ``customer_id``, ``stage``, ``level``, ``activity`` and the features that rules name.
    permitted : table ``customer_id, channel``
        Channels with a valid consent on `as_of` (features.consents.permissions).
    contacts : table ``customer_id, channel, action_id, day``
        Everything sent before `as_of`; ``action_id`` may be null.
    catalogue : ActionCatalogue
    as_of : date
    """
    chosen = options(catalogue)
    return {
        "no_consent": _consented(customers, permitted, catalogue, chosen),
        "not_applicable": _applicable(customers, chosen),
        "not_eligible": _eligible(customers, chosen),
        "contact_cap": _within_caps(customers, contacts, catalogue, chosen, as_of),
        "cool_down": _cooled_down(customers, contacts, chosen, as_of),
    }


def exits(passed: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What survives all steps, and each customer's first step that left nothing, or ''."""
    remaining = np.ones_like(next(iter(passed.values())))
    reason = np.full(len(remaining), "", dtype=object)
    for step, mask in passed.items():
        remaining &= mask
        emptied = ~remaining.any(axis=1) & (reason == "")
        reason[emptied] = step
    return remaining, reason


def _consented(
    customers: pl.DataFrame,
    permitted: pl.DataFrame,
    catalogue: ActionCatalogue,
    chosen: list[Option],
) -> np.ndarray:
    columns = {
        name: _members(customers, permitted.filter(pl.col("channel") == name))
        if channel.consent
        else np.ones(customers.height, dtype=bool)
        for name, channel in catalogue.channels.items()
    }
    return np.column_stack([columns[option.channel] for option in chosen])


def _members(customers: pl.DataFrame, rows: pl.DataFrame) -> np.ndarray:
    ids = rows["customer_id"].unique()
    return customers["customer_id"].is_in(ids.implode()).to_numpy()


def _applicable(customers: pl.DataFrame, chosen: list[Option]) -> np.ndarray:
    return _by_action(chosen, lambda action: _fits(customers, action))


def _fits(customers: pl.DataFrame, action: Action) -> np.ndarray:
    fits = [
        pl.col("stage").is_in(action.stages),
        pl.col("level").is_in(action.levels),
        pl.col("activity").is_in(action.activities),
    ]
    return customers.select(pl.all_horizontal(fits)).to_series().to_numpy()


def _eligible(customers: pl.DataFrame, chosen: list[Option]) -> np.ndarray:
    rows = nw.from_native(customers, eager_only=True)

    def mask(action: Action) -> np.ndarray:
        kept = rows.select(holds(action.when).alias("kept"))["kept"].to_numpy()
        return np.broadcast_to(kept, customers.height)

    return _by_action(chosen, mask)


def _within_caps(
    customers: pl.DataFrame,
    contacts: pl.DataFrame,
    catalogue: ActionCatalogue,
    chosen: list[Option],
    as_of: date,
) -> np.ndarray:
    """Room for one more contact in the option's channel and over all channels.

    Only channels that need consent count as contacts: in the others the customer comes to us.
    """
    today = day_number(as_of)
    sent = [name for name, channel in catalogue.channels.items() if channel.consent]
    counted = contacts.filter(pl.col("channel").is_in(sent), pl.col("day") < today)
    total = catalogue.all_channels
    recent = counted.filter(pl.col("day") >= today - total.days)
    room = _count(customers, recent) < total.count
    columns = {}
    for name, channel in catalogue.channels.items():
        columns[name] = room if channel.consent else np.ones(customers.height, dtype=bool)
        if channel.cap:
            since = pl.col("day") >= today - channel.cap.days
            used = _count(customers, contacts.filter(pl.col("channel") == name, since))
            columns[name] = columns[name] & (used < channel.cap.count)
    return np.column_stack([columns[option.channel] for option in chosen])


def _count(customers: pl.DataFrame, contacts: pl.DataFrame) -> np.ndarray:
    counts = contacts.group_by("customer_id").len()
    joined = customers.select("customer_id").join(
        counts, on="customer_id", how="left", maintain_order="left"
    )
    return joined["len"].fill_null(0).to_numpy()


def _cooled_down(
    customers: pl.DataFrame, contacts: pl.DataFrame, chosen: list[Option], as_of: date
) -> np.ndarray:
    def mask(action: Action) -> np.ndarray:
        since = pl.col("day") >= day_number(as_of) - action.cooldown_days
        recent = contacts.filter(pl.col("action_id") == action.id, since)
        return ~_members(customers, recent)

    return _by_action(chosen, mask)


def _by_action(chosen: list[Option], mask) -> np.ndarray:
    computed = {option.action.id: option.action for option in chosen}
    columns = {name: mask(action) for name, action in computed.items()}
    return np.column_stack([columns[option.action.id] for option in chosen])
