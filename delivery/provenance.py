"""What the words of the report mean, and what it cannot say."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import polars as pl

from delivery import formats, words
from delivery.bands import BandLimits
from delivery.pieces import Run, total


class DefinitionGroup(NamedTuple):
    """Terms of one kind and what they mean."""

    title: str
    entries: tuple[tuple[str, str], ...]


def definitions(run: Run, bands: BandLimits) -> tuple[DefinitionGroup, ...]:
    """Definitions that the report uses, in its own words."""
    names = {
        "Stages": ("stages", words.STAGES),
        "Levels of the relationship": ("levels", words.LEVELS),
        "Activity": ("activities", words.ACTIVITIES),
    }
    groups = [
        DefinitionGroup(
            title,
            tuple(
                (known.get(entry["id"], words.plain(entry["id"])), entry["meaning"])
                for entry in sorted(run["definitions"].get(key, []), key=_place(known))
            ),
        )
        for title, (key, known) in names.items()
    ]
    groups.append(DefinitionGroup("Engagement types", tuple(words.ENGAGEMENT_TYPES.values())))
    groups.append(DefinitionGroup("Terms", _terms(run, bands)))
    return tuple(group for group in groups if group.entries)


def _place(known: Mapping[str, str]) -> Callable[[Mapping[str, str]], int]:
    order = list(known)
    return lambda entry: order.index(entry["id"]) if entry["id"] in known else len(order)


def _terms(run: Run, bands: BandLimits) -> tuple[tuple[str, str], ...]:
    medium, high = formats.percent(bands.medium, 0), formats.percent(bands.high, 0)
    return (
        ("Snapshot date", f"{formats.day(run['as_of'])}. Only what happened before it is used."),
        ("Look-back", f"Churn risk needs a purchase in the {run['lookback_days']} days before."),
        ("Horizon", f"Risk and expected value look {run['horizon_days']} days ahead."),
        ("Bands of churn risk", f"Low below {medium}, medium below {high}, high from {high} on."),
        (
            "Expected net value",
            "What the action is expected to add within the horizon, less its cost.",
        ),
        ("Expected cost", "Cost of the contact, plus the incentive times the share that uses it."),
        *((name, f"{words.plain(meaning)}.") for name, meaning in words.BASES.values()),
    )


def limits(exported: pl.DataFrame, scores: pl.DataFrame, run: Run) -> tuple[str, ...]:
    """Warnings: what a reader should not conclude from the report."""
    return (
        _basis_limit(exported),
        _holdout_limit(run["holdout_share"]),
        "Expected values are averages over many customers. They say little about any one of them.",
        *(_rule_limit() if scores["score_source"].eq("rule").any() else ()),
        "The reasons say what a risk goes with. They do not prove what causes it.",
        "The models learn from the past. After a sudden change of prices, range or season, trust "
        "them less until they are trained again.",
    )


def _basis_limit(exported: pl.DataFrame) -> str:
    if exported.is_empty():
        return "No action is in the file, so no value is expected from this run."
    assumed = total(exported["basis"].eq("assumed"))
    if assumed == 0:
        return "Every action in the file has an effect that was measured in your own data."
    share = formats.percent(assumed / len(exported), 0)
    return (
        f"For {share} of the actions in the file the effect is the catalogue's assumption, not a "
        "measurement. Expected net values are no better than that assumption, until the results "
        "of held-out customers replace it. The column “Basis” says which is which."
    )


def _holdout_limit(share: float) -> str:
    if share == 0:
        return "Nobody is held out, so the effect of the actions cannot be measured."
    return (
        f"About {formats.percent(share, 0)} of customers are held out at random and stay held out. "
        "Do not contact them by other means for the same purpose: the comparison would be lost."
    )


def _rule_limit() -> tuple[str]:
    return (
        "Part of the churn risk comes from a simple rule, because there was too little data for "
        "a model or none passed its test. It is a rough order, not an exact probability.",
    )
