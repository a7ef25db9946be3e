"""One case of each kind of fault; each returns what was wrong with it, or an empty text."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.fault_points import Point, stopped_at
from benchmarks.fault_worlds import (
    AS_OF,
    NIGHT,
    World,
    delivered,
    fresh,
    hashes,
    left_over,
    shuffle_rows,
)
from benchmarks.zygote import Ended, Running, Zygote
from pipelines.runs import read_runs

STORAGE, BUSY, TERMINATED = 74, 75, 143
PARTS = 51  # the disk is full after so many parts of what a run writes
TAKE_UP_ROOM = ("write", "openat")  # what a quota can refuse
MIB = 1 << 20
WEEKS = 12
ENVIRONMENTS = [
    {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads, "TZ": zone, "LANG": language,
     "LC_ALL": language, "PYTHONHASHSEED": seed}
    for threads, zone, language, seed in (
        ("1", "UTC", "C", "0"), ("2", "Asia/Kathmandu", "C.UTF-8", "1"),
        ("4", "America/St_Johns", "de_DE.UTF-8", "42"), ("3", "Pacific/Apia", "tr_TR.UTF-8", "7"),
    )
]  # fmt: skip
PROGRAM = "from pipelines.cli import app; app()"
Found = dict[str, object]


class Bench(NamedTuple):
    """What a case works with; no two at a time share one."""

    zygote: Zygote
    world: World
    points: list[Point]
    scratch: Path


def kill_at_a_call(bench: Bench, number: int) -> Found:
    """SIGKILL at the entry of one state-changing call; then a plain rerun."""
    project, point = fresh(bench.world, bench.scratch / "project"), bench.points[number]
    ended = stopped_at(bench.zygote, point, _words(project), "signal=KILL")
    seen = delivered(project, bench.world)
    where = {"call": point.call, "target": point.target, "seen": seen}
    if ended.code != -signal.SIGKILL:
        return {"fault": f"not killed: {ended.code}", **where}
    return {"fault": _wrong(seen) or rerun(bench, project), **where}


def kill_at_random(bench: Bench, number: int) -> Found:
    """SIGKILL at a random moment after the run began to write; then a plain rerun."""
    drawn = random.Random(number)
    while True:
        project = fresh(bench.world, bench.scratch / "project")
        running = _writing(bench, project)
        time.sleep(drawn.uniform(0, _usual_seconds(bench)))
        running.kill()
        if running.wait().code == -signal.SIGKILL:
            break
    seen = delivered(project, bench.world)
    return {"fault": _wrong(seen) or rerun(bench, project), "seen": seen}


def fill_the_disk(bench: Bench, number: int) -> Found:
    """The disk is full after a part of what the run writes; then there is room again."""
    place = bench.scratch / "mounted"
    place.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={256 * MIB}", "none", place)
    try:
        project = fresh(bench.world, place / "project")
        before = _used(place)
        written = _written_by_a_run(bench, place, project, before)
        size = before + written * (number + 1) // PARTS
        _mount("-o", f"remount,size={size}", place)
        ended = bench.zygote.run(*_words(project))
        fault = _refused(ended, bench, project)
        _mount("-o", f"remount,size={256 * MIB}", place)
        return {"fault": fault or rerun(bench, project), "bytes_left": size - before}
    finally:
        _unmount(place)


def forbid_writing(bench: Bench, number: int) -> Found:
    """The whole project, or the outbox alone, is mounted read-only; then it is not."""
    project = fresh(bench.world, bench.scratch / "project")
    place = (project, project / "outbox")[number]
    _mount("--bind", place, place)
    try:
        _mount("-o", "remount,bind,ro", place)
        fault = _refused(bench.zygote.run(*_words(project)), bench, project)
    finally:
        _unmount(place)
    return {"fault": fault or rerun(bench, project), "place": place.name}


def use_up_the_quota(bench: Bench, number: int) -> Found:
    """One write is refused for the quota; then there is room again."""
    writes = [p for p in bench.points if p.call in TAKE_UP_ROOM and p.alone]
    point = writes[number * len(writes) // 20]
    project = fresh(bench.world, bench.scratch / "project")
    ended = stopped_at(bench.zygote, point, _words(project), "error=EDQUOT")
    fault = _refused(ended, bench, project)
    return {"fault": fault or rerun(bench, project), "target": point.target}


def run_two_at_once(bench: Bench, number: int) -> Found:
    """Two runs of the same date: one publishes, the other waits, or says who is writing."""
    project = fresh(bench.world, bench.scratch / "project")
    waits = number % 2 == 1
    words = [*_words(project), *(("--wait", "120") if waits else ())]
    both = [bench.zygote.start(*words) for _ in range(2)]
    ends = [running.wait() for running in both]
    endings = sorted(ran.ending for ran in read_runs(project / "state")[1:])
    codes = sorted(ended.code for ended in ends)
    busy = min((e.seconds for e in ends if e.code == BUSY), default=0.0)
    if waits:
        fine = codes == [0, 0] and endings == ["delivered", "unchanged"]
    else:
        told = [e.said for e in ends if e.code == BUSY]
        named = all("Got process" in t and " on " in t and "since" in t for t in told)
        fine = codes == [0, BUSY] and endings == ["delivered"] and named
    seen = delivered(project, bench.world)
    fault = "" if fine else f"codes {codes}, endings {endings}"
    return {"fault": fault or ("" if seen == "new" else seen), "busy_seconds": round(busy, 3)}


def kill_the_parent(bench: Bench, number: int) -> Found:
    """The process that started the run is killed, the run is not: it must not publish."""
    project = fresh(bench.world, bench.scratch / "project")
    running = _writing(bench, project)
    os.kill(running.parent, signal.SIGKILL)
    ended = running.wait()
    seen = delivered(project, bench.world)
    fault = "" if (ended.code, seen) == (BUSY, "old") else f"code {ended.code}, {seen}"
    return {"fault": fault or rerun(bench, project)}


def terminate(bench: Bench, number: int) -> Found:
    """SIGTERM at a random moment: clean, and exit code 143."""
    drawn = random.Random(number)
    while True:
        project = fresh(bench.world, bench.scratch / "project")
        running = _writing(bench, project)
        time.sleep(drawn.uniform(0, _usual_seconds(bench) * 0.7))
        running.kill(signal.SIGTERM)
        ended = running.wait()
        if ended.code:
            break
    seen = delivered(project, bench.world)
    left = left_over(project)
    fault = "" if ended.code == TERMINATED and not left else f"code {ended.code}, left {left}"
    return {"fault": fault or _wrong(seen) or rerun(bench, project)}


def run_elsewhere(bench: Bench, number: int) -> Found:
    """A cold run with other threads, zone, language and hash seed, and rows in another order."""
    project = fresh(bench.world, bench.scratch / "project")
    shuffle_rows(project, number)
    shutil.rmtree(project / "state")
    shutil.rmtree(project / "outbox")
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, _words(project))],
        env={**os.environ, **ENVIRONMENTS[number % len(ENVIRONMENTS)]},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        return {"fault": ended.stderr[-300:]}
    found = hashes(project / "outbox" / "latest")
    other = sorted(name for name in found if found[name] != bench.world.new.get(name))
    return {"fault": f"other bytes: {other}" if other else ""}


def backfill(bench: Bench, number: int) -> Found:
    """Twelve weeks in one command, and as twelve commands."""
    days = [AS_OF - timedelta(weeks=n) for n in range(WEEKS, 0, -1)]
    one, many = (fresh(bench.world, bench.scratch / name) for name in ("one", "many"))
    for project in (one, many):
        shutil.rmtree(project / "state")
        shutil.rmtree(project / "outbox")
    begin, end = days[0].isoformat(), days[-1].isoformat()
    bench.zygote.run("run", "--project", one, "--train", "never", "--backfill", begin, end)
    for day in days:
        bench.zygote.run("run", "--project", many, "--train", "never", "--as-of", day)
    folders = [sorted(p.name for p in q.glob("outbox/as_of=*")) for q in (one, many)]
    same = [hashes(one / "outbox" / n) == hashes(many / "outbox" / n) for n in folders[0]]
    fine = folders[0] == folders[1] and len(same) == WEEKS and all(same)
    again = bench.zygote.run("run", "--project", one, "--train", "never", "--backfill", begin, end)
    endings = [ran.ending for ran in read_runs(one / "state")]
    fine = fine and again.code == 0 and endings == ["delivered"] * WEEKS + ["unchanged"] * WEEKS
    return {"fault": "" if fine else f"{folders}, {same}, {endings}", "weeks": len(same)}


def rerun(bench: Bench, project: Path) -> str:
    """What is wrong with a plain rerun after a fault: empty if nothing."""
    ended = bench.zygote.run(*_words(project))
    seen, left = delivered(project, bench.world), left_over(project)
    if ended.code or seen != "new" or left:
        return f"rerun: code {ended.code}, {seen}, left {left}: {ended.said[-300:]}"
    return ""


def _words(project: Path) -> tuple[object, ...]:
    return ("run", "--project", project, *NIGHT)


def _wrong(seen: str) -> str:
    return "" if seen in ("old", "new") else seen


def _refused(ended: Ended, bench: Bench, project: Path) -> str:
    """What is wrong with how a run ended that could not write: empty if nothing."""
    told = [row for row in ended.said.splitlines() if row.startswith("keepwell: ")]
    seen, left = delivered(project, bench.world), left_over(project)
    fine = ended.code == STORAGE and len(told) == 1 and "Traceback" not in ended.said
    return "" if fine and not _wrong(seen) and not left else (
        f"code {ended.code}, {seen}, left {left}: {ended.said[-300:]}"
    )  # fmt: skip


def _writing(bench: Bench, project: Path) -> Running:
    """A run that has begun to write."""
    running = bench.zygote.start(*_words(project))
    while True:
        runs = read_runs(project / "state")
        if runs and runs[-1].pid == running.pid:
            return running
        time.sleep(0.01)


def _usual_seconds(bench: Bench) -> float:
    return read_runs(bench.world.base / "state")[-1].seconds or 1.0


def _written_by_a_run(bench: Bench, place: Path, project: Path, before: int) -> int:
    """Bytes that a run needs at most; the project is made fresh again."""
    running, most = bench.zygote.start(*_words(project)), 0
    while not running.log.with_suffix(".code").exists():
        most = max(most, _used(place))
        time.sleep(0.005)
    running.wait()
    fresh(bench.world, project)
    return most - before


def _used(place: Path) -> int:
    found = os.statvfs(place)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True, capture_output=True)


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)
