"""Temporary files and folders that a killed run left behind: found, and cleared by the next."""

import re
import shutil
from pathlib import Path

from pipelines.intake.parts import JOURNAL, STAGING

# `tables.replacing` and `parts.write_part` end their names with the number of the process.
UNFINISHED_FILE = re.compile(r"^\.(.+\.)?\d+$")


def leftovers(folder: Path) -> list[Path]:
    """What lies unfinished below a folder of steps, whose lock nobody else may hold.

    A staging folder whose changes were about to take place is none: the next ingest finishes it.
    """
    staging = folder / "tables" / STAGING
    found = [p for p in folder.rglob(".*") if UNFINISHED_FILE.match(p.name) and p.is_file()]
    found = [p for p in found if not p.is_relative_to(staging)]
    if staging.is_dir() and not (staging / JOURNAL).exists():
        found.append(staging)
    return sorted(found)


def unfinished_deliveries(outbox: Path) -> list[Path]:
    """What lies unfinished in the outbox, whose lock nobody else may hold."""
    return sorted(outbox.glob(".unfinished-*"))


def unfinished_stores(file: Path) -> list[Path]:
    """What lies unfinished of an MLflow database that was being made."""
    return sorted(file.parent.glob(f"{file.name}.*.new*"))


def remove(paths: list[Path]) -> None:
    """Remove files, links and folders."""
    for path in paths:
        if path.is_symlink() or path.is_file():
            path.unlink()
        else:
            shutil.rmtree(path)
