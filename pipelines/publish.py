"""The outbox: a reader sees the whole old folder or the whole new one, never a mixture."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.leftovers import remove, unfinished_deliveries
from pipelines.lock import locked

VERSIONS = ".versions"
OWNER_FILE, OWNER_FOLDER = 0o600, 0o700


def publish(
    files: Mapping[str, bytes], outbox: Path, *, name: str, version: str,
    wait_seconds: float = 0, wanted: Callable[[], None] = lambda: None,
) -> Path:  # fmt: skip
    """Write files as a new, immutable version and point ``outbox/name`` and ``latest`` to it.

    Built in a temporary folder, flushed to disk, renamed, then linked atomically. The same version
    again changes nothing, unless somebody changed its files: then it is written anew, beside them.
    Only the owner may read files and folders, whatever the umask says.

    Parameters
    ----------
    files : mapping
        File name -> content.
    outbox : Path
    name : str
        For example ``as_of=2026-11-22``.
    version : str
        Identifies the content; two different contents must not share one.
    wait_seconds : float, default 0
        How long to wait for another process that is publishing.
    wanted : callable
        Called before anything can be seen; raises if nobody wants the delivery any more.

    Returns
    -------
    Path
        ``outbox/name``.

    Raises
    ------
    BusyError
        If another process is publishing.
    """
    with locked(outbox, wait_seconds=wait_seconds):
        remove(unfinished_deliveries(outbox))
        kept = _place(files, outbox / VERSIONS, f"{name}.{version}")
        wanted()
        if not kept.exists():
            _write_version(files, outbox, kept)
        _link(outbox / name, kept)
        newest = max(path.name for path in outbox.iterdir() if path.name.startswith("as_of="))
        _link(outbox / "latest", outbox / newest)
    return outbox / name


def _place(files: Mapping[str, bytes], versions: Path, name: str) -> Path:
    """Where this version lies unchanged, or else a name that is free."""
    number = 1
    while True:
        place = versions / (name if number == 1 else f"{name}-{number}")
        if not place.exists() or _holds(place, files):
            return place
        number += 1


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    found = {path.name: path for path in folder.iterdir()}
    same = found.keys() == files.keys()
    return same and all(found[n].read_bytes() == content for n, content in files.items())


def _write_version(files: Mapping[str, bytes], outbox: Path, kept: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=outbox))
    try:
        for name, content in sorted(files.items()):
            _write_file(unfinished / name, content)
        _flush_folder(unfinished)
        kept.parent.mkdir(exist_ok=True)
        for folder in (outbox, kept.parent, unfinished):
            folder.chmod(OWNER_FOLDER)
        unfinished.rename(kept)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _flush_folder(kept.parent)


def _write_file(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_FILE)
    with os.fdopen(handle, "wb") as out:
        os.fchmod(handle, OWNER_FILE)
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _link(link: Path, target: Path) -> None:
    fresh = link.with_name(f".unfinished-{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, link.parent))
    fresh.replace(link)
    _flush_folder(link.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
