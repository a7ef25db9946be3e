"""One writer at a time: a lock that the process which writes holds itself.

Only the standard library is imported here: a command that has to say "busy" says so before it
loads anything heavy.
"""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from features.errors import BusyError

LOCK = ".lock"
POLL_SECONDS, SAYING_SECONDS = 0.1, 1.0
OWNER_ALONE = 0o600


@contextmanager
def locked(folder: Path, *, wait_seconds: float = 0, name: str = LOCK) -> Iterator[None]:
    """Hold the lock of a folder; wait for it so long, then fail.

    The lock belongs to the process, so it ends with it, however it ends. The file stays, and says
    who held it last.

    Raises
    ------
    BusyError
        If another process holds it; names its number, its host and its start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("a+") as held:
        os.fchmod(held.fileno(), OWNER_ALONE)
        _take(held, folder, wait_seconds)
        held.truncate(0)
        held.write(json.dumps(_myself()))
        held.flush()
        yield


def refuse_if_busy(folder: Path) -> None:
    """Fail at once if another process holds the lock of a folder; writes nothing.

    Raises
    ------
    BusyError
        See `locked`.
    """
    if (folder / LOCK).is_file():
        with (folder / LOCK).open("a+") as held:
            _take(held, folder, 0)


def holder(folder: Path) -> str | None:
    """Who holds the lock of a folder, in words; None for nobody."""
    try:
        refuse_if_busy(folder)
    except BusyError:
        with (folder / LOCK).open() as held:
            return _said(held)
    return None


def _take(held: IO[str], folder: Path, wait_seconds: float) -> None:
    end = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= end:
                raise BusyError(
                    f"{folder.name}: another run is writing. Got {_said(held)}. Expected nobody. "
                    f"Wait for it to end, or add `--wait SECONDS`, then run again."
                ) from error
        time.sleep(POLL_SECONDS)


def _myself() -> dict[str, object]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "started_at": now}


def _said(held: IO[str]) -> str:
    """Who holds the lock. Whoever has just taken it says so a moment later."""
    end = time.monotonic() + SAYING_SECONDS
    while time.monotonic() < end:
        try:
            held.seek(0)
            known = json.loads(held.read())
            if _may_run(known["pid"], known["host"]):
                return f"process {known['pid']} on {known['host']}, since {known['started_at']}"
        except (ValueError, KeyError, TypeError):
            pass
        time.sleep(0.01)
    return "a process that has just begun"


def _may_run(pid: int, host: str) -> bool:
    """False for a process that has ended: its words are those of an earlier holder."""
    try:
        if host == socket.gethostname():
            os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as another user
        return True
    return True
