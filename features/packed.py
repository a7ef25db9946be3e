"""Two integers in one, so that a minimum or a maximum of the first brings the second along."""

import narwhals as nw

BASE = 2**40


def packed(first: nw.Expr, second: nw.Expr) -> nw.Expr:
    """``first * 2**40 + second``, for a non-negative `first` below 2**22 and `second` below 2**40.

    A larger `second` is cut at the limit: 2**40 cents are eleven thousand million euros.
    """
    return first * BASE + second.clip(0, BASE - 1)


def second_of(pair: nw.Expr) -> nw.Expr:
    """The second number of a pair."""
    return pair % BASE
