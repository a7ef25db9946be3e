"""What the commands share: options, dates, and the project that they open."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import UsageError
from pipelines.lock import locked

if TYPE_CHECKING:
    from pipelines.project import Paths, Project

DATA, STATE = "data", "state"
ProjectFolder = Annotated[
    Path, typer.Option("--project", help="Folder with params.yaml and catalogue/.")
]
AsOf = Annotated[
    str, typer.Option("--as-of", help="First day that may not be seen [default: run.as_of].")
]
HERE = Path()


def opened_project(folder: Path) -> "tuple[Project, Paths]":
    """The project of a folder, with the files of DVC's steps."""
    from pipelines.project import Project

    project = Project(folder)
    return project, project.paths(DATA, "reports")


@contextmanager
def writing(project: "Project", paths: "Paths") -> "Iterator[tuple[Project, Paths]]":
    """Hold the lock of the steps' files: what a killed `dvc repro` left running holds it too."""
    project.catalogue  # noqa: B018  (a broken configuration fails before anything is written)
    with locked(paths.tables.parent):
        yield project, paths


def decided_project(folder: Path) -> "tuple[Project, Paths]":
    """The project with the files of DVC's steps, or of `keepwell run` where only that was used."""
    project, paths = opened_project(folder)
    return project, paths if paths.features.exists() else project.paths(STATE)


def day_of(project: "Project", as_of: str) -> date:
    """The as-of date that was asked for, or the project's own."""
    return date_of(as_of, "--as-of") if as_of else project.params.run.as_of


def date_of(text: str, option: str) -> date:
    """A date that was given to an option; `UsageError` where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option}: not a date. Got {text!r}. Expected YYYY-MM-DD, for example 2026-11-22."
        ) from error
