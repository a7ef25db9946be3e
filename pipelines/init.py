"""`keepwell init`: look at a company's files, propose how to read them, ask, and write it down."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from features.errors import UsageError
from pipelines.config import read_params, read_taxonomy
from pipelines.intake.sources import TARGETS
from pipelines.onboarding.business import Setting, is_currency, is_zone
from pipelines.onboarding.proposal import (
    Proposal,
    Shipped,
    Wishes,
    propose,
    refuse_undecided,
    undecided_dates,
)  # fmt: skip
from pipelines.onboarding.scaffold import shipped, write_proposal
from pipelines.onboarding.sheet import printed, proposal_sheet

LONGEST_HORIZON_DAYS = 3650

Ask = Callable[[str, str], str]


class Terminal(NamedTuple):
    """Where proposals are shown, and questions asked; nobody answers where ``ask`` is None."""

    say: Callable[[str], None]
    ask: Ask | None
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
    return Shipped(taxonomy, taxonomy.channels, params.train.min_per_class)


def _show(proposal: Proposal, terminal: Terminal) -> None:
    terminal.say(printed(proposal_sheet(proposal), terminal.width, colour=terminal.colour))


def _answers(wishes: Wishes, proposal: Proposal, ask: Ask) -> Wishes:
    """The wishes with what was answered; Enter at every question leaves them as they are."""
    columns = dict(wishes.columns)
    for draft in proposal.drafts:
        for d in draft.undecided:
            question = f"{Path(draft.source.path).name}: which column is {d.target}?"
            answer = _until(
                d.rivals.__contains__, ask, f"{question} ({', '.join(d.rivals)})", d.taken
            )
            columns |= {d.target: answer} if answer != d.taken else {}
    day_first = wishes.day_first
    if any(undecided_dates(draft) for draft in proposal.drafts):
        question = "Is 03/04/2024 the 3rd of April (dmy) or March the 4th (mdy)?"
        day_first = _until({"dmy", "mdy"}.__contains__, ask, question, "dmy") == "dmy"
    return wishes._replace(
        columns=columns,
        day_first=day_first,
        timezone=_setting(
            proposal.timezone, wishes.timezone, ask, "Time zone, as in Europe/Rome", is_zone
        ),
        currency=_setting(proposal.currency, wishes.currency, ask, "Currency", is_currency),
        horizon_days=_horizon(proposal, wishes.horizon_days, ask),
    )


def _setting(
    setting: Setting, said: str | None, ask: Ask, question: str, valid: Callable[[str], bool]
) -> str | None:
    """What was said before, unless something else than the proposal is answered."""
    if setting.sure == "sure":
        return said
    answer = _until(valid, ask, question, setting.value)
    return said if answer == setting.value else answer


def _horizon(proposal: Proposal, said: int | None, ask: Ask) -> int | None:
    if proposal.fit is None or said:
        return said
    proposed = str(proposal.fit.churn.horizon_days)
    answer = _until(_is_days, ask, "Churned after how many days without a value event", proposed)
    return said if answer == proposed else int(answer)


def _is_days(answer: str) -> bool:
    return answer.isdecimal() and 1 <= int(answer) <= LONGEST_HORIZON_DAYS


def _until(valid: Callable[[str], bool], ask: Ask, question: str, proposed: str) -> str:
    """The answer, asked for again until it is valid."""
    answer = ask(question, proposed).strip()
    while not valid(answer):
        answer = ask(f"{answer!r} is not possible. {question}", proposed).strip()
    return answer


def _agreed(answer: str) -> bool:
    return answer.strip().lower() in ("y", "yes")


def _next(proposal: Proposal) -> str:
    if proposal.fit is None:
        return "Next: give an event type the role `value` in catalogue/taxonomy.yaml."
    return "Next: keepwell run"
