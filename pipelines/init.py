"""`keepwell init`: look at a company's files, propose how to read them, ask, and write it down."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from features.errors import UsageError
from pipelines.config import read_params, read_taxonomy
from pipelines.proposal import Proposal, Wishes, measured, propose, refuse_undecided
from pipelines.scaffold import shipped, write_proposal
from pipelines.sheet import printed, proposal_sheet
from pipelines.sources import TARGETS


class Terminal(NamedTuple):
    """Where questions are asked and answers printed."""

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
    """
    source = project if (project / "params.yaml").is_file() else shipped()
    params = read_params(source / "params.yaml")
    taxonomy = read_taxonomy(shipped() / "catalogue" / "taxonomy.yaml")
    minimum = params.train.min_per_class
    proposal = propose(wishes, project, taxonomy, params.features.channels, minimum)
    if terminal.ask is None:
        refuse_undecided(proposal)
    terminal.say(printed(proposal_sheet(proposal), terminal.width, colour=terminal.colour))
    written = write_proposal(proposal, project)
    terminal.say(f"Written: {', '.join(written)}.")
    terminal.say(_next(proposal))


def columns_said(pairs: Sequence[str]) -> dict[str, str]:
    """``--column TARGET=NAME`` as a mapping.

    Raises
    ------
    UsageError
        If one has no equals sign, or its target is unknown.
    """
    known = {target for required, optional in TARGETS.values() for target in required | optional}
    said = dict(pair.partition("=")[::2] for pair in pairs)
    for target, name in said.items():
        if target not in known or not name:
            raise UsageError(
                f"--column: expected TARGET=NAME. Got {target!r}. Targets: {', '.join(sorted(known))}."
            )
    return said


def _next(proposal: Proposal) -> str:
    if proposal.fit is None:
        return "Next: give an event type the role `value` in catalogue/taxonomy.yaml."
    return "Next: keepwell run"
