"""How far a long step is: a bar on a terminal, a few plain lines elsewhere."""

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
LINES = 5
SHORT = 4  # so few pieces need no word


def followed(items: Sequence[T], what: str) -> Iterator[tuple[int, T]]:
    """The items with their numbers; says on stderr how many are done."""
    if len(items) <= SHORT:
        yield from enumerate(items)
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import track

        console = Console(stderr=True)
        yield from enumerate(track(items, what, console=console, transient=True))
    else:
        yield from _with_lines(items, what)


def _with_lines(items: Sequence[T], what: str) -> Iterator[tuple[int, T]]:
    every = max(1, len(items) // LINES)
    for number, item in enumerate(items):
        yield number, item
        if (number + 1) % every == 0:
            sys.stderr.write(f"{what}: {number + 1} of {len(items)}\n")
