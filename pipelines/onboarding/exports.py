"""Exports that many companies share: Segment, GA4 and Shopify, known by their columns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pipelines.onboarding.recognition import Pick, Profiled
from pipelines.onboarding.vocabulary import words


class Export(NamedTuple):
    """A well-known export: the columns that tell it, and where it keeps what.

    Attributes
    ----------
    name : str
    telling : tuple of str
        Columns, as words, that must all be there.
    columns : mapping
        Target -> columns as words, best first; the first that is there and mostly filled counts.
    product : tuple of str or None
        Quantity and price of a line, whose product is the value.
    note : str
        What a reader should know, if anything.
    """

    name: str
    telling: tuple[str, ...]
    columns: Mapping[str, Sequence[str]]
    product: tuple[str, str] | None = None
    note: str = ""


KNOWN = (
    Export(
        "Shopify order export",
        ("name", "email", "created at", "lineitem quantity", "lineitem price"),
        {
            "customer_id": ("customer id", "email"),
            "occurred_at": ("created at",),
            "event_id": ("name",),
            "currency": ("currency",),
        },
        product=("lineitem quantity", "lineitem price"),
        note="goods before discount and delivery: Total stands on the first line of an order only",
    ),
    Export(
        "Segment events",
        ("event", "message id"),
        {
            "customer_id": ("user id", "anonymous id"),
            "occurred_at": ("timestamp", "original timestamp", "sent at"),
            "loaded_at": ("received at",),
            "event_id": ("message id",),
            "event_type": ("event",),
            "value": ("properties revenue", "revenue", "properties total", "total"),
            "campaign": ("context campaign name", "campaign name"),
            "currency": ("properties currency", "currency"),
        },
    ),
    Export(
        "GA4 events",
        ("event name", "event timestamp", "user pseudo id"),
        {
            "customer_id": ("user id", "user pseudo id"),
            "occurred_at": ("event timestamp",),
            "event_type": ("event name",),
            "value": (
                "ecommerce purchase revenue",
                "purchase revenue",
                "event value in usd",
                "value",
            ),
            "campaign": ("traffic source name", "campaign"),
            "currency": ("currency", "ecommerce currency"),
        },
    ),
)
MOSTLY = 0.5
MAY_BE_RARE = ("value", "campaign", "currency")


def export_of(shown: Profiled) -> Export | None:
    """The export that a file is written in, if it is one of those known."""
    present = {words(name) for name in shown.profiles}
    return next((d for d in KNOWN if present.issuperset(d.telling)), None)


def pick_of(export: Export | None, shown: Profiled, target: str) -> Pick | None:
    """The column that a export keeps a target in, if it is there."""
    if export is None:
        return None
    names = {words(name): name for name in shown.profiles}
    there = [names[w] for w in export.columns.get(target, ()) if w in names]
    least = 0 if target in MAY_BE_RARE else MOSTLY
    filled = [name for name in there if shown.profiles[name].filled > least]
    return (
        Pick(
            filled[0],
            f"as in a {export.name[:-1] if export.name.endswith('s') else export.name}",
            "sure",
        )
        if filled
        else None
    )
