"""pandas: the matched set by group-bys over its daily table, on integer codes, sorted once.

Without the layer that compares customers, and without stages and levels: less than Keepwell makes.
"""

import argparse
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.scope import (
    CHANNELS,
    HALF_LIFE_DAYS,
    HISTORY_DAYS,
    KINDS,
    ROLES,
    TYPES,
    WINDOWS_DAYS,
)

EPOCH = date(1970, 1, 1)
BASE, SCALE = 2**40, 2**20
SIGHTS = {"value": ("role_value", "first_value_sight"), "event": ("acts", "first_sight")}
TEXTS = ["customer_id", "role", "engagement_type", "channel"]
NUMBERS = ["day", "visible_day", "value_cents", "discount_cents", "hour"]
KEY = ["customer", "day", "visible_day"]
WINDOWED = {
    "events": "acts", "active_days": "first_sight",
    **{f"{r}_events": f"role_{r}" for r in ROLES}, **{f"{t}_events": f"type_{t}" for t in TYPES},
    "value_cents": "cents", "order_cents": "order_cents", "discount_cents": "discount_cents",
    "refund_events": "refunds",
}  # fmt: skip


def main() -> None:
    """Write one Parquet file a date."""
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    customers = pd.read_parquet(asked.tables / "customers.parquet").sort_values("customer_id")
    ids = pd.Index(customers["customer_id"])
    known = pd.to_datetime(customers["known_since"]).to_numpy("datetime64[D]").astype(int)
    daily = with_pauses(with_parts(daily_table(asked.tables / "events", ids)))
    for as_of in asked.dates:
        today = (as_of - EPOCH).days
        rows = snapshot(daily, known, today)
        rows.insert(0, "customer_id", ids[known < today])
        rows.to_parquet(asked.out / f"as_of={as_of}.parquet", compression="zstd", index=False)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="The matched set, by pandas.")
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--dates", type=date.fromisoformat, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def daily_table(events: Path, ids: pd.Index) -> pd.DataFrame:
    """One row a customer, day and day of visibility, file by file."""
    files = sorted(events.glob("*/*.parquet"))
    return pd.concat([_daily(file, ids) for file in files], ignore_index=True)


def _daily(file: Path, ids: pd.Index) -> pd.DataFrame:
    rows = pq.read_table(file, columns=TEXTS + NUMBERS, read_dictionary=TEXTS).to_pandas()
    role, shown, channel = (rows[name] for name in TEXTS[1:])
    own, value = role != "exposure", role == "value"
    kinds = {
        f"kind_{r}_{t or 'plain'}": (role == r) & (shown.isna() if t is None else shown == t)
        for r, t in KINDS
    }
    channels = {}
    for c in CHANNELS["matched"]:
        channels |= {f"acts_{c}": own & (channel == c), f"exposures_{c}": ~own & (channel == c)}
    counts = {"acts": own, "refunds": rows["value_cents"] < 0, **kinds, **channels}
    codes = ids.get_indexer(rows["customer_id"].cat.categories)
    summed = pd.DataFrame({
        "customer": codes[rows["customer_id"].cat.codes],
        "day": rows["day"], "visible_day": rows["visible_day"],
        **{name: holds.astype("int32") for name, holds in counts.items()},
        "cents": rows["value_cents"], "order_cents": rows["value_cents"].where(value, 0),
        "discount_cents": rows["discount_cents"],
    })  # fmt: skip
    keys = [summed[name] for name in KEY]
    most = rows["value_cents"].where(value).groupby(keys).max()
    hour = rows["hour"].where(own).groupby(keys).min()
    table = summed.groupby(KEY).sum()
    return table.assign(max_order_cents=most, hour=hour).reset_index()


def with_parts(daily: pd.DataFrame) -> pd.DataFrame:
    """Add sums by role and type, and the first sights of each day."""
    for prefix, names, place in (("role", ROLES, 0), ("type", TYPES, 1)):
        for name in names:
            kinds = [f"kind_{r}_{t or 'plain'}" for r, t in KINDS if (r, t)[place] == name]
            daily[f"{prefix}_{name}"] = daily[kinds].sum(axis=1)
    for column, sight in SIGHTS.values():
        seen = daily.loc[daily[column] > 0, KEY]  # sorted by KEY: the first row is the first sight
        daily[sight] = 0
        daily.loc[seen.index[~seen.duplicated(["customer", "day"])], sight] = 1
    return daily


