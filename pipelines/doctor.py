"""What would stop a run, and the one command that mends each; nothing is removed without --fix."""

import json
import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import yaml

from features.errors import KeepwellError
from pipelines.leftovers import leftovers, remove, unfinished_deliveries, unfinished_stores
from pipelines.lock import holder
from pipelines.origin import libraries
from pipelines.project import Project
from pipelines.runs import read_runs
from pipelines.tracking import store_file
from pipelines.verify import verify

FOUND = 1  # exit code
FEWEST_FREE_BYTES = 64 << 20
RUNS_OF_ROOM = 3  # room for so many deliveries like the last
DOCTOR = "keepwell doctor --fix"


class Finding(NamedTuple):
    """Something that would stop a run.

    Attributes
    ----------
    where, what : str
    command : str
        The one command that mends it.
    removable : list of Path
        What `--fix` removes.
    """

    where: str
    what: str
    command: str
    removable: list[Path] = []  # noqa: RUF012


def diagnosis(root: Path, *, fix: bool, as_json: bool) -> tuple[str, int]:
    """What to print about a project, and the exit code: 1 where something is left to be mended."""
    found = findings(root)
    removed = [path for one in found for path in one.removable] if fix else []
    remove(removed)
    left = findings(root) if fix else found
    if as_json:
        rows = [{"where": f.where, "what": f.what, "command": f.command} for f in left]
        return json.dumps(rows, indent=2), FOUND if left else 0
    lines = [f"removed: {path.relative_to(root)}" for path in removed]
    lines += [f"{f.where}: {f.what}. Mend it: {f.command}" for f in left]
    return "\n".join(lines or ["ok: nothing would stop a run"]), FOUND if left else 0


def findings(root: Path) -> list[Finding]:
    """Every known breakage of a project folder."""
    return [
        *_dvc_locks(root),
        *_dvc_lock(root),
        *_store(root),
        *_leftovers(root),
        *_disk(root),
        *_permissions(root),
        *_drift(root),
        *_delivery(root),
    ]


def _dvc_locks(root: Path) -> Iterator[Finding]:
    path = root / ".dvc" / "tmp" / "rwlock"
    if not path.is_file():
        return
    try:
        held = json.loads(path.read_text("utf-8"))
        owners = [o for lock in held.values() for o in _owners(lock)]
    except (ValueError, AttributeError, TypeError, KeyError):
        yield Finding(".dvc/tmp/rwlock", "broken, so that every DVC command fails", DOCTOR, [path])
        return
    if owners and not any(map(_is_dvc, owners)):
        what = f"names {len(owners)} processes, none of which is a DVC that still runs"
        yield Finding(".dvc/tmp/rwlock", what, DOCTOR, [path])


def _owners(lock: dict) -> list[int]:
    writer = [lock["write"]] if lock.get("write") else []
    return [int(owner["pid"]) for owner in [*writer, *lock.get("read", [])]]


def _is_dvc(pid: int) -> bool:
    """Whether a number is that of a DVC, and not of another process that got it later."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"dvc" in words or b"keepwell" in words


def _dvc_lock(root: Path) -> Iterator[Finding]:
    path = root / "dvc.lock"
    if not path.is_file():
        return
    try:
        locked = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        locked = None
    if not isinstance(locked, dict) or not {"schema", "stages"} <= locked.keys():
        yield Finding("dvc.lock", "cut off or broken", "git checkout dvc.lock")


def _store(root: Path) -> Iterator[Finding]:
    file = store_file(Project(root).params.tracking, root)
    if file is None or not file.is_file():
        return
    try:
        tables, revision, models = _read_store(file)
    except sqlite3.DatabaseError as error:
        yield Finding(file.name, f"not a database that can be read ({error})", _aside(file))
        return
    half = sorted(t for t in tables if t.startswith("_alembic_tmp"))
    if half or (tables and revision is None):
        what = "its making or migration was cut off half way"
        if models:
            yield Finding(file.name, f"{what}, and it holds {models} models",
                          f"cp YOUR-BACKUP {shlex.quote(str(file))}")  # fmt: skip
        else:
            yield Finding(file.name, what, DOCTOR, [file])
    elif revision != (newest := _newest_revision()):
        what = f"made by another version of MLflow (schema {revision}, this one needs {newest})"
        yield Finding(file.name, what, f"mlflow db upgrade sqlite:///{file}")


def _read_store(file: Path) -> tuple[set[str], str | None, int]:
    """Names of the tables, the schema's revision, and how many models are registered."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        rows = store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in rows}
        found = None
        if "alembic_version" in tables:
            found = store.execute("SELECT version_num FROM alembic_version").fetchone()
        models = 0
        if "model_versions" in tables:
            (models,) = store.execute("SELECT count(*) FROM model_versions").fetchone()
    return tables, found and found[0], models


