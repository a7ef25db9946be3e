"""What to do, who gets no action and why, and what it costs."""

from typing import NamedTuple

import polars as pl

from actions.catalogue import Action, ActionCatalogue
from delivery import formats, words
from delivery.funnel import Funnel
from delivery.intervals import with_interval
from delivery.pieces import Figure, Mark, Run, TextTable, spoken, total

CHARTED = 8


class ActionLine(NamedTuple):
    """One action of the catalogue and what it does this time, in words."""

    name: str
    brief: str
    tactic: str
    channels: tuple[str, ...]
    customers: str
    net_value: str
    cost: str
    basis: str
    used: bool
    reached: int


class Plan(NamedTuple):
    """Every action of the catalogue, those in use first."""

    lead: str
    lines: tuple[ActionLine, ...]
    total: tuple[str, str, str]
    bases: tuple[tuple[str, str], ...]
    ranges: Figure | None


class Exits(NamedTuple):
    """Who got no action and why; `parts` add up to `scored`, `customers` are the table's."""

    scored: str
    customers: tuple[int, ...]
    parts: tuple[tuple[str, str], ...]
    figure: Figure | None
    table: TextTable


class Spend(NamedTuple):
    """Planned cost against the budget."""

    lead: str
    figure: Figure | None
    table: TextTable | None


def plan(
    exported: pl.DataFrame, *, catalogue: ActionCatalogue, currency: str, effects: pl.DataFrame
) -> Plan:
    """Every action of the catalogue, with its customers, value and cost.

    Parameters
    ----------
    exported : table of schemas.DECISIONS
        Those that are in the file.
    catalogue : ActionCatalogue
    currency : str
    effects : table of schemas.EFFECTS
    """
    lines = [_line(action, exported, currency) for action in catalogue.actions]
    used = sum(line.used for line in lines)
    # Stable: the catalogue's own order stands within equal numbers.
    ordered = sorted(lines, key=lambda line: -line.reached)
    lead = (
        f"{used} of the {formats.plural(len(lines), 'action')} in the catalogue "
        f"{'is' if used == 1 else 'are'} in use this time. "
        "Open a brief to see what to send on to copy and design."
    )
    sums = (
        formats.count(len(exported)),
        formats.money(total(exported["expected_net_value_cents"]), currency),
        formats.money(total(exported["cost_cents"]), currency),
    )
    ranges = _ranges(with_interval(exported, catalogue, effects), catalogue, currency)
    return Plan(lead, tuple(ordered), sums, tuple(words.BASES.values()), ranges)


def _ranges(exported: pl.DataFrame, catalogue: ActionCatalogue, currency: str) -> Figure | None:
    """Net value of the most valuable actions with its interval; None where none is known."""
    known = exported.drop_nulls(["net_low_cents", "net_high_cents"])
    ends = ["net_low_cents", "expected_net_value_cents", "net_high_cents"]
    # Effects of one action are unsure together, so the ends of its customers add up.
    sums = known.group_by("action_id").agg(pl.col(ends).sum())
    best = sums.sort(ends[1], "action_id", descending=[True, False]).head(CHARTED)
    if best.is_empty():
        return None
    names = {action.id: action.name for action in catalogue.actions}
    lines = [(names[code], cents) for code, *cents in best.select("action_id", *ends).rows()]
    marks = tuple(
        Mark(name, number / 100, formats.money(number, currency), part)
        for name, cents in lines
        for number, part in zip(cents, ("low", "value", "high"), strict=True)
    )
    title = "Expected net value by action, with its 80% interval"
    rows = tuple((name, *(formats.money(c, currency) for c in cents)) for name, cents in lines)
    table = TextTable(title, ("Action", "Low", "Expected", "High"), rows)
    said = "; ".join(f"{name}: {low} to {high}" for name, low, _, high in rows)
    note = "Dot: expected. Line: where it lies four times in five, if the effect is as believed."
    return Figure(title, f"{title}. {said}.", "ranges", marks, table, note)


def _line(action: Action, exported: pl.DataFrame, currency: str) -> ActionLine:
    chosen = exported.filter(pl.col("action_id") == action.id)
    bases = [words.BASES.get(code, (words.plain(code),))[0] for code in _known(chosen["basis"])]
    return ActionLine(
        name=action.name,
        brief=" ".join(action.brief.split()),
        tactic=words.tactic(action.tactic),
        channels=_channels(action, chosen),
        customers=formats.count(len(chosen)),
        net_value=formats.money(total(chosen["expected_net_value_cents"]), currency),
        cost=formats.money(total(chosen["cost_cents"]), currency),
        basis=", ".join(bases) or formats.DASH,
        used=len(chosen) > 0,
        reached=len(chosen),
    )


