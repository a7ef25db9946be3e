"""The customers at the top of the list, for searching and filtering in the report."""

import re
from typing import NamedTuple

import polars as pl

from delivery import formats, words
from delivery.bands import BandLimits, churn_band
from delivery.pieces import Run
from delivery.risk import FIGURE

ACTION, REASON = 3, 5
HEADS = ("Customer", "Stage", "Risk", "Action", "Channel", "Main reason", "Net value")


class Listing(NamedTuple):
    """Rows of the table and the choices of its filters.

    Attributes
    ----------
    lead : str
    heads : tuple of str
    rows : tuple of tuples of str
        One cell a head.
    kinds : tuple of str
        The main reason of each row without its figures.
    actions, reasons : tuple of str
        What can be filtered by.
    """

    lead: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]
    actions: tuple[str, ...]
    reasons: tuple[str, ...]


def listing(
    scores: pl.DataFrame,
    exported: pl.DataFrame,
    *,
    names: dict[str, str],
    bands: BandLimits,
    run: Run,
    most: int,
) -> Listing | None:
    """The most valuable actions, customer by customer; None where none is to be listed.

    Parameters
    ----------
    scores : table of schemas.SCORES
    exported : table of schemas.DECISIONS
        Those that are in the file.
    names : dict of str to str
        Action's id -> its name.
    bands : BandLimits
    run : Run
    most : int
        Customers to list; 0 lists nobody.
    """
    if most == 0 or exported.is_empty():
        return None
    best = exported.sort("expected_net_value_cents", "customer_id", descending=[True, False])
    told = ("customer_id", "reported_stage", "churn_risk", "reason_1")
    standing = scores.select(*told, churn_band(bands))
    rows = best.head(most).join(standing, on="customer_id", maintain_order="left")
    cells = tuple(_cells(row, names, run) for row in rows.iter_rows(named=True))
    shown, whole = formats.count(len(cells)), formats.count(exported.height)
    lead = (
        f"The {shown} customers with the highest expected net value, of {whole} with an action. "
        "All of them are in actions.xlsx."
    )
    kinds = tuple(re.sub(FIGURE, "…", row[REASON]) for row in cells)
    reasons = tuple(sorted(set(kinds) - {formats.DASH}))
    return Listing(
        lead, HEADS, cells, kinds, tuple(sorted({row[ACTION] for row in cells})), reasons
    )


def _cells(row: dict[str, object], names: dict[str, str], run: Run) -> tuple[str, ...]:
    risk, net = row["churn_risk"], row["expected_net_value_cents"]
    assert isinstance(net, int)
    share = f" ({formats.percent(risk, 0)})" if isinstance(risk, float) else ""
    band = words.BANDS.get(str(row["churn_band"]), formats.DASH)
    return (
        str(row["customer_id"]),
        words.STAGES[str(row["reported_stage"])],
        f"{band}{share}",
        names.get(str(row["action_id"]), words.plain(str(row["action_id"]))),
        words.channel(str(row["channel"])),
        str(row["reason_1"] or formats.DASH),
        formats.money(net, run["currency"]),
    )
