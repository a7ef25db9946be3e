"""What `keepwell init` shows: tables that fit the terminal, plain where there is none."""

import io
from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from features.horizon import SHOWN_DAYS, Fit, Pauses
from pipelines.onboarding.drafts import Draft
from pipelines.onboarding.history import role_of
from pipelines.onboarding.proposal import Proposal

STYLES = {"sure": "green", "likely": "", "check": "bold yellow"}
MOST_TYPES = 12
WIDEST = 120


def printed(parts: Iterable[RenderableType], width: int, *, colour: bool) -> str:
    """Text of a given width; colours only where a terminal shows them."""
    text = io.StringIO()
    console = Console(
        file=text, width=min(width, WIDEST), force_terminal=colour, no_color=not colour,
        highlight=False, legacy_windows=False,
    )  # fmt: skip
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def proposal_sheet(proposal: Proposal) -> list[RenderableType]:
    """Everything that was decided, why, and how sure it is."""
    parts: list[RenderableType] = []
    told: set[str] = set()
    for draft in proposal.drafts:
        path = draft.source.path
        parts += [_heading(_title(draft)), _decisions(draft, again=path in told), Text()]
        told.add(path)
    parts += [_heading("The company"), _business(proposal), Text()]
    parts += [_heading("Event types"), _types(proposal), Text()]
    if proposal.pauses and proposal.fit:
        parts += [_heading("Churn horizon"), _horizon(proposal.pauses, proposal.fit), Text()]
    parts += [_heading("Minimum data for a churn model"), _gates(proposal), Text()]
    return parts


def _heading(title: str) -> Text:
    return Text(title, style="bold")


def _title(draft: Draft) -> str:
    sample = draft.shown.sample
    how = [f"{sample.height:,} rows", draft.source.table]
    if sample.encoding:
        how.append(sample.encoding)
    if sample.delimiter:
        how.append({"\t": "tabs", ";": "semicolons", "|": "bars"}[sample.delimiter])
    if draft.source.decimal == ",":
        how.append("decimal comma")
    return f"{Path(draft.source.path).name} ({', '.join(how)})"


def _table(*columns: str) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_edge=False,
        header_style="dim",
    )
    for name in columns:
        right = name.endswith(">")
        table.add_column(
            name.removesuffix(">"), justify="right" if right else "left", overflow="fold"
        )
    return table


def _decisions(draft: Draft, *, again: bool) -> RenderableType:
    """The decisions of a source; what is said of its file only once."""
    table = _table("what", "is", "because", "how sure")
    for d in draft.decisions:
        why = d.why + (
            f"; as good: {', '.join(r for r in d.rivals if r != d.taken)}" if d.rivals else ""
        )
        table.add_row(d.target, d.taken, why, _sure(d.sure))
    refused = {} if again else _grouped(draft.shown.refused)
    for reason, names in refused.items():
        table.add_row("refused", ", ".join(names), reason, _sure("sure"))
    unused = [] if again else _unused(draft)
    if unused:
        table.add_row("not used", ", ".join(unused), "nothing reads them", "")
    return Padding(table, (0, 0, 0, 2))


def _grouped(refused: dict[str, str]) -> dict[str, list[str]]:
    """Reason without its figures -> columns, so that a reason is said once."""
    grouped: dict[str, list[str]] = {}
    for name, reason in refused.items():
        plain, _, figure = reason.partition(" (the oldest rows have ")
        times = figure.partition(" times")[0]
        grouped.setdefault(plain, []).append(f"{name} (x{times})" if times else name)
    return {
        reason
        + (
            "; x: how much larger in the oldest rows" if any("(x" in n for n in names) else ""
        ): names
        for reason, names in grouped.items()
    }


def _unused(draft: Draft) -> list[str]:
    read = {*draft.source.reads, *draft.source.refused}
    names = [name for name in draft.shown.sample.columns if name not in read]
    more = len(names) - MOST_TYPES
    return [*names[:MOST_TYPES], f"{more} more"] if more > 1 else names


