"""DuckDB: number of events by customer and day, and no more: the least that can be done."""

import argparse
from pathlib import Path

from benchmarks.peers.daily import connection, source


def main() -> None:
    """Count into a table in memory."""
    parser = argparse.ArgumentParser(description="Events by customer and day, by DuckDB.")
    parser.add_argument("--events", type=Path, required=True)
    events = source(parser.parse_args().events)
    grouped = f"SELECT customer_id, day, count(*) AS n FROM {events} GROUP BY ALL"
    connection().execute(f"CREATE TABLE days AS {grouped}")


if __name__ == "__main__":
    main()
