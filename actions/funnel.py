"""Who may get which action: one mask a rule, and the reason where nothing is left.

All masks have shape (n_customers, n_options), where an option is an action in one of its channels;
in memory each option is contiguous, because everything is done option by option.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from actions.catalogue import Action, ActionCatalogue, Cap
from features.consents import ANY
from features.standing import holds
from features.time import day_number


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


class ContactRecord(NamedTuple):
    """What customers allowed and refused, and what was sent to them.

    Attributes
    ----------
    permitted : table ``customer_id, channel``
        Channels with a valid grant (features.consents.permissions).
    refused : table ``customer_id, channel``
        Channels whose last word is a refusal or an opt-out, or ``any``
        (features.consents.refusals).
    contacts : table ``customer_id, channel, action_id, day``
        What was sent; days from the as-of date on are not read; ``action_id`` may be null.
    complaints : table ``customer_id, day``
        Events that begin a quiet period; days from the as-of date on are not read.
    """

    permitted: pl.DataFrame
    refused: pl.DataFrame
    contacts: pl.DataFrame
    complaints: pl.DataFrame


def masks(
    customers: pl.DataFrame, record: ContactRecord, catalogue: ActionCatalogue, as_of: date
) -> dict[str, np.ndarray]:
    """What each step of the funnel lets through, in the order of the steps.

    Parameters
    ----------
    customers : features joined to scores, shape (n_customers, .)
        ``customer_id``, ``stage``, ``level``, ``activity`` and the features that rules name.
    record : ContactRecord
    catalogue : ActionCatalogue
    as_of : date
    """
    every = options(catalogue)
    contacts = record.contacts
    return {
        "no_consent": _consented(customers, record, catalogue, every),
        "suppression": _unsuppressed(customers, record, every),
        "not_eligible": _by_action(every, lambda action: _eligible(customers, action, as_of)),
        "not_applicable": _by_action(every, lambda action: _fits(customers, action)),
        "quiet_period": _not_quiet(customers, record.complaints, catalogue, every, as_of),
        "contact_cap": _within_caps(customers, contacts, catalogue, every, as_of),
        "cool_down": _cooled_down(customers, contacts, every, as_of),
        "had_enough": _not_had_enough(customers, contacts, every, as_of),
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


def _by_action(every: list[Option], mask: Callable[[Action], np.ndarray]) -> np.ndarray:
    actions = {option.action.id: option.action for option in every}
    columns = {action_id: mask(action) for action_id, action in actions.items()}
    return np.array([columns[option.action.id] for option in every]).T


def _by_channel(every: list[Option], mask: Callable[[str], np.ndarray]) -> np.ndarray:
    columns = {name: mask(name) for name in dict.fromkeys(option.channel for option in every)}
    return np.array([columns[option.channel] for option in every]).T


def _consented(
    customers: pl.DataFrame,
    record: ContactRecord,
    catalogue: ActionCatalogue,
    every: list[Option],
) -> np.ndarray:
    """A grant where the channel needs one; elsewhere, no refusal of that channel."""

    def mask(name: str) -> np.ndarray:
        if catalogue.channels[name].consent:
            return _named_in(record.permitted.filter(pl.col("channel") == name), customers)
        refused = record.refused.filter(pl.col("channel") == name)
        return ~_named_in(refused, customers)

    return _by_channel(every, mask)


def _unsuppressed(
    customers: pl.DataFrame, record: ContactRecord, every: list[Option]
) -> np.ndarray:
    """Nobody who refused all channels, even where they come to us."""
    free = ~_named_in(record.refused.filter(pl.col("channel") == ANY), customers)
    return _by_action(every, lambda _: free)


def _fits(customers: pl.DataFrame, action: Action) -> np.ndarray:
    fits = [
        pl.col("stage").is_in(action.stages),
        pl.col("level").is_in(action.levels),
        pl.col("activity").is_in(action.activities),
    ]
    return customers.select(pl.all_horizontal(fits)).to_series().to_numpy()


def _eligible(customers: pl.DataFrame, action: Action, as_of: date) -> np.ndarray:
    """Within the action's dates, and its own rule holds."""
    begun = action.starts_on is None or action.starts_on <= as_of
    ended = action.ends_on is not None and action.ends_on <= as_of
    if not begun or ended:
        return ~_everybody(customers)
    if not action.when.conditions:
        return _everybody(customers)
    rows = nw.from_native(customers, eager_only=True)
    return rows.select(kept=holds(action.when))["kept"].to_numpy()


