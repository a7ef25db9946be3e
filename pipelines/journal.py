"""What a run tells while it works: an entry a step, as a line for people or JSON for machines."""

import json
import resource
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from features.errors import one_line

MIB = 2**20 if sys.platform == "darwin" else 2**10  # of ru_maxrss
Level = Literal["info", "warning", "error"]
Form = Literal["lines", "json"]


class Rows(NamedTuple):
    """Rows that a step read and made; None where it reads or makes no table."""

    read: int | None = None
    made: int | None = None


class Entry(NamedTuple):
    """One step, or one remark about it; it names no customer.

    Attributes
    ----------
    run : str
        Id of the run, as `keepwell runs --json` has it.
    as_of : date
    step : str
        The last of a run is ``run`` itself.
    message : str
    level : str
    rows_in, rows_out : int or None
    seconds : float or None
        None for a remark, which tells no time.
    peak_mib : int or None
        Most memory that the process has held until then.
    """

    run: str
    as_of: date
    step: str
    message: str
    level: Level = "info"
    rows_in: int | None = None
    rows_out: int | None = None
    seconds: float | None = None
    peak_mib: int | None = None

    def __str__(self) -> str:
        """The entry as a line, so that ``print`` is a way to be told."""
        return as_line(self)


Say = Callable[[Entry], None]


def done(run: str, as_of: date, step: str, message: str, rows: Rows, seconds: float) -> Entry:
    """The entry of a step that has ended now."""
    return Entry(
        run, as_of, step, message, "info", rows.read, rows.made, round(seconds, 3), _peak_mib()
    )


def _peak_mib() -> int:
    """Most memory so far; Linux's own count, because `getrusage` also has that of the starter."""
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    peaks = [int(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM:")]
    return round(peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB)


def as_line(entry: Entry) -> str:
    """``step: message`` and the rest as ``name=value``; control characters are escaped."""
    remark = "" if entry.level == "info" else f"{entry.level}: "
    values = {name: value for name, value in _told(entry).items()
              if name not in ("step", "message", "level")}  # fmt: skip
    measured = " ".join(f"{name}={value}" for name, value in values.items())
    return one_line(f"{entry.step}: {remark}{entry.message}  {measured}")


def as_json(entry: Entry) -> str:
    """One JSON object on one line; JSON itself escapes control characters, and all but ASCII."""
    return json.dumps(_told(entry))


FORMS: dict[Form, Callable[[Entry], str]] = {"lines": as_line, "json": as_json}


def _told(entry: Entry) -> dict[str, object]:
    known = {name: value for name, value in entry._asdict().items() if value is not None}
    return {**known, "as_of": entry.as_of.isoformat()}