def _newest_revision() -> str:
    from mlflow.store.db.utils import _get_latest_schema_revision

    return _get_latest_schema_revision()


def _aside(file: Path) -> str:
    return f"mv {shlex.quote(str(file))} {shlex.quote(str(file) + '.broken')}"


def _leftovers(root: Path) -> Iterator[Finding]:
    """Unfinished files of folders on which nobody works now."""
    found: list[Path] = []
    for name in ("state", "data"):
        found += [] if holder(root / name) else leftovers(root / name)
    found += [] if holder(root / "outbox") else unfinished_deliveries(root / "outbox")
    file = store_file(Project(root).params.tracking, root)
    if file:
        found += [p for p in unfinished_stores(file) if not _is_running(p)]
    if found:
        what = f"{len(found)} unfinished files or folders of runs that were killed"
        yield Finding("project folder", f"{what} (the next run removes its own)", DOCTOR, found)


def _is_running(store: Path) -> bool:
    return any(Path(f"/proc/{part}").exists() for part in store.name.split(".") if part.isdigit())


def _disk(root: Path) -> Iterator[Finding]:
    free = os.statvfs(root)
    bytes_free, latest = free.f_bavail * free.f_frsize, root / "outbox" / "latest"
    delivery = sum(p.stat().st_size for p in latest.iterdir()) if latest.is_dir() else 0
    needed = max(FEWEST_FREE_BYTES, RUNS_OF_ROOM * delivery)
    if bytes_free < needed or (free.f_files and not free.f_favail):
        what = f"the disk is nearly full: {bytes_free >> 20:,} MiB free, {needed >> 20:,} needed"
        yield Finding("disk", what, f"du -xh {shlex.quote(str(root.resolve()))} | sort -h | tail")


def _permissions(root: Path) -> Iterator[Finding]:
    places = [root / name for name in ("state", "data", "outbox", "mlflow.db")]
    for place in (p for p in places if p.exists()):
        paths = [place, *([] if place.is_file() else place.rglob("*"))]
        seen = [(p, p.lstat()) for p in paths if not p.is_symlink()]
        quoted = shlex.quote(str(place))
        if strange := [p for p, stat in seen if stat.st_uid != os.geteuid()]:
            yield Finding(place.name, f"{len(strange)} files belong to another user",
                          f"sudo chown -R {os.geteuid()} {quoted}")  # fmt: skip
        elif [p for p, stat in seen if stat.st_mode & 0o600 != 0o600]:
            yield Finding(place.name, "may not be read and written by its owner",
                          f"chmod -R u+rwX {quoted}")  # fmt: skip
        elif place.name == "outbox" and place.stat().st_mode & 0o077:
            yield Finding("outbox", "may be opened by other users", f"chmod -R go-rwx {quoted}")


def _drift(root: Path) -> Iterator[Finding]:
    ran = [r for r in read_runs(root / "state") if r.ending == "delivered" and r.libraries]
    if not ran:
        return
    now = libraries()
    changed = {n: v for n, v in ran[-1].libraries.items() if now.get(n) != v and n != "keepwell"}
    if changed:
        said = ", ".join(f"{name} {now.get(name)}, was {was}" for name, was in changed.items())
        pins = " ".join(f"{name}=={version}" for name, version in changed.items())
        yield Finding("libraries", f"not those of the last run: {said}", f"pip install {pins}")


def _delivery(root: Path) -> Iterator[Finding]:
    latest = root / "outbox" / "latest"
    if not latest.is_symlink():
        return
    day = latest.readlink().name.removeprefix("as_of=")
    try:
        verify(latest)
    except (KeepwellError, OSError):
        yield Finding("outbox/latest", "not what its run wrote", f"keepwell run --as-of {day}")
