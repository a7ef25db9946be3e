"""Kill, starve and crowd real runs, and look at what a reader of the outbox sees.

``python -m benchmarks.faults`` does every case once. With ``--dir DIR`` it remembers them there, so
that it can be cut off and goes on; ``--only NAME`` does one kind, ``--most N`` at most so many of
each. It needs `strace` and, for full disks, `unshare`; both work without being root.
"""

import argparse
import json
import os
import queue
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks import fault_cases as cases
from benchmarks.fault_points import points_of
from benchmarks.fault_worlds import NIGHT, World, fresh, make_world
from benchmarks.record import Goal, line
from benchmarks.zygote import Zygote

KILLS, RANDOM, FULL, PAIRS, SAME = 500, 200, 50, 100, 20
SOME = 20  # of each of the other faults
INSIDE = "KEEPWELL_FAULTS_INSIDE"
BUSY_SECONDS = 2
GOALS = [
    *(Goal(f"{kind}_cases", count, ">=") for kind, count in
      (("kill", KILLS), ("random_kill", RANDOM), ("full_disk", FULL), ("pair", PAIRS),
       ("same_bytes", SAME))),
    *(Goal(f"{kind}_faults", 0, "<=") for kind in
      ("kill", "random_kill", "full_disk", "read_only", "quota", "pair", "orphan", "sigterm",
       "same_bytes", "backfill")),
    Goal("busy_seconds", BUSY_SECONDS, "<="),
]  # fmt: skip


class Kind(NamedTuple):
    """A kind of fault: how many cases, and what does one; it returns what was wrong, or figures."""

    total: int
    work: Callable[[cases.Bench, int], dict[str, object]]


def main() -> None:
    """Do what has not been done yet, and print what all of it found."""
    _own_mounts()
    asked = arguments()
    if asked.dir is None:
        with tempfile.TemporaryDirectory() as folder:
            spoil(asked, Path(folder))
    else:
        asked.dir.mkdir(parents=True, exist_ok=True)
        spoil(asked, asked.dir.resolve())


def spoil(asked: argparse.Namespace, home: Path) -> None:
    """Do the cases that are not done yet below a folder, and print what all of them found."""
    world, points = prepared(home)
    kinds = {
        "kill": Kind(len(points), cases.kill_at_a_call),
        "random_kill": Kind(RANDOM, cases.kill_at_random),
        "full_disk": Kind(FULL, cases.fill_the_disk),
        "read_only": Kind(2, cases.forbid_writing),
        "quota": Kind(SOME, cases.use_up_the_quota),
        "pair": Kind(PAIRS, cases.run_two_at_once),
        "orphan": Kind(SOME, cases.kill_the_parent),
        "sigterm": Kind(SOME, cases.terminate),
        "same_bytes": Kind(SAME, cases.run_elsewhere),
        "backfill": Kind(1, cases.backfill),
    }
    done = Done(home / "results.jsonl")
    todo: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
    for name, kind in kinds.items():
        if asked.only in ("", name):
            some = spread(kind.total, asked.most)
            for number in some:
                if (name, number) not in done.found:
                    todo.put((name, number))
    workers = [
        threading.Thread(target=_work, args=(n, home, world, points, kinds, todo, done))
        for n in range(asked.workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(line("faults", figures(done, kinds), GOALS))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Kill, starve and crowd real runs.")
    parser.add_argument("--dir", type=Path, help="default: a temporary folder")
    parser.add_argument("--only", default="")
    parser.add_argument("--most", type=int, default=sys.maxsize)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def prepared(folder: Path) -> tuple[World, list[cases.Point]]:
    """The project to spoil, and the state-changing calls of a run on it; made once."""
    kept = folder / "world.json"
    if kept.is_file():
        world, points = json.loads(kept.read_text())
        return World(folder / "base", *world), [cases.Point(*point) for point in points]
    zygote = Zygote(folder)
    world = make_world(folder, zygote)
    project = fresh(world, folder / "traced")
    points = points_of(zygote, project, ("run", "--project", project, *NIGHT))
    shutil.rmtree(project)
    zygote.close()
    kept.write_text(json.dumps([[world.old, world.new], points]))
    return world, points


def spread(count: int, most: int) -> list[int]:
    """At most so many numbers below `count`, evenly spread."""
    taken = min(count, most)
    return [number * count // taken for number in range(taken)]


class Done:
    """What each case found, remembered as it is found."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        rows = [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []
        self.found = {(row["kind"], row["number"]): row for row in rows}

    def add(self, kind: str, number: int, found: dict[str, object]) -> None:
        """Remember a case."""
        row = {"kind": kind, "number": number, **found}
        with self._lock:
            self.found[kind, number] = row
            with self._path.open("a") as out:
                out.write(json.dumps(row) + "\n")
            print(json.dumps(row), file=sys.stderr, flush=True)


def figures(done: Done, kinds: dict[str, Kind]) -> dict[str, float]:
    """Cases and faults of each kind, and the slowest refusal of a second run."""
    found: dict[str, float] = {"state_changing_calls": kinds["kill"].total}
    for name in kinds:
        rows = [row for (kind, _), row in done.found.items() if kind == name]
        found[f"{name}_cases"] = len(rows)
        found[f"{name}_faults"] = sum(bool(row["fault"]) for row in rows)
    pairs = [row for (kind, _), row in done.found.items() if kind == "pair"]
    found["busy_seconds"] = max((row["busy_seconds"] for row in pairs), default=0.0)
    landed = [row for (kind, _), row in done.found.items() if kind == "kill"]
    found["kills_that_found_the_old"] = sum(row.get("seen") == "old" for row in landed)
    found["kills_that_found_the_new"] = sum(row.get("seen") == "new" for row in landed)
    return found


def _work(
    number: int, folder: Path, world: World, points: list[cases.Point], kinds: dict[str, Kind],
    todo: "queue.SimpleQueue[tuple[str, int]]", done: Done,
) -> None:  # fmt: skip
    scratch = folder / f"worker-{number}"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    zygote = Zygote(scratch)
    bench = cases.Bench(zygote, world, points, scratch)
    while True:
        try:
            kind, case = todo.get_nowait()
        except queue.Empty:
            break
        try:
            found = kinds[kind].work(bench, case)
        except (RuntimeError, TimeoutError, OSError) as error:
            found = {"fault": f"{type(error).__name__}: {error}"}
        done.add(kind, case, {"fault": "", **found})
    zygote.close()
    shutil.rmtree(scratch, ignore_errors=True)


def _own_mounts() -> None:
    """Go on in a mount name space of our own, where small file systems can be mounted."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "yes"
        os.execvp("unshare", ["unshare", "-rm", sys.executable, "-m", "benchmarks.faults",
                              *sys.argv[1:]])  # fmt: skip


if __name__ == "__main__":
    main()
