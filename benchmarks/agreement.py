"""Compare another way's features with Keepwell's, column by column, on the latest date.

``python -m benchmarks.agreement --ours DIR --theirs FILE`` prints one JSON object: how many columns
are compared, and the share of differing rows of those that differ.
"""

import argparse
import json
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.features import read_snapshot

TOLERANCE = 1e-6


def main() -> None:
    """Compare on all customers."""
    parser = argparse.ArgumentParser(description="Compare two feature tables.")
    parser.add_argument("--ours", type=Path, required=True)
    parser.add_argument("--theirs", type=Path, required=True)
    parser.add_argument("--date", type=date.fromisoformat, required=True)
    asked = parser.parse_args()
    ours = read_snapshot(asked.ours, asked.date)
    theirs = pl.read_parquet(asked.theirs).sort("customer_id")
    print(json.dumps(compared(ours, theirs)))


def compared(ours: pl.DataFrame, theirs: pl.DataFrame) -> dict[str, object]:
    """Number of shared columns, and what differs.

    Raises
    ------
    ValueError
        If the customers are not the same.
    """
    if ours["customer_id"].to_list() != theirs["customer_id"].to_list():
        raise ValueError("the customers differ")
    shared = [n for n in ours.columns if n in theirs.columns and n not in ("customer_id", "as_of")]
    shares = {name: differing(ours[name], theirs[name]) for name in shared}
    return {"columns": len(shared), "differing": {n: s for n, s in shares.items() if s}}


def differing(ours: pl.Series, theirs: pl.Series) -> float:
    """Share of rows that are further apart than rounding, or null on one side only."""
    mine, other = ours.cast(pl.Float64), theirs.cast(pl.Float64).fill_nan(None)
    apart = (mine - other).abs() > TOLERANCE * mine.abs().clip(lower_bound=1)
    unequal = apart.fill_null(value=False) | (mine.is_null() != other.is_null())
    return float(unequal.mean() or 0)


if __name__ == "__main__":
    main()
