"""What the last actions really changed, and what the rules cost."""

from datetime import date
from typing import NamedTuple

import polars as pl

from delivery import formats, words
from delivery.pieces import Figure, Mark, Run, TextTable, spoken

MOST_RULES = 10


class Evidence(NamedTuple):
    """Results of past actions against the holdout, and promises against what came of them."""

    lead: str
    sentences: tuple[str, ...]
    ledger: TextTable | None


class RuleCosts(NamedTuple):
    """What each rule, cap and consent gap forgoes, dearest first."""

    lead: str
    figure: Figure


def evidence(
    measured: pl.DataFrame | None, ledger: pl.DataFrame | None, run: Run
) -> Evidence | None:
    """What past actions changed; None where nothing was measured yet.

    Parameters
    ----------
    measured : table with scope and words
    ledger : table with as_of, exported, promised_successes, realised_successes and its interval
    run : Run
    """
    if measured is None or ledger is None or ledger.is_empty():
        return None
    said = measured.filter(pl.col("scope").is_in(["overall", "action"]))["words"].to_list()
    runs = formats.plural(ledger.height, "past run")
    lead = (
        f"{runs} can be judged: their windows are complete. Everybody who was to get an action is "
        "compared with those held out, whether or not it was sent."
    )
    return Evidence(lead, tuple(said), _ledger(ledger, run))


def _ledger(ledger: pl.DataFrame, run: Run) -> TextTable:
    heads = (
        "Run", "Actions", "Cost", "Promised: further buyers", "Realised", "95 % interval",
    )  # fmt: skip
    rows = tuple(_promise(row, run) for row in ledger.sort("as_of").iter_rows(named=True))
    return TextTable("Promised and realised", heads, rows)


def _promise(row: dict[str, object], run: Run) -> tuple[str, ...]:
    as_of, cost = row["as_of"], row["cost_cents"]
    assert isinstance(as_of, date)
    assert isinstance(cost, int)
    ends = [_one(row[name]) for name in ("realised_low", "realised_high")]
    span = f"{ends[0]} to {ends[1]}" if row["realised_low"] is not None else formats.DASH
    return (
        formats.day(as_of),
        _whole(row["exported"]),
        formats.money(cost, run["currency"]),
        _one(row["promised_successes"]),
        _one(row["realised_successes"]),
        span,
    )


def _one(value: object) -> str:
    return formats.number(value, 1) if isinstance(value, float) else formats.DASH


def _whole(value: object) -> str:
    return formats.count(value) if isinstance(value, int) else formats.DASH


def rule_costs(costs: pl.DataFrame | None, run: Run) -> RuleCosts | None:
    """What each rule forgoes; None where that was not worked out or nothing is forgone.

    Parameters
    ----------
    costs : table with rule, kind, customers, forgone_cents
    run : Run
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
        Mark(_rule(rule), forgone, formats.money(forgone, currency)) for rule, _, forgone in lines
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


def _rule(code: str) -> str:
    """Rule in words: ``no_consent: email`` gives ``No consent to be contacted: E-mail``."""
    kind, _, what = code.partition(":")
    name = words.EXIT_REASONS.get(kind.strip(), (words.plain(kind.strip()),))[0]
    return f"{name}: {words.channel(what.strip())}" if what else name
