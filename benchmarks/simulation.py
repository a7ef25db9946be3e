"""How long it takes to simulate a large company: a million customers, two years, as text.

``python -m benchmarks.simulation`` makes the exports a chapter of the history at a time, as they
would be written, and drops them.
"""

import argparse
import resource
import time
from datetime import date

from benchmarks.record import Goal, line
from simulation.company import WAVE_TACTICS, exported, history
from simulation.people import customer_ids

GOALS = [Goal("seconds", 120, "<=")]


def main() -> None:
    """Simulate once and print the figures."""
    parser = argparse.ArgumentParser(description="Simulate a large company.")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=730)
    asked = parser.parse_args()
    start = time.perf_counter()
    chapters = history(
        customers=asked.customers,
        seed=0,
        until=date(2026, 1, 1),
        days=asked.days,
        wave_tactics=WAVE_TACTICS,
    )
    ids = customer_ids(asked.customers)
    events = sum(exported(chapter, ids).events.height for chapter in chapters)
    figures = {
        "customers": asked.customers,
        "events": events,
        "seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(line("simulation", figures, GOALS))


if __name__ == "__main__":
    main()
