"""How many customers were scored, and what became of each."""

from typing import NamedTuple

import polars as pl

from features.errors import DataError


class Funnel(NamedTuple):
    """Customers by outcome and by the reason for leaving; the outcomes add up to `scored`."""

    scored: int
    exported: int
    held_out: int
    suppressed: int
    no_action: int
    by_exit_reason: dict[str, int]


def funnel(scored: int, decisions: pl.DataFrame) -> Funnel:
    """Count the decisions of one run by outcome and exit reason.

    Parameters
    ----------
    scored : int
        Customers with a score.
    decisions : table of schemas.DECISIONS
        One row for everybody scored.

    Raises
    ------
    DataError
        If scored differs from exported + held out + suppressed + no action, or if somebody
        without an action has no exit reason, or the other way round.
    """
    outcomes = _counts(decisions["outcome"])
    parts = [outcomes.pop(name, 0) for name in Funnel._fields[1:5]]
    if outcomes or sum(parts) != scored:
        raise DataError(_does_not_add_up(scored, parts, unknown=sum(outcomes.values())))
    reasons = _counts(decisions.filter(pl.col("outcome") != "exported")["exit_reason"])
    if sum(reasons.values()) != scored - parts[0]:
        raise DataError(
            f"decisions, exit_reason: counts do not add up. Got {sum(reasons.values())} with a "
            f"reason. Expected {scored - parts[0]}, all that were not exported. Decide again."
        )
    return Funnel(scored, *parts, by_exit_reason=reasons)


def _counts(values: pl.Series) -> dict[str, int]:
    known = values.drop_nulls()
    return {str(value): known.eq(value).sum() for value in known.unique().sort()}


def _does_not_add_up(scored: int, parts: list[int], *, unknown: int) -> str:
    names = [name.replace("_", " ") for name in Funnel._fields[1:5]]
    got = " + ".join(f"{number} {name}" for number, name in zip(parts, names, strict=True))
    rest = f" + {unknown} of unknown outcome" if unknown else ""
    return (
        f"decisions, outcome: counts do not add up. Got {got}{rest}. "
        f"Expected {scored}, the number of scores. Score and decide again for the same date."
    )