def _channels(action: Action, chosen: pl.DataFrame) -> tuple[str, ...]:
    if chosen.is_empty():
        return tuple(map(words.channel, action.channels))
    used = _known(chosen["channel"])
    if len(used) == 1:
        return (words.channel(used[0]),)
    sizes = {code: total(chosen["channel"].eq(code)) for code in used}
    return tuple(f"{words.channel(c)} {formats.count(n)}" for c, n in sizes.items())


def _known(values: pl.Series) -> list[str]:
    return values.drop_nulls().unique().sort().to_list()


def exits(flow: Funnel) -> Exits:
    """Who got no action and why.

    Parameters
    ----------
    flow : Funnel
        Its counts add up.
    """
    names = ("in the action file", "held out", "suppressed", "no action")
    numbers = (flow.exported, flow.held_out, flow.suppressed, flow.no_action)
    parts = tuple((formats.count(n), name) for n, name in zip(numbers, names, strict=True))
    ordered = sorted(flow.by_exit_reason.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((*words.exit_reason(code), formats.count(n)) for code, n in ordered)
    customers = (*(n for _, n in ordered), sum(flow.by_exit_reason.values()))
    rows += (("All without an action", "", formats.count(customers[-1])),)
    caption = "Customers without an action, by reason"
    table = TextTable(caption, ("Reason", "What it means", "Customers"), rows, 2, total=True)
    figure = _exit_bars(ordered, caption, table)
    return Exits(formats.count(flow.scored), customers, parts, figure, table)


def _exit_bars(ordered: list[tuple[str, int]], title: str, table: TextTable) -> Figure | None:
    marks = tuple(Mark(words.exit_reason(c)[0], n, formats.count(n)) for c, n in ordered)
    return Figure(title, spoken(title, marks), "long_bars", marks, table) if marks else None


def spend(exported: pl.DataFrame, run: Run) -> Spend:
    """Planned cost against the budget, and by channel.

    Parameters
    ----------
    exported : table of schemas.DECISIONS
        Those that are in the file.
    run : Run
        ``budget_cents`` is None where there is no budget.
    """
    spent, budget, currency = run["spent_cents"], run["budget_cents"], run["currency"]
    planned = formats.money(spent, currency)
    if budget is None:
        lead = f"The actions are expected to cost {planned}. No budget was set."
    else:
        left = formats.money(budget - spent, currency)
        used = formats.percent(spent / budget) if budget else formats.DASH
        lead = (
            f"The actions are expected to cost {planned} of a budget of "
            f"{formats.money(budget, currency)} ({used}); {left} is left."
        )
    return Spend(lead, _budget_bar(run) if budget else None, _by_channel(exported, currency))


def _budget_bar(run: Run) -> Figure:
    spent, budget, currency = run["spent_cents"], run["budget_cents"] or 0, run["currency"]
    planned, allowed = formats.money(spent, currency), formats.money(budget, currency)
    title = "Expected cost against budget"
    marks = (Mark("Spent", spent, f"{planned} of {allowed}"),)
    rows = (
        ("Budget", allowed),
        ("Expected cost", planned),
        ("Left", formats.money(budget - spent, currency)),
    )
    table = TextTable(title, ("", "Amount"), rows)
    return Figure(title, f"{title}: {planned} of {allowed}.", "budget", marks, table, limit=budget)


def _by_channel(exported: pl.DataFrame, currency: str) -> TextTable | None:
    if exported.is_empty():
        return None
    cents = pl.col("cost_cents", "expected_net_value_cents").sum()
    sums = exported.group_by("channel").agg(pl.len(), cents).sort("channel")
    rows = [
        (words.channel(code), formats.count(n), *(formats.money(c, currency) for c in amounts))
        for code, n, *amounts in sums.iter_rows()
    ]
    whole = exported.select(cents).row(0)
    rows.append(("All", formats.count(len(exported)), *(formats.money(c, currency) for c in whole)))
    heads = ("Channel", "Customers", "Expected cost", "Expected net value")
    return TextTable("Expected cost and value by channel", heads, tuple(rows), total=True)
