"""A tiny project that has delivered, and has new data: what a run must never leave half done."""

import hashlib
import random
import shutil
from datetime import date
from pathlib import Path
from typing import NamedTuple

from benchmarks.zygote import Zygote
from features.errors import KeepwellError
from pipelines.leftovers import leftovers, unfinished_deliveries, unfinished_stores
from pipelines.settings import with_values
from pipelines.simulate import simulate_project
from pipelines.verify import verify

AS_OF = date(2026, 1, 1)
NIGHT = ("--as-of", AS_OF.isoformat(), "--train", "never")
REPOSITORY = Path(__file__).resolve().parent.parent
SMALL = {
    "deliver.platforms": ["braze"],
    "deliver.top_customers": 10,
    "features.rows_per_bucket": 800,
}


class World(NamedTuple):
    """A folder to be copied: delivered as `old`; a run makes it `new`."""

    base: Path
    old: dict[str, str]
    new: dict[str, str]


def make_world(folder: Path, zygote: Zygote, *, customers: int = 40) -> World:
    """Simulate a project, deliver without the last events, then let those arrive."""
    base = folder / "base"
    simulate_project(REPOSITORY, base, customers=customers, seed=7, until=AS_OF, days=400)
    text = (base / "params.yaml").read_text("utf-8")
    (base / "params.yaml").write_text(with_values(text, SMALL), "utf-8")
    _split_events(base)
    late = base / "raw" / "late"
    late.rename(base / "late")
    _run(zygote, base)
    old = hashes(base / "outbox" / "latest")
    (base / "late").rename(base / "raw" / "events" / "late.csv")
    done = folder / "done"
    shutil.copytree(base, done, symlinks=True)
    _run(zygote, done)
    new = hashes(done / "outbox" / "latest")
    shutil.rmtree(done)
    assert old != new
    return World(base, old, new)


def fresh(world: World, folder: Path) -> Path:
    """A copy of the project as it is before the run."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(world.base, folder, symlinks=True)
    return folder


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a delivered folder."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def delivered(project: Path, world: World) -> str:
    """``old``, ``new``, or what is wrong with what a reader sees."""
    seen = set()
    for name in (f"as_of={AS_OF}", "latest"):
        folder = project / "outbox" / name
        try:
            verify(folder)
        except (KeepwellError, OSError) as error:
            return f"{name} is broken: {error}"
        found = hashes(folder)
        seen.add("old" if found == world.old else "new" if found == world.new else "a mixture")
    return seen.pop() if len(seen) == 1 else "two versions at once"


def left_over(project: Path) -> list[Path]:
    """Everything temporary that is still there."""
    return [
        *leftovers(project / "state"),
        *unfinished_deliveries(project / "outbox"),
        *unfinished_stores(project / "mlflow.db"),
    ]


def shuffle_rows(project: Path, seed: int) -> None:
    """Put the rows of all exports into another order."""
    drawn = random.Random(seed)
    for file in sorted((project / "raw").rglob("*.csv")):
        head, *rows = file.read_text("utf-8").splitlines(keepends=True)
        drawn.shuffle(rows)
        file.write_text(head + "".join(rows), "utf-8")


def _split_events(base: Path) -> None:
    """The events as two files: all but each fiftieth, and the others."""
    file = base / "raw" / "events.csv"
    head, *rows = file.read_text("utf-8").splitlines(keepends=True)
    file.unlink()
    (base / "raw" / "events").mkdir()
    (base / "raw" / "events" / "first.csv").write_text(
        head + "".join(row for number, row in enumerate(rows) if number % 50), "utf-8"
    )
    (base / "raw" / "late").write_text(head + "".join(rows[::50]), "utf-8")
    sources = base / "catalogue" / "sources.yaml"
    sources.write_text(sources.read_text("utf-8").replace("raw/events.csv", "raw/events"), "utf-8")


def _run(zygote: Zygote, project: Path) -> None:
    ended = zygote.run("run", "--project", project, *NIGHT)
    if ended.code:
        raise RuntimeError(f"the undisturbed run failed: {ended.said[-500:]}")