def with_pauses(daily: pd.DataFrame) -> pd.DataFrame:
    """Add the pause before each day of activity, as it was known then."""
    ordered = daily.sort_values(["customer", "visible_day", "day"])
    for days, (_, sight) in SIGHTS.items():
        seen = ordered.loc[ordered[sight] > 0, ["customer", "day"]]
        latest = seen.groupby("customer")["day"].cummax()
        pause = seen["day"] - latest.groupby(seen["customer"]).shift(1)
        daily[f"{days}_pause"] = pause.where(pause > 0)
    return daily


def snapshot(daily: pd.DataFrame, known: np.ndarray, today: int) -> pd.DataFrame:
    """The features as of a day, one row a customer."""
    seen = daily[daily["visible_day"] < today]
    seen = seen.assign(age=today - seen["day"])
    recent = seen[seen["age"] <= HISTORY_DAYS]
    made = [
        *_lifetime(seen, today), *_windows(recent), _decays(recent), *_medians(recent),
        _most_frequent(recent, (recent["day"] + 3) % 7 + 1, "best_weekday"),
        _most_frequent(recent, recent["hour"], "best_hour"),
    ]  # fmt: skip
    members = pd.Index(np.flatnonzero(known < today))
    rows = pd.concat([part.reindex(members) for part in made], axis=1)
    rows.insert(0, "days_since_known", today - known[known < today])
    ended = ("_90d", "_365d", "_56d", "_30d", "_strength")
    zeros = [n for n in rows.columns if n.endswith(ended) or n in TOTALS]
    return _with_row(rows.fillna(dict.fromkeys(zeros, 0)))


TOTALS = {
    "value_events": "role_value", "value_days": "first_value_sight", "value_cents": "cents",
    "order_cents": "order_cents", "active_days": "first_sight", "advocacy_events": "role_advocacy",
}  # fmt: skip