def _within_caps(
    customers: pl.DataFrame,
    contacts: pl.DataFrame,
    catalogue: ActionCatalogue,
    every: list[Option],
    as_of: date,
) -> np.ndarray:
    """Room for one more contact in the option's channel and over all channels.

    Only channels that need consent count as contacts: in the others the customer comes to us.
    """
    sent = [name for name, channel in catalogue.channels.items() if channel.consent]
    ours = contacts.filter(pl.col("channel").is_in(sent))
    in_all = _has_room(customers, ours, catalogue.all_channels, as_of)

    def mask(name: str) -> np.ndarray:
        channel = catalogue.channels[name]
        room = in_all if channel.consent else _everybody(customers)
        if channel.cap is None:
            return room
        own = contacts.filter(pl.col("channel") == name)
        return room & _has_room(customers, own, channel.cap, as_of)

    return _by_channel(every, mask)


def _has_room(customers: pl.DataFrame, contacts: pl.DataFrame, cap: Cap, as_of: date) -> np.ndarray:
    counts = _recent(contacts, cap.days, as_of).group_by("customer_id").len()
    used = customers.select("customer_id").join(
        counts, on="customer_id", how="left", maintain_order="left"
    )
    return (used["len"].fill_null(0) < cap.count).to_numpy()


def _cooled_down(
    customers: pl.DataFrame, contacts: pl.DataFrame, every: list[Option], as_of: date
) -> np.ndarray:
    def mask(action: Action) -> np.ndarray:
        same = contacts.filter(pl.col("action_id") == action.id)
        return ~_named_in(_recent(same, action.cooldown_days, as_of), customers)

    return _by_action(every, mask)


def _not_quiet(
    customers: pl.DataFrame,
    complaints: pl.DataFrame,
    catalogue: ActionCatalogue,
    every: list[Option],
    as_of: date,
) -> np.ndarray:
    quiet = catalogue.quiet_period
    if quiet is None:
        return _by_action(every, lambda _: _everybody(customers))
    calm = ~_named_in(_recent(complaints, quiet.days, as_of), customers)
    mends = _everybody(customers)
    return _by_action(every, lambda a: mends if a.tactic in quiet.allowed_tactics else calm)


def _not_had_enough(
    customers: pl.DataFrame, contacts: pl.DataFrame, every: list[Option], as_of: date
) -> np.ndarray:
    """Fewer contacts by the action than a customer may ever have."""

    def mask(action: Action) -> np.ndarray:
        if action.max_per_customer is None:
            return _everybody(customers)
        same = contacts.filter(pl.col("action_id") == action.id, pl.col("day") < day_number(as_of))
        often = same.group_by("customer_id").len().filter(pl.col("len") >= action.max_per_customer)
        return ~_named_in(often, customers)

    return _by_action(every, mask)


def _recent(contacts: pl.DataFrame, days: int, as_of: date) -> pl.DataFrame:
    """Contacts in ``[as_of - days, as_of)``."""
    today = day_number(as_of)
    return contacts.filter(pl.col("day") >= today - days, pl.col("day") < today)


def _named_in(rows: pl.DataFrame, customers: pl.DataFrame) -> np.ndarray:
    return customers["customer_id"].is_in(rows["customer_id"].unique().implode()).to_numpy()


def _everybody(customers: pl.DataFrame) -> np.ndarray:
    return np.ones(customers.height, dtype=bool)
