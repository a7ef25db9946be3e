"""Progress of long work: a bar on a terminal, a few plain lines or nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
LINES = 5
SHORT = 8  # so few pieces need no word


@contextmanager
def rows_a_second() -> Iterator[Callable[[int], None]]:
    """A function to be told of rows that were read; shows their number and rate."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(unit=" rows", unit_scale=True, desc="ingest", leave=False) as bar:
        yield lambda rows: (bar.update(rows), None)[1]


def followed(items: Sequence[T], what: str) -> Iterator[tuple[int, T]]:
    """The items with their numbers; says on stderr how many are done."""
    if len(items) <= SHORT:
        yield from enumerate(items)
    elif sys.stderr.isatty():
        from tqdm import tqdm

        yield from enumerate(tqdm(items, desc=what, leave=False))
    else:
        yield from _with_lines(items, what)


def _with_lines(items: Sequence[T], what: str) -> Iterator[tuple[int, T]]:
    every = max(1, len(items) // LINES)
    for number, item in enumerate(items):
        yield number, item
        if (number + 1) % every == 0:
            sys.stderr.write(f"{what}: {number + 1} of {len(items)}\n")
