"""How a run ends before its end: a scheduler's SIGTERM, a parent that is gone, a full disk."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator

from features.errors import KeepwellError, OrphanedError, StorageError

TERMINATED = 128 + signal.SIGTERM
STORAGE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "access is denied",
    errno.EPERM: "access is denied",
    errno.EFBIG: "the file would become larger than allowed",
    errno.EIO: "the disk cannot be read or written",
}
# Libraries that report such an error in words alone.
WORDS = {
    "no space left on device": errno.ENOSPC,
    "database or disk is full": errno.ENOSPC,
    "disk quota exceeded": errno.EDQUOT,
    "read-only file system": errno.EROFS,
    "attempt to write a readonly database": errno.EROFS,
    "unable to open database file": errno.EACCES,
    "permission denied": errno.EACCES,
    "file too large": errno.EFBIG,
    "disk i/o error": errno.EIO,
    "thrift: transport error": errno.EIO,  # of Parquet, in the last bytes of a file
}


def stop_cleanly_on_sigterm() -> None:
    """Let SIGTERM end the process through every clean-up, with exit code 143."""
    signal.signal(signal.SIGTERM, _terminated)


def wanted_by_parent() -> Callable[[], None]:
    """A check to call before each step and before anything is published.

    It fails when the process that started this one has ended, unless SIGHUP is ignored, as `nohup`
    sets it: then the run is meant to outlive whoever started it.

    Returns
    -------
    callable
        Raises `OrphanedError`.
    """
    parent = os.getppid()
    outlives = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN

    def check() -> None:
        if os.getppid() != parent and not outlives:
            raise OrphanedError(
                f"run: the process that started it has ended. Got no process {parent}. Nothing "
                f"was published. Run again; `nohup keepwell run ...` outlives its starter."
            )

    return check


def storage_error(error: BaseException) -> StorageError | None:
    """What a user is told of an error of disk, quota or permissions; None for any other."""
    for one in _chain(error):
        number = _number(one)
        if number in STORAGE:
            where = getattr(one, "filename", None)
            place = os.path.basename(os.fspath(where)) if where else "project folder"  # noqa: PTH119
            return StorageError(
                f"{place}: {STORAGE[number]}. Got {errno.errorcode[number]}. What lies in the "
                f"outbox is whole. Make room or mend it, then run again; `keepwell doctor` says "
                f"where to look."
            )
    return None


def _number(error: BaseException) -> int | None:
    if isinstance(error, KeepwellError):
        return None
    if isinstance(error, OSError) and error.errno in STORAGE:
        return error.errno
    text = str(error).lower()
    return next((number for words, number in WORDS.items() if words in text), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    seen: set[int] = set()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or one.__context__


def _terminated(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one does not cut the clean-up short
    print("keepwell: stopped by SIGTERM. Nothing is half published; run again.", file=sys.stderr)  # noqa: T201
    sys.exit(TERMINATED)
