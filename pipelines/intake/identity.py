"""Which rows tell of the same event: by id, over all files and sources.

Same id, same body: a duplicate. Same id, different body: all of them are rejected, because nobody
can say which one is right; lines of one order share an id and add up. Ids and bodies are compared
by 64-bit XXH3 hashes, stable between releases: only a pair that collides in both, one in 2 ** 128,
could be taken for a duplicate.
"""

import polars as pl

DUPLICATE = "duplicate"
CONFLICT, CONFLICTING_LINES = "conflicting_duplicate", "conflicting_lines"
ID, BODY, WHO, LOADED = "id", "body", "who", "loaded"
INPUT, SEEN = "input", "seen"
KEPT, REPEATED, REJECTED = 0, 1, 2


def judged(*tables: pl.DataFrame) -> pl.DataFrame:
    """Rows that are not to be kept, with their ``reason``.

    Parameters
    ----------
    tables : entries of this run, and those of earlier runs that share an id with them
        ``id``, ``body`` : hashes. ``who`` : hash of customer and type where the row is a line of
        an order, else null. ``loaded`` : when the source had it, or null. ``input``, ``__row__`` :
        where it stands. ``seen`` : whether it was kept or rejected by an earlier run. Further
        columns are carried along.

    Returns
    -------
    table
        The rejected rows of all of them with the column ``reason``.
    """
    repeated = _repeated(pl.concat([table[ID] for table in tables]))
    found = [table.filter(pl.col(ID).is_in(repeated.implode())) for table in tables]
    shared = pl.concat(found, how="diagonal").sort(
        ID, SEEN, LOADED, INPUT, "__row__", descending=[False, True, False, False, False],
        nulls_last=True,
    )  # fmt: skip
    again = ~pl.struct(ID, BODY).is_first_distinct()
    shared = shared.with_columns(again=again)
    live = pl.when(~pl.col("again"))
    shared = shared.with_columns(
        bodies=live.then(1).sum().over(ID),
        people=live.then(pl.col(WHO)).drop_nulls().n_unique().over(ID),
        lines=pl.col(WHO).is_not_null().all().over(ID),
    )
    reason = (
        pl.when("again")
        .then(pl.lit(DUPLICATE))
        .when(~pl.col("lines") & (pl.col("bodies") > 1))
        .then(pl.lit(CONFLICT))
        .when(pl.col("lines") & (pl.col("people") > 1))
        .then(pl.lit(CONFLICTING_LINES))
    )
    rejected = shared.with_columns(reason=reason).filter(pl.col("reason").is_not_null())
    return rejected.drop("again", "bodies", "people", "lines")


def _repeated(ids: pl.Series) -> pl.Series:
    """Ids that occur more than once: sorting is the fastest way to find them."""
    ordered = ids.sort()
    return ordered[1:].filter(ordered[1:] == ordered[:-1]).unique()
