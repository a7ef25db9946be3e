"""The log of runs, ``state/runs.jsonl``: what ran, when, with what, and what came out."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from features.errors import DataError, InputMissingError, KeepwellError
from features.records import Record
from pipelines.lock import holder
from pipelines.origin import MadeOf, libraries
from pipelines.verify import MANIFEST, verify

RUNS = "runs.jsonl"
Ending = Literal["running", "delivered", "unchanged", "failed", "stopped", "cut off"]


class Ran(Record):
    """One run: a line when it begins, and another in its place when it ends.

    Attributes
    ----------
    id : str
    as_of : date
    started_at : datetime
    pid : int
    ending : str
        ``running``; ``delivered``; ``unchanged``: a verified rerun, nothing was written;
        ``failed``; ``stopped`` by SIGTERM; ``cut off``: ended without saying so.
    seconds : float or None
    steps : dict of str to float
        Step -> seconds.
    made_of : MadeOf or None
    models, libraries : dict of str to str
        Versions.
    version : str
        Name of the delivered version below ``outbox/.versions``.
    manifest : str
        SHA-256 of its manifest.
    run_id : str
    counts : dict of str to int
        Customers by outcome.
    error : str
        Why it failed: the message, or the kind of a fault of Keepwell itself.
    """

    id: str
    as_of: date
    started_at: datetime
    pid: int
    ending: Ending = "running"
    seconds: float | None = None
    steps: dict[str, float] = Field(default_factory=dict)
    made_of: MadeOf | None = None
    models: dict[str, str] = Field(default_factory=dict)
    libraries: dict[str, str] = Field(default_factory=dict)
    version: str = ""
    manifest: str = ""
    run_id: str = ""
    counts: dict[str, int] = Field(default_factory=dict)
    error: str = ""


@contextmanager
def recorded(state: Path, as_of: date) -> Iterator[tuple[str, dict[str, Any]]]:
    """Log a run: yields its id, and a mapping to fill with fields of `Ran`.

    The state's lock must be held.
    """
    begun = datetime.now(UTC)
    ran = Ran(id=f"{begun:%Y%m%dT%H%M%S.%f}-{os.getpid()}", as_of=as_of, started_at=begun,
              pid=os.getpid(), libraries=libraries())  # fmt: skip
    fields: dict[str, Any] = {}
    try:
        _append(ran, state)
        yield ran.id, fields
    except BaseException as error:
        with suppress(OSError):  # a full disk must not hide what happened
            _append(_ended(ran, {**fields, **failure(error)}), state)
        raise
    _append(_ended(ran, fields), state)


def read_runs(state: Path) -> list[Ran]:
    """All runs, oldest first; a line that was cut off while it was written does not count."""
    path = state / RUNS
    found: dict[str, Ran] = {}
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        with suppress(ValidationError):
            ran = Ran.model_validate_json(line)
            found[ran.id] = ran
    return list(found.values())


def delivered_alike(state: Path, outbox: Path, as_of: date, now: MadeOf) -> Ran | None:
    """The latest delivery for a date, if it was made of the same and its files are untouched."""
    before = [r for r in read_runs(state) if r.as_of == as_of and r.ending == "delivered"]
    if not before or before[-1].made_of != now:
        return None
    folder = outbox / f"as_of={as_of.isoformat()}"
    with suppress(DataError, InputMissingError):
        verify(folder)
        return before[-1] if manifest_hash(folder) == before[-1].manifest else None
    return None


def manifest_hash(folder: Path) -> str:
    """SHA-256 of a delivered folder's manifest."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def listed(state: Path, *, as_json: bool) -> str:
    """The log, for people or as one JSON list; a run that ended without a word is ``cut off``."""
    alive = holder(state) is not None
    runs = read_runs(state)
    last = runs[-1].id if runs and alive else ""
    shown = [
        ran.model_copy(update={"ending": "cut off"})
        if ran.ending == "running" and ran.id != last
        else ran
        for ran in runs
    ]
    if as_json:
        return json.dumps([ran.model_dump(mode="json") for ran in shown], indent=2)
    return "\n".join([_HEAD, *map(_line, shown)]) if shown else "No run yet: keepwell run"


_HEAD = (
    f"{'as of':<11}{'started (UTC)':<20}{'ended':<10}{'seconds':>8}{'actions':>9}  "
    f"{'data':<9}{'catalogue':<10}{'churn model'}"
)


def _line(ran: Ran) -> str:
    made = ran.made_of
    data, catalogue = (made.data[:8], made.catalogue[:8]) if made else ("", "")
    seconds = "" if ran.seconds is None else f"{ran.seconds:.1f}"
    actions = f"{ran.counts['exported']:,}" if "exported" in ran.counts else ""
    line = (
        f"{ran.as_of.isoformat():<11}{ran.started_at:%Y-%m-%d %H:%M:%S} {ran.ending:<10}"
        f"{seconds:>8}{actions:>9}  {data:<9}{catalogue:<10}{ran.models.get('churn', '')}"
    )
    return line.rstrip() + (f"\n  {ran.error}" if ran.error else "")


def _ended(ran: Ran, fields: dict[str, Any]) -> Ran:
    seconds = (datetime.now(UTC) - ran.started_at).total_seconds()
    return ran.model_copy(update={**fields, "seconds": round(seconds, 3)})


def failure(error: BaseException) -> dict[str, Any]:
    """Fields of `Ran` for a run that did not end well."""
    if isinstance(error, KeepwellError):
        return {"ending": "failed", "error": str(error)}
    stopped = isinstance(error, SystemExit | KeyboardInterrupt)
    return {"ending": "stopped" if stopped else "failed", "error": type(error).__name__}


def _append(ran: Ran, state: Path) -> None:
    """Add one line; after a line that was cut off, on a line of its own."""
    with (state / RUNS).open("ab+") as log:
        end = log.seek(0, os.SEEK_END)
        log.seek(max(end - 1, 0))
        torn = end > 0 and log.read(1) != b"\n"
        log.write((b"\n" if torn else b"") + ran.model_dump_json().encode() + b"\n")
        log.flush()
        os.fsync(log.fileno())