def _lifetime(seen: pd.DataFrame, today: int) -> list[pd.DataFrame]:
    customer, day = seen["customer"], seen["day"]
    lasts = {"last_event": "acts", **{f"last_{r}": f"role_{r}" for r in ROLES},
             **{f"last_{t}": f"type_{t}" for t in TYPES}}  # fmt: skip
    ordered = seen["role_value"] > 0
    dated = (day * BASE + seen["order_cents"])[ordered]
    newest = pd.DataFrame({n: day.where(seen[c] > 0, -1) for n, c in lasts.items()})
    newest = newest.assign(order=seen["max_order_cents"]).groupby(customer).max()
    first = pd.DataFrame({"first_event": day.where(seen["acts"] > 0),
                          "first_value": day.where(ordered)}).groupby(customer).min()  # fmt: skip
    since = today - newest[list(lasts)].where(newest[list(lasts)] >= 0).join(first)
    sums = seen.groupby("customer")[list(TOTALS.values())].sum()
    orders = dated.groupby(customer[ordered]).agg(["min", "max"])
    first_on = pd.to_datetime(orders["min"] // BASE, unit="D")
    return [
        since.add_prefix("days_since_"),
        sums.rename(columns={column: name for name, column in TOTALS.items()}),
        newest["order"].rename("max_order_cents").to_frame(),
        pd.DataFrame({
            "first_order_cents": orders["min"] % BASE, "last_order_cents": orders["max"] % BASE,
            "value_span_days": orders["max"] // BASE - orders["min"] // BASE,
            "first_value_month": first_on.dt.month,
        }),
        *(_pauses(seen, days) for days in SIGHTS),
    ]  # fmt: skip


def _pauses(seen: pd.DataFrame, days: str) -> pd.DataFrame:
    ended = seen.loc[seen[f"{days}_pause"].notna(), ["customer", "day", f"{days}_pause"]]
    pause = ended[f"{days}_pause"]
    by = pd.DataFrame({"pause": pause, "square": pause * pause}).groupby(ended["customer"])
    n, total = by["pause"].count(), by.sum()
    mean = total["pause"] / n
    last = (ended["day"] * BASE + pause.astype(int)).groupby(ended["customer"]).max() % BASE
    every = pd.Index(seen["customer"].unique())
    return pd.DataFrame({
        f"{days}_gaps": n.reindex(every, fill_value=0), f"{days}_mean_gap_days": mean,
        f"{days}_sd_gap_days": np.sqrt((total["square"] / n - mean * mean).clip(lower=0)),
        f"{days}_max_gap_days": by["pause"].max(), f"{days}_last_gap_days": last,
    })  # fmt: skip


def _windows(recent: pd.DataFrame) -> list[pd.DataFrame]:
    def within(columns: list[str], newest: int, oldest: int) -> pd.DataFrame:
        inside = recent[(recent["age"] > newest) & (recent["age"] <= oldest)]
        return inside.groupby("customer")[columns].sum()

    sums = {w: within(list(WINDOWED.values()), 0, w) for w in WINDOWS_DAYS}
    names = {column: name for name, column in WINDOWED.items()}
    made = [table.rename(columns=names).add_suffix(f"_{w}d") for w, table in sums.items()]
    trend = ["role_value", "first_sight"]
    gain = sums[90][trend].sub(within(trend, 90, 180), fill_value=0)
    made.append(gain.rename(columns=names).add_suffix("_trend_90d"))
    for days in (30, 90):
        season = within(["role_value", "cents"], 365 - days, 365).rename(columns=names)
        made.append(season.add_suffix(f"_same_season_{days}d"))
    active = recent[(recent["first_sight"] > 0) & (recent["age"] <= 56)]
    weeks = ((active["age"] - 1) // 7).groupby(active["customer"]).nunique()
    made.append(weeks.rename("active_weeks_56d").to_frame())
    for c in CHANNELS["matched"]:
        counts = within([f"acts_{c}", f"exposures_{c}"], 0, 90)
        made.append(
            counts.set_axis([f"channel_{c}_events_90d", f"channel_{c}_exposures_90d"], axis=1)
        )
    return made


def _decays(recent: pd.DataFrame) -> pd.DataFrame:
    scaled = np.round(SCALE * 0.5 ** ((recent["age"] - 1) / HALF_LIFE_DAYS))
    weight = scaled.astype("int64")
    shown = [f"kind_{r}_{t}" for r, t in KINDS if t]
    columns = {"value_events": "role_value", "active_days": "first_sight", **{k: k for k in shown}}
    weighed = pd.DataFrame({name: weight * recent[column] for name, column in columns.items()})
    sums = weighed.groupby(recent["customer"]).sum()
    made = sums[["value_events", "active_days"]].add_suffix(f"_decay_{HALF_LIFE_DAYS}d")
    for name in TYPES:
        kinds = [f"kind_{r}_{t}" for r, t in KINDS if t == name]
        made[f"{name}_strength"] = np.log1p(sums[kinds] / SCALE).sum(axis=1).round(9)
    return made


def _medians(recent: pd.DataFrame) -> list[pd.DataFrame]:
    columns = {f"{days}_pause": f"{days}_median_gap_days" for days in SIGHTS}
    return [recent.groupby("customer")[list(columns)].median().rename(columns=columns)]


def _most_frequent(recent: pd.DataFrame, slot: pd.Series, name: str) -> pd.DataFrame:
    own = (recent["first_sight"] > 0) & (recent["age"] <= 180) & slot.notna()
    counts = recent[own].groupby(["customer", slot[own].astype(int).rename("slot")]).size()
    best = (counts * 32 - counts.index.get_level_values("slot")).groupby("customer").max()
    return (-best % 32).rename(name).to_frame()


def _with_row(rows: pd.DataFrame) -> pd.DataFrame:
    price = rows["order_cents_365d"] + rows["discount_cents_365d"]
    made = {
        "mean_order_cents": (rows["order_cents"] / rows["value_events"]).where(
            rows["value_events"] > 0
        ),
        "discount_share_365d": (rows["discount_cents_365d"] / price).where(price > 0),
        "channels_90d": _positive(rows, [f"channel_{c}_events_90d" for c in CHANNELS["matched"]]),
        "types_90d": _positive(rows, [f"{t}_events_90d" for t in TYPES]),
    }
    for c in CHANNELS["matched"]:
        shown = rows[f"channel_{c}_exposures_90d"]
        rate = (rows[f"channel_{c}_events_90d"] / shown).clip(upper=1)
        made[f"response_rate_{c}_90d"] = rate.where(shown > 0)
    either = {
        "own_recency_days": "days_since_last_{}", "own_age_days": "days_since_first_{}",
        "own_gaps": "{}_gaps", "own_median_gap_days": "{}_median_gap_days",
        "own_last_gap_days": "{}_last_gap_days",
    }  # fmt: skip
    for name, column in either.items():
        other = rows[column.format("event")]
        if column.startswith("days_since"):
            other = other.fillna(rows["days_since_known"])
        made[name] = rows[column.format("value")].where(rows["value_events"] > 0, other)
    return rows.assign(**made)


def _positive(rows: pd.DataFrame, columns: list[str]) -> pd.Series:
    return (rows[columns] > 0).sum(axis=1)


if __name__ == "__main__":
    main()
