"""Comparing a row with all rows, in tables in memory and in those spread over machines."""

from typing import TypeVar

import narwhals as nw

Rows = TypeVar("Rows", nw.DataFrame, nw.LazyFrame)
_WHOLE = 2.0**52  # from here on a float has no fraction, so adding it rounds, half to even


def with_overall(rows: Rows, aggregates: dict[str, nw.Expr]) -> Rows:
    """Add aggregates over all rows, the same in every row."""
    named = [aggregate.alias(name) for name, aggregate in aggregates.items()]
    if isinstance(rows, nw.DataFrame):
        return rows.with_columns(*named)
    return rows.join(rows.select(*named), how="cross")


def with_ranks(rows: Rows, ranked: dict[str, nw.Expr]) -> Rows:
    """Add average ranks, and how many rows have one: ``{name}_rank`` and ``{name}_count``.

    A lazy table is ranked by its different values and how often each occurs: no machine sorts, or
    sees, all of its rows.

    Parameters
    ----------
    rows : table
    ranked : dict of str to expression
        Null has no rank.
    """
    if isinstance(rows, nw.DataFrame):
        return rows.with_columns(*(e for name, by in ranked.items() for e in _ranks(name, by)))
    keyed = rows.with_columns(**{f"{name}_key": by for name, by in ranked.items()})
    known = {f"{name}_count": nw.col(f"{name}_key").count() for name in ranked}
    whole = with_overall(keyed, known)
    for name in ranked:
        whole = whole.join(_ranks_of_values(keyed, name), on=f"{name}_key", how="left")
    return whole.drop(*(f"{name}_key" for name in ranked))


def half_even(values: nw.Expr, decimals: int = 0) -> nw.Expr:
    """Round ties to the even neighbour, to the same bits on every engine, values from 0 to 2**51.

    Engines round ties in different ways; the last step has none left to decide.
    """
    if decimals == 0:
        return values + _WHOLE - _WHOLE
    scale = 10.0**decimals
    return ((values * scale + _WHOLE - _WHOLE) / scale).round(decimals)


def _ranks(name: str, by: nw.Expr) -> list[nw.Expr]:
    return [by.rank(method="average").alias(f"{name}_rank"), by.count().alias(f"{name}_count")]


def _ranks_of_values(rows: nw.LazyFrame, name: str) -> nw.LazyFrame:
    """The rank of each different value of ``{name}_key``."""
    key = f"{name}_key"
    values = rows.filter(~nw.col(key).is_null()).group_by(key).agg(equal=nw.len())
    upto = nw.col("equal").cum_sum().over(order_by=key)
    rank = upto - (nw.col("equal") - 1) / 2
    return values.select(key, rank.alias(f"{name}_rank"))
