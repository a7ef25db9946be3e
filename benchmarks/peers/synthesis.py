"""featuretools: features of the matched set's families, by deep feature synthesis over the events.

Three passes, for it has one training window a pass: the whole past (totals by kind, days and money,
recency by kind, the mean pause, first, last and largest order, most frequent hour and weekday), 365
days and 90 days (counts by kind, days, money). It has no spread, longest, latest or median pause,
no trend, season or half-life. Late events are placed where they became visible.

Runs in an environment of its own: ``featuretools``, ``setuptools<81``, ``pandas<3``.
"""

import argparse
from datetime import date
from pathlib import Path

import featuretools as ft
import pandas as pd

from benchmarks.scope import WINDOWS_DAYS

COLUMNS = ["event_id", "customer_id", "visible_day", "day", "role", "engagement_type",
           "value_cents", "discount_cents", "hour"]  # fmt: skip
COUNTED = ["count", "sum", "num_unique"]
WHOLE = [*COUNTED, "max", "first", "last", "mode", "time_since_last", "time_since_first",
         "avg_time_between"]  # fmt: skip


def main() -> None:
    """Write one Parquet file a pass."""
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    entities = entity_set(asked.tables)
    moments = cutoffs(entities["customers"], asked.dates)
    passes = [(None, WHOLE, ["count", "time_since_last"])]
    passes += [(f"{w} days", COUNTED, ["count"]) for w in WINDOWS_DAYS]
    for window, primitives, where in passes:
        matrix, features = ft.dfs(
            entityset=entities, target_dataframe_name="customers", cutoff_time=moments,
            agg_primitives=primitives, where_primitives=where, trans_primitives=[], max_depth=1,
            training_window=window, include_cutoff_time=False,
        )  # fmt: skip
        print(f"{window or 'whole past'}: {len(features)} features")
        name = f"{window or 'whole'}.parquet".replace(" ", "_")
        matrix.astype(dict.fromkeys(matrix.select_dtypes("category"), str)).to_parquet(
            asked.out / name
        )


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="The matched set's families, by featuretools.")
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--dates", type=date.fromisoformat, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def entity_set(tables: Path) -> ft.EntitySet:
    """Customers and their events, each kind an interesting value."""
    files = sorted((tables / "events").glob("*/*.parquet"))
    events = pd.concat([pd.read_parquet(file, columns=COLUMNS) for file in files])
    kinds = events["role"] + "_" + events["engagement_type"].fillna("plain")
    events = events.assign(
        kind=kinds.astype("category"),
        hour=events["hour"].astype("category"),
        weekday=((events["day"] + 3) % 7 + 1).astype("category"),
        on=events["day"].astype("category"),
        visible_at=pd.to_datetime(events["visible_day"], unit="D"),
    ).drop(columns=["role", "engagement_type", "visible_day", "day"])
    customers = pd.read_parquet(tables / "customers.parquet")
    customers["known_since"] = pd.to_datetime(customers["known_since"])
    entities = ft.EntitySet("log")
    entities.add_dataframe(customers, "customers", index="customer_id", time_index="known_since")
    entities.add_dataframe(events, "events", index="event_id", time_index="visible_at")
    entities.add_relationship("customers", "customer_id", "events", "customer_id")
    entities.add_interesting_values(dataframe_name="events", values={"kind": list(kinds.unique())})
    return entities


def cutoffs(customers: pd.DataFrame, dates: list[date]) -> pd.DataFrame:
    """Each known customer at each date."""
    rows = [
        customers.loc[customers["known_since"] < pd.Timestamp(day), ["customer_id"]].assign(
            time=pd.Timestamp(day)
        )
        for day in dates
    ]
    return pd.concat(rows, ignore_index=True)


if __name__ == "__main__":
    main()
