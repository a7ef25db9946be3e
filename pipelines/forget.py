"""Command: take a person out of everything, keep one hashed entry, and prove it by searching."""

import configparser
import os
import re
import secrets
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date
from glob import glob
from pathlib import Path
from typing import NamedTuple

from features.errors import DataError, InputMissingError
from pipelines.erasure.person import Person, person_of
from pipelines.erasure.places import LEFT, Places, remove
from pipelines.erasure.records import Form
from pipelines.erasure.search import files_below, holds, is_named
from pipelines.intake.forgotten import FILE, with_forgotten
from pipelines.intake.inputs import PACKAGE, REMOTE, inputs_of, kind_of_path
from pipelines.intake.sources import DATABASES, Source
from pipelines.lock import locked
from pipelines.project import Project
from pipelines.tables import write_text
from pipelines.tracking import SQLITE

FOLDERS = ("data", "state")
WHO = ("customer_id", "identifier")


class Forgotten(NamedTuple):
    """How many files held the person, by place, and the sources that could not be searched."""

    removed: dict[str, int]
    searched: int
    elsewhere: list[str]


def forget(project: Project, customer_id: str, today: date) -> Forgotten:
    """Take a customer out of every file of a project, and search all of it again.

    The entry in the catalogue comes first: a command that was cut off goes on when it is given
    again, and no ingest takes the person in meanwhile.

    Raises
    ------
    InputMissingError
        If no file holds such a customer, and none was forgotten.
    DataError
        If a file that is not Keepwell's still holds the person.
    BusyError
        If another run is writing.
    """
    root = project.root
    places = _places(project)
    identities = [folder / "tables" / "identities.parquet" for folder in places.work]
    person = person_of(customer_id, identities, _columns(project))
    with ExitStack() as held:
        for folder in (*places.work, places.outbox):
            if folder.exists():
                held.enter_context(locked(folder))
        found = _found(places, person)
        known = project.catalogue.forgotten.holds(person.customer_id)
        if not found and not known:
            raise InputMissingError(
                "forget: nobody of this id. Got an id that no table, file or list of this project "
                "holds. Expected a customer's id as it stands in the tables. Nothing was changed."
            )
        text = with_forgotten(root / "catalogue", person.customer_id, today, secrets.token_hex(16))
        write_text(text, root / "catalogue" / FILE)
        removed = remove(found, person, places)
        left = _found(places, person)
    if left:
        raise _still_there(left, root, person)
    removed.pop(LEFT, None)
    return Forgotten(removed, sum(1 for _ in _everything(places)), _elsewhere(project))


def spoken(done: Forgotten) -> str:
    """What was done, in sentences without the person."""
    places = ", ".join(f"{count} in {place}" for place, count in sorted(done.removed.items()))
    lines = [
        f"Forgotten. Files changed or removed: {places or 'none, it was done before'}.",
        f"Searched {done.searched:,} files again, by name and by content: found nothing.",
        f"A salted hash in catalogue/{FILE} keeps later files from bringing the customer back.",
    ]
    if done.elsewhere:
        lines.append(f"Not searched, because not in this folder: {', '.join(done.elsewhere)}.")
    if any(place in done.removed for place in ("tables", "outputs of steps", "cache")):
        lines.append("Next: keepwell run (or dvc repro) makes anew what was made of their data.")
    return "\n".join(lines)


def _places(project: Project) -> Places:
    root = project.root
    params = project.params.tracking
    file = params.uri.removeprefix(SQLITE) if params.uri.startswith(SQLITE) else "mlflow.db"
    return Places(
        root=root,
        work=[root / name for name in FOLDERS],
        outbox=project.outbox,
        caches=_caches(root),
        artifacts=root / params.artifacts,
        store=root / file,
        exports=_exports(project),
    )


def _caches(root: Path) -> list[Path]:
    """DVC's cache, also where its configuration puts it elsewhere."""
    config = configparser.ConfigParser()
    config.read([root / ".dvc" / "config", root / ".dvc" / "config.local"])
    named = config.get("cache", "dir", fallback="cache")
    return [Path(os.path.normpath(root / ".dvc" / named))]


def _exports(project: Project) -> dict[Path, Form | None]:
    """Files below the project that sources name, with what the catalogue says of their form."""
    found: dict[Path, Form | None] = {}
    for name, source in project.catalogue.sources.sources.items():
        if not _is_here(source, project.root):
            continue
        for one in inputs_of(name, source, project.root):
            if one.path is not None and one.path.resolve().is_relative_to(project.root.resolve()):
                found[one.path] = _form(source)
    return found


def _form(source: Source) -> Form | None:
    declared = source.delimiter and source.encoding
    return Form("csv", source.encoding or "", source.delimiter or "") if declared else None


def _is_here(source: Source, root: Path) -> bool:
    if kind_of_path(source) in DATABASES or REMOTE.match(source.path):
        return False
    whole = str(root / source.path)
    return not source.path.startswith(PACKAGE) and bool(glob(whole, recursive=True))  # noqa: PTH207


def _columns(project: Project) -> Iterable[str]:
    """Columns of customers' ids: in sources, and in the files of platforms."""
    catalogue = project.catalogue
    for source in catalogue.sources.sources.values():
        for target in WHO:
            if target in source.columns:
                yield from source.columns[target].reads
    for platform in catalogue.platforms.platforms.values():
        yield from (c.header for c in platform.columns if c.source == "customer_id")


def _everything(places: Places) -> Iterable[Path]:
    yield from files_below(places.root)
    for cache in places.caches:
        if cache.is_dir() and not cache.is_relative_to(places.root):
            yield from files_below(cache)


def _found(places: Places, person: Person) -> list[Path]:
    return [
        path
        for path in _everything(places)
        if holds(path, person)
        or (path.is_relative_to(places.root) and is_named(path, places.root, person))
    ]


def _elsewhere(project: Project) -> list[str]:
    sources = project.catalogue.sources.sources
    here = {name for name, source in sources.items() if _is_here(source, project.root)}
    return [f"source {name}" for name in sources if name not in here]


def _still_there(left: list[Path], root: Path, person: Person) -> DataError:
    """Names of files are shown without the person."""
    pattern = person.pattern()
    names = [str(p.relative_to(root)) if p.is_relative_to(root) else p.name for p in left]
    shown = [re.sub(pattern, r"\1***\3", name) if pattern else name for name in names]
    return DataError(
        f"forget: {len(left)} files still hold the person: {', '.join(shown[:5])}. Expected none. "
        f"They are not Keepwell's to change: take the person out of them, then run this again."
    )