def _sure(word: str) -> Text:
    return Text(word, style=STYLES[word])


def _business(proposal: Proposal) -> RenderableType:
    table = _table("what", "is", "because", "how sure")
    history = proposal.history
    span = f"{history.first_day} to {history.last_day}"
    read = (
        f"{history.read / history.rows:.0%} of {history.rows:,} rows have customer, time and type"
    )
    stray = f"; {history.stray:,} rows lie far behind and are ignored here" if history.stray else ""
    rows = (("time zone", proposal.timezone), ("currency", proposal.currency))
    for what, setting in rows:
        table.add_row(what, setting.value, setting.why, _sure(setting.sure))
    table.add_row("history", span, f"{read}; {history.customers:,} customers", "")
    table.add_row(
        "as-of date",
        f"{proposal.as_of}",
        f"the day after the last event{stray}",
        _sure("check" if stray else "sure"),
    )
    if not any(draft.source.table == "consents" for draft in proposal.drafts):
        table.add_row(
            "consent",
            "none known",
            "only web, app, store and other channels that need none are used",
            "",
        )
    return Padding(table, (0, 0, 0, 2))


def _types(proposal: Proposal) -> RenderableType:
    table = _table("in the files", "rows>", "counts as", "how sure")
    new = proposal.additions
    for name, count in list(proposal.history.types.items())[:MOST_TYPES]:
        target = proposal.taxonomy.aliases.get(name, name)
        meaning = f"{role_of(name, proposal.taxonomy)}" + (f" ({target})" if target != name else "")
        sure = "check" if name in new.events else "likely" if name in new.aliases else "sure"
        table.add_row(name, f"{count:,}", meaning, _sure(sure))
    hidden = len(proposal.history.types) - MOST_TYPES
    if hidden > 0:
        table.add_row(f"{hidden} more", "", "see catalogue/taxonomy.yaml", "")
    return Padding(table, (0, 0, 0, 2))


def _horizon(pauses: Pauses, fit: Fit) -> RenderableType:
    chosen = fit.churn.horizon_days
    table = _table("silent for>", "came back after longer>", "on any day>", "")
    for days in sorted({*SHOWN_DAYS, chosen}):
        wrong = pauses.at(days)
        mark = Text("proposed", style="bold green") if days == chosen else Text()
        ever = f"{wrong.customers:,} of {pauses.returning:,} ({wrong.share:.0%})"
        table.add_row(f"{days} days", ever, f"{wrong.daily_share:.0%}", mark)
    return Padding(Group(table, Text(), Text(_spoken(pauses, fit))), (0, 0, 0, 2))


def _spoken(pauses: Pauses, fit: Fit) -> str:
    past = fit.cutoffs
    dates = (
        f"{past.count} past dates, {past.step_days} days apart" if past.count > 1 else "1 past date"
    )
    return (
        "Those who came back after a longer silence would have been called churned. On any day: "
        "the share of the returning customers whom an ordinary day would call so.\n\n"
        f"{fit.churn.horizon_days} days: {fit.why}. Half of all pauses last at most "
        f"{pauses.median_days:.0f} days. Look-back {fit.churn.lookback_days} days; learns from "
        f"{dates}."
    )


def _gates(proposal: Proposal) -> RenderableType:
    table = _table("what", "needed", "there", "enough")
    for gate in proposal.gates:
        mark = Text("yes", style="green") if gate.met else Text("no", style="bold yellow")
        table.add_row(gate.name, gate.needed, gate.found, mark)
    return Padding(Group(table, Text(), Text(_verdict(proposal))), (0, 0, 0, 2))


def _verdict(proposal: Proposal) -> str:
    if proposal.fit is None:
        return (
            "No event counts as value, so nothing can be computed. Give the role `value` to the "
            "event that the company lives on, in catalogue/taxonomy.yaml."
        )
    if all(gate.met for gate in proposal.gates):
        return "Enough to train a churn model."
    return "Too little to train: churn risk will come from rules, and the files will say so."
