"""DuckDB: events -> the full daily table, in SQL. The floor that the features are compared with.

``python -m benchmarks.peers.daily --events DIR --out FILE --set matched``
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.scope import CHANNELS, KINDS

OWN = "role <> 'exposure'"


def main() -> None:
    """Write the daily table as Parquet."""
    asked = arguments()
    table = daily_table(source(asked.events), CHANNELS[asked.set])
    connection().execute(f"COPY ({table}) TO '{asked.out}' (FORMAT parquet, COMPRESSION zstd)")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="The daily table, by DuckDB.")
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--set", choices=CHANNELS, required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def connection() -> duckdb.DuckDBPyConnection:
    """DuckDB on two threads, free to write rows in any order."""
    return duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})


def source(events: Path) -> str:
    """All files of a folder of events, as a table."""
    return f"read_parquet('{events}/*/*.parquet')"


def daily_table(table: str, channels: Sequence[str]) -> str:
    """The columns of `features.daily.daily_table`, as a query.

    The two flags of a day of activity hold for each row here, not for the first row of a day only:
    that would need two windows more.
    """
    conditions = {
        "acts": OWN,
        "refunds": "value_cents < 0",
        **{f"kind_{role}_{shown or 'plain'}": _kind(role, shown) for role, shown in KINDS},
        **{f"acts_{c}": f"channel = '{c}' AND {OWN}" for c in channels},
        **{f"exposures_{c}": f"channel = '{c}' AND NOT ({OWN})" for c in channels},
    }
    counts = [f"count(*) FILTER ({holds})::INTEGER AS {name}" for name, holds in conditions.items()]
    figures = [
        *counts,
        "sum(value_cents)::BIGINT AS cents",
        "sum(CASE WHEN role = 'value' THEN value_cents ELSE 0 END)::BIGINT AS order_cents",
        "sum(discount_cents)::BIGINT AS discount_cents",
        "max(CASE WHEN role = 'value' THEN value_cents END) AS max_order_cents",
        f"min(CASE WHEN {OWN} THEN hour END) AS hour",
    ]
    grouped = (
        f"SELECT customer_id, day, visible_day, {', '.join(figures)} FROM {table} GROUP BY ALL"
    )
    return (
        "SELECT *, (acts > 0)::INTEGER AS first_sight, "
        f"(kind_value_transactional > 0)::INTEGER AS first_value_sight FROM ({grouped})"
    )


def _kind(role: str, shown: str | None) -> str:
    same = "IS NULL" if shown is None else f"= '{shown}'"
    return f"role = '{role}' AND engagement_type {same}"


if __name__ == "__main__":
    main()
