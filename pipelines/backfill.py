"""Many dates in a row, each as a run of its own."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from features.errors import UsageError
from pipelines.journal import Say
from pipelines.project import Project
from pipelines.run import Outcome, Training, run


def dates_between(first: date, last: date, every_days: int) -> list[date]:
    """The as-of dates of a backfill, both ends included where they fall on it.

    Raises
    ------
    UsageError
        If the first is after the last.
    """
    if first > last:
        raise UsageError(
            f"--backfill: ends before it begins. Got {first} {last}. Expected FROM TO. Swap them."
        )
    return [first + timedelta(days=n) for n in range(0, (last - first).days + 1, every_days)]


def run_dates(
    project: Project, dates: list[date], *, training: Training, say: Say,
    wait_seconds: float = 0, wanted: Callable[[], None] = lambda: None,
) -> Iterator[tuple[date, Outcome]]:  # fmt: skip
    """Run date after date, as single runs would: dates that are done are verified and left alone.

    Yields
    ------
    date, Outcome
    """
    for as_of in dates:
        outcome = run(
            project, as_of, training=training, say=say, wait_seconds=wait_seconds, wanted=wanted
        )
        yield as_of, outcome
