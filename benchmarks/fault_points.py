"""The state-changing system calls of a run, found with strace, and runs that end there."""

import os
import re
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from benchmarks.zygote import Ended, Zygote

CALLS = (
    "openat,write,pwrite64,writev,pwritev,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,"
    "rmdir,fsync,fdatasync,symlink,symlinkat,link,linkat,ftruncate,truncate,chmod,fchmod,fchmodat,"
    "copy_file_range,sendfile,fallocate"
)
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
ATTACH_SECONDS = 30


class Point(NamedTuple):
    """A system call: its name, and the how-manieth of that name it is in its thread.

    ``alone``: no other thread's call of that name and number leaves the project alone.
    """

    call: str
    number: int
    target: str
    alone: bool = True


def points_of(zygote: Zygote, project: Path, words: tuple[object, ...]) -> list[Point]:
    """Every call of a run that changes something below the project, each once."""
    trace = project.with_suffix(".trace")
    ended = traced(zygote, words, ["-y", "-o", str(trace)])
    if ended.code:
        raise RuntimeError(f"the traced run failed: {ended.said[-500:]}")
    found = parsed(trace.read_text("utf-8", "replace"), project)
    trace.unlink()
    return found


def parsed(trace: str, project: Path) -> list[Point]:
    """The state-changing calls of a trace, by the order of their first thread."""
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, int], Point] = {}
    outside: set[tuple[str, int]] = set()
    for line in trace.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        thread, call, rest = match.groups()
        counts[thread, call] += 1
        number = counts[thread, call]
        if str(project) not in rest:
            outside.add((call, number))
        changes = call != "openat" or "O_CREAT" in rest
        if changes and str(project) in rest:
            target = rest[rest.index(str(project)) + len(str(project)) :]
            name = re.split(r"[\">,]", target)[0]
            found.setdefault((call, number), Point(call, number, name))
    return [p._replace(alone=key not in outside) for key, p in found.items()]


def stopped_at(zygote: Zygote, point: Point, words: tuple[object, ...], what: str) -> Ended:
    """Run until a call, which is not done: `what` is ``signal=KILL`` or ``error=EDQUOT``."""
    return traced(
        zygote, words, ["-e", f"inject={point.call}:{what}:when={point.number}", "-o", "/dev/null"]
    )


def traced(zygote: Zygote, words: tuple[object, ...], options: list[str]) -> Ended:
    """Run a command under strace from its first call on."""
    running = zygote.start(*words, stopped=True)
    _until(running.pid, "T")
    with subprocess.Popen(
        ["strace", "-f", "-qq", "-p", str(running.pid), "-e", f"trace={CALLS}", *options],
        stderr=subprocess.DEVNULL,
    ) as strace:
        _until_traced(running.pid, strace)
        os.kill(running.pid, signal.SIGCONT)
        ended = running.wait()
        strace.wait()
    return ended


def _until(pid: int, state: str) -> None:
    end = time.monotonic() + ATTACH_SECONDS
    while _status(pid, "State")[:1] not in (state, "t"):
        if time.monotonic() > end:
            raise TimeoutError(f"process {pid} did not stop")
        time.sleep(0.002)


def _until_traced(pid: int, strace: subprocess.Popen) -> None:
    end = time.monotonic() + ATTACH_SECONDS
    while _status(pid, "TracerPid") == "0":
        if time.monotonic() > end or strace.poll() is not None:
            raise TimeoutError("strace could not attach; may this user trace processes?")
        time.sleep(0.002)


def _status(pid: int, field: str) -> str:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    return ""
