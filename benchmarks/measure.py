"""CPU seconds, wall seconds and peak memory of whole processes, run in turn.

Wall time says what else the machine had to do; CPU seconds are what is compared.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ALLOCATOR = {"_RJEM_MALLOC_CONF": "narenas:1,dirty_decay_ms:10000"}  # as pipelines/cli.py sets it
KIB_OF_MAXRSS = 1 if sys.platform != "darwin" else 1024


class Cost(NamedTuple):
    """What one process took, with its children."""

    cpu_seconds: float
    wall_seconds: float
    peak_mib: float


class Job(NamedTuple):
    """A command to measure, and what makes ready for it, unmeasured."""

    command: list[str]
    prepare: Callable[[], None] = lambda: None


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module with this Python."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def medians(jobs: Mapping[str, Job], runs: int) -> dict[str, Cost]:
    """Median cost of each job; every round runs each job once, so that all meet the same load."""
    costs: dict[str, list[Cost]] = {name: [] for name in jobs}
    for number in range(runs):
        for name, job in jobs.items():
            job.prepare()
            cost = cost_of(job.command)
            costs[name].append(cost)
            say(
                f"{number + 1}/{runs} {name}: {cost.cpu_seconds:.2f} CPU s, "
                f"{cost.wall_seconds:.1f} s, {cost.peak_mib:.0f} MiB"
            )
    return {name: _median(values) for name, values in costs.items()}


def prepared(command: list[str]) -> None:
    """Run a command that is not measured."""
    subprocess.run(command, check=True, stdout=sys.stderr, env=_environment())


def output_of(command: list[str]) -> str:
    """What a command that is not measured prints."""
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env=_environment(), text=True
    )
    return done.stdout


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end and say what it took.

    Raises
    ------
    CalledProcessError
        If it fails; its messages are on stderr.
    """
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=sys.stderr, env=_environment()) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / KIB_OF_MAXRSS / 1024)


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


def _environment() -> dict[str, str]:
    return {**ALLOCATOR, **os.environ, "PYTHONPATH": str(ROOT)}


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(values) for values in zip(*costs, strict=True)))
