"""What each rule, cap and consent gap costs."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from delivery import formats, words
from delivery.pieces import Figure, Mark, Run, TextTable, spoken

MOST_RULES = 10


class RuleCosts(NamedTuple):
    """What each rule, cap and consent gap forgoes, dearest first."""

    lead: str
    figure: Figure


def rule_costs(
    costs: pl.DataFrame | None, run: Run, *, names: Mapping[str, str]
) -> RuleCosts | None:
    """What each rule forgoes; None where that was not worked out or nothing is forgone.

    Parameters
    ----------
    costs : table with rule, kind, customers, forgone_cents
    run : Run
    names : mapping
        Action's id -> its name, for rules of one action.
    """
    if costs is None:
        return None
    dear = costs.filter(pl.col("forgone_cents") > 0)
    dear = dear.sort("forgone_cents", "rule", descending=[True, False]).head(MOST_RULES)
    if dear.is_empty():
        return None
    currency = run["currency"]
    lines = dear.select("rule", "customers", "forgone_cents").rows()
    marks = tuple(
        Mark(_rule(rule, names), forgone, formats.money(forgone, currency))
        for rule, _, forgone in lines
    )
    title = "Expected net value that each rule forgoes"
    table = TextTable(
        title,
        ("Rule", "Customers", "Forgone"),
        tuple((m.row, formats.count(n), m.text) for m, (_, n, _) in zip(marks, lines, strict=True)),
    )
    lead = (
        "Each rule is left out on its own, everything else unchanged. The figures do not add up: "
        "without one rule, another may hold. A rule that costs much is not wrong for that; consent "
        "and the holdout are there on purpose."
    )
    return RuleCosts(lead, Figure(title, spoken(title, marks), "long_bars", marks, table))


def _rule(code: str, names: Mapping[str, str]) -> str:
    """Rule in words: ``no_consent: email`` gives ``E-mail: no consent to be contacted``."""
    kind, _, what = code.partition(":")
    name = words.EXIT_REASONS.get(kind.strip(), (words.plain(kind.strip()),))[0]
    what = what.strip()
    if not what:
        return name
    # What differs stands first, because long labels are cut.
    return f"{names.get(what) or words.channel(what)}: {name[:1].lower()}{name[1:]}"
