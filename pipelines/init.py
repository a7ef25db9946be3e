"""`keepwell init`: look at a company's files, propose how to read them, ask, and write it down."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from features.errors import UsageError
from pipelines.config import read_params, read_taxonomy
from pipelines.proposal import (
    Proposal,
    Shipped,
    Wishes,
    propose,
    refuse_undecided,
    undecided_dates,
)  # fmt: skip
from pipelines.scaffold import shipped, write_proposal
from pipelines.sheet import printed, proposal_sheet
from pipelines.sources import TARGETS

LONGEST_HORIZON_DAYS = 3650


class Terminal(NamedTuple):
    """Where proposals are shown, and questions asked; nobody answers where ``ask`` is None."""

    say: Callable[[str], None]
    ask: Callable[[str, str], str] | None
    width: int
    colour: bool


def initialise(wishes: Wishes, project: Path, terminal: Terminal) -> None:
    """Propose, show, ask where there is somebody to ask, and write.

    Raises
    ------
    DataError
        If a file cannot be read, or nobody can be asked what the data leave open.
    UsageError
        If the answer is not to write.
    """
    known = _known(project)
    proposal = propose(wishes, project, known)
    _show(proposal, terminal)
    if terminal.ask is None:
        refuse_undecided(proposal)
    else:
        answered = _answers(wishes, proposal, terminal.ask)
        if answered != wishes:
            proposal = propose(answered, project, known)
            _show(proposal, terminal)
        if not _agreed(terminal.ask("Write the catalogue and params.yaml? (yes/no)", "yes")):
            raise UsageError("init: nothing was written. Options change the proposal: --help.")
    terminal.say(f"Written: {', '.join(write_proposal(proposal, project))}.\n{_next(proposal)}")


def columns_said(pairs: Sequence[str]) -> dict[str, str]:
    """``--column TARGET=NAME`` as a mapping.

    Raises
    ------
    UsageError
        If one has no equals sign, or its target is unknown.
    """
    known = {target for required, optional in TARGETS.values() for target in required | optional}
    said: dict[str, str] = {}
    for pair in pairs:
        target, _, name = pair.partition("=")
        said[target] = name
        if target not in known or not name:
            raise UsageError(
                f"--column: expected TARGET=NAME. Got {target!r}. "
                f"Targets: {', '.join(sorted(known))}."
            )
    return said


def _known(project: Path) -> Shipped:
    own = project / "params.yaml"
    params = read_params(own if own.is_file() else shipped() / "params.yaml")
    taxonomy = read_taxonomy(shipped() / "catalogue" / "taxonomy.yaml")
    return Shipped(taxonomy, params.features.channels, params.train.min_per_class)


def _show(proposal: Proposal, terminal: Terminal) -> None:
    terminal.say(printed(proposal_sheet(proposal), terminal.width, colour=terminal.colour))


def _answers(wishes: Wishes, proposal: Proposal, ask: Callable[[str, str], str]) -> Wishes:
    """The wishes with what was answered; Enter at every question leaves them as they are."""
    columns = dict(wishes.columns)
    for draft in proposal.drafts:
        for d in draft.undecided:
            file = Path(draft.source.path).name
            answer = ask(f"{file}: which column is {d.target}? ({', '.join(d.rivals)})", d.taken)
            if answer != d.taken:
                columns[d.target] = answer
    answered = wishes._replace(columns=columns)
    if any(undecided_dates(draft) for draft in proposal.drafts):
        first = _choice(
            ask, "Is 03/04/2024 the 3rd of April (dmy) or March the 4th (mdy)?", "dmy", "mdy"
        )
        answered = answered._replace(day_first=first == "dmy")
    zone, currency = proposal.timezone, proposal.currency
    if zone.sure != "sure":
        said = ask("Time zone of the business, as in Europe/London", zone.value)
        answered = answered._replace(timezone=said if said != zone.value else wishes.timezone)
    if currency.sure != "sure":
        said = ask("Currency", currency.value).upper()
        answered = answered._replace(currency=said if said != currency.value else wishes.currency)
    return _with_horizon(answered, proposal, ask)


def _with_horizon(wishes: Wishes, proposal: Proposal, ask: Callable[[str, str], str]) -> Wishes:
    if proposal.fit is None or wishes.horizon_days:
        return wishes
    proposed = str(proposal.fit.churn.horizon_days)
    said = ask("Churned after how many days without a value event", proposed)
    if said == proposed:
        return wishes
    if not said.isdecimal() or not 1 <= int(said) <= LONGEST_HORIZON_DAYS:
        raise UsageError(
            f"horizon: not a number of days. Got {said!r}. Expected 1 to {LONGEST_HORIZON_DAYS}."
        )
    return wishes._replace(horizon_days=int(said))


def _choice(ask: Callable[[str, str], str], question: str, *allowed: str) -> str:
    while (said := ask(question, allowed[0]).strip().lower()) not in allowed:
        pass
    return said


def _agreed(answer: str) -> bool:
    return answer.strip().lower() in ("y", "yes")


def _next(proposal: Proposal) -> str:
    if proposal.fit is None:
        return "Next: give an event type the role `value` in catalogue/taxonomy.yaml."
    return "Next: keepwell run"
