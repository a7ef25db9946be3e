"""Progress of long work: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def rows_a_second() -> Iterator[Callable[[int], None]]:
    """A function to be told of rows that were read; shows their number and rate."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from tqdm import tqdm

    with tqdm(unit=" rows", unit_scale=True, desc="ingest", leave=False) as bar:
        yield lambda rows: (bar.update(rows), None)[1]
