"""Build features in a process of its own: what `benchmarks.features` measures."""

import argparse
from datetime import date
from pathlib import Path

from benchmarks.feature_sets import feature_set
from benchmarks.scope import CHANNELS
from pipelines.features import build_features


def main() -> None:
    """Bring the daily state in ``WORK/daily`` up to date and write ``WORK/features``."""
    asked = arguments()
    definitions, standing = feature_set(asked.set)
    build_features(
        asked.tables, asked.work / "daily", asked.work / "features", asked.dates, definitions,
        standing, max(asked.dates),
    )  # fmt: skip


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Build the features of a folder of events.")
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--set", choices=CHANNELS, required=True)
    parser.add_argument("--dates", type=date.fromisoformat, nargs="+", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
