"""What happens to a file that holds a person, by the place where it lies."""

import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from delivery.manifest import file_entry, manifest_text
from pipelines.erasure.person import Person
from pipelines.erasure.records import Form, drop_lines, drop_records
from pipelines.erasure.search import cells_in_database, holds
from pipelines.erasure.tables import drop_rows, forget_in_tables
from pipelines.intake.databases import quoted
from pipelines.publish import OWNER_FILE, VERSIONS
from pipelines.tables import write_text

DAILY, TABLES, MANIFEST = "daily", "tables", "manifest.json"
LEFT = "left"
# Pages and workbooks cannot lose a row; the next run makes new ones.
WHOLE = (".html", ".xlsx")


class Places(NamedTuple):
    """Where a project keeps what.

    ``work`` are the folders of the steps; ``caches`` and ``artifacts`` those of DVC and MLflow;
    ``exports`` are files of the company's own that sources name, with how they are written.
    """

    root: Path
    work: list[Path]
    outbox: Path
    caches: list[Path]
    artifacts: Path
    store: Path
    exports: dict[Path, Form | None]


def remove(found: Iterable[Path], person: Person, places: Places) -> dict[str, int]:
    """Take the person out of each file that holds them; how many files of each place changed."""
    done: dict[str, int] = {}
    for path in found:
        if path.exists():
            place = _removed(path, person, places)
            done[place] = done.get(place, 0) + 1
    return done


def _removed(path: Path, person: Person, places: Places) -> str:
    for folder in places.work:
        if path.is_relative_to(folder):
            return _from_work(path, folder, person)
    if path.is_relative_to(places.outbox):
        return _from_delivery(path, places.outbox, person)
    if any(path.is_relative_to(cache) for cache in places.caches):
        path.unlink()
        return "cache"
    if path.is_relative_to(places.artifacts):
        path.unlink()
        return "artifacts"
    if path == places.store:
        _scrub(path, person)
        return "tracking store"
    return _from_own_file(path, person, places)


def _from_work(path: Path, folder: Path, person: Person) -> str:
    """Tables lose rows; what steps made of them goes, and the next run makes it again."""
    name = path.relative_to(folder).parts[0]
    if name == TABLES:
        forget_in_tables(folder / TABLES, person)
        if path.exists() and holds(path, person):
            path.unlink()
        return "tables"
    depth = 2 if name == DAILY else 1
    output = folder.joinpath(*path.relative_to(folder).parts[:depth])
    shutil.rmtree(output) if output.is_dir() else output.unlink()
    return "outputs of steps"


def _from_delivery(path: Path, outbox: Path, person: Person) -> str:
    """Every file of the delivery: rows go; a page or workbook that names them goes whole."""
    if not path.is_relative_to(outbox / VERSIONS):
        path.unlink()
        return "deliveries"
    delivery = outbox / VERSIONS / path.relative_to(outbox / VERSIONS).parts[0]
    gone: dict[str, int] = {}
    for file in sorted(delivery.iterdir()):
        if file.suffix == ".parquet":
            gone[file.name] = drop_rows(file, person)
        elif file.suffix in (".csv", ".tsv", ".txt"):
            gone[file.name] = drop_records(file, person)
        if file.name != MANIFEST and holds(file, person, every=file.suffix in WHOLE):
            file.unlink()
    _renew_manifest(delivery, gone)
    return "deliveries"


def _renew_manifest(delivery: Path, gone: dict[str, int]) -> None:
    """Hashes and rows of what is there now; the counts stay those of the day of the run."""
    path = delivery / MANIFEST
    facts = json.loads(path.read_text("utf-8"))
    for name, entry in list(facts["files"].items()):
        if (delivery / name).exists():
            rows = entry["rows"] - gone.get(name, 0)
            facts["files"][name] = file_entry((delivery / name).read_bytes(), rows)
        else:
            del facts["files"][name]
    facts["forgotten_since"] = facts.get("forgotten_since", 0) + 1
    write_text(manifest_text(facts), path)
    path.chmod(OWNER_FILE)


def _scrub(store: Path, person: Person) -> None:
    """Empty every cell of the tracking store that holds the person."""
    cells = [(table, column) for table, column, n in cells_in_database(store, person) if n]
    with closing(sqlite3.connect(store)) as base:
        for table, column in cells:
            for text in person.telling:
                where, cell = quoted(table), quoted(column)
                base.execute(f"UPDATE {where} SET {cell} = replace({cell}, ?, ?)", (text, ""))
        base.commit()
        base.execute("VACUUM")


def _from_own_file(path: Path, person: Person, places: Places) -> str:
    """A company's own file: its rows go where a source names it, never the file."""
    if path.suffix == ".log":
        drop_lines(path, person.pattern())
        return "logs"
    if path not in places.exports:
        return LEFT
    if path.suffix.lower() in (".parquet", ".pq"):
        drop_rows(path, person)
    else:
        drop_records(path, person, places.exports[path])
    return "source files"
