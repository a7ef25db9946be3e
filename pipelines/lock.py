"""One writer at a time: a lock that the process which writes holds itself."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import BusyError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, or fail at once.

    The lock belongs to the process, so it ends with it, however it ends.

    Raises
    ------
    BusyError
        If another process holds it; names that process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            held.seek(0)
            raise BusyError(
                f"{folder.name}: another run is writing. Got process {held.read() or 'unknown'}. "
                f"Wait for it to end, then run again."
            ) from error
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        yield
