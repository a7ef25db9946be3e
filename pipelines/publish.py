"""The outbox: a reader sees the whole old folder or the whole new one, never a mixture."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipelines.lock import locked

VERSIONS = ".versions"
OWNER_FILE, OWNER_FOLDER = 0o600, 0o700


def publish(files: Mapping[str, bytes], outbox: Path, *, name: str, version: str) -> Path:
    """Write files as a new, immutable version and point ``outbox/name`` and ``latest`` to it.

    Built in a temporary folder, flushed to disk, renamed, then linked atomically. The same version
    again changes nothing. Only the owner may read files and folders, whatever the umask says.

    Parameters
    ----------
    files : mapping
        File name -> content.
    outbox : Path
    name : str
        For example ``as_of=2026-11-22``.
    version : str
        Identifies the content; two different contents must not share one.

    Returns
    -------
    Path
        ``outbox/name``.

    Raises
    ------
    BusyError
        If another process is publishing.
    """
    with locked(outbox):
        kept = outbox / VERSIONS / f"{name}.{version}"
        _clear_unfinished(outbox)
        if not kept.exists():
            _write_version(files, outbox, kept)
        _link(outbox / name, kept)
        newest = max(path.name for path in outbox.iterdir() if path.name.startswith("as_of="))
        _link(outbox / "latest", outbox / newest)
    return outbox / name


def _write_version(files: Mapping[str, bytes], outbox: Path, kept: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=outbox))
    for name, content in sorted(files.items()):
        handle = os.open(unfinished / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_FILE)
        with os.fdopen(handle, "wb") as out:
            os.fchmod(handle, OWNER_FILE)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    _flush_folder(unfinished)
    kept.parent.mkdir(exist_ok=True)
    for folder in (outbox, kept.parent, unfinished):
        folder.chmod(OWNER_FOLDER)
    unfinished.rename(kept)
    _flush_folder(kept.parent)


def _link(link: Path, target: Path) -> None:
    fresh = link.with_name(f".unfinished-{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(os.path.relpath(target, link.parent))
    fresh.replace(link)
    _flush_folder(link.parent)


def _clear_unfinished(outbox: Path) -> None:
    for path in outbox.glob(".unfinished-*"):
        if path.is_symlink():
            path.unlink()
        else:
            shutil.rmtree(path)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
