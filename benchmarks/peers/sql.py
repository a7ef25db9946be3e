"""DuckDB: the matched set by conditional sums over its daily table, in one query a date.

Without the layer that compares customers, and without stages and levels: less than Keepwell makes.
"""

import argparse
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.peers.daily import connection, daily_table, source
from benchmarks.scope import (
    CHANNELS,
    HALF_LIFE_DAYS,
    HISTORY_DAYS,
    KINDS,
    ROLES,
    TYPES,
    WINDOWS_DAYS,
)

BASE = 2**40
EPOCH = date(1970, 1, 1)
SIGHTS = {"value": "first_value_sight", "event": "first_sight"}
FIRST_OF_DAY = "min(CASE WHEN {0} > 0 THEN visible_day END) OVER (PARTITION BY customer_id, day)"


def main() -> None:
    """Write one Parquet file a date."""
    asked = arguments()
    asked.out.mkdir(parents=True, exist_ok=True)
    database = connection()
    prepare(database, asked.tables)
    for as_of in asked.dates:
        query = snapshot((as_of - EPOCH).days)
        file = asked.out / f"as_of={as_of}.parquet"
        database.execute(f"COPY ({query}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="The matched set, by DuckDB.")
    parser.add_argument("--tables", type=Path, required=True)
    parser.add_argument("--dates", type=date.fromisoformat, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def prepare(database: duckdb.DuckDBPyConnection, tables: Path) -> None:
    """The daily table with roles, types, first sights and pauses, once for all dates."""
    counted = daily_table(source(tables / "events"), CHANNELS["matched"])
    parts = {
        **{f"role_{r}": _sum_of(role=r) for r in ROLES},
        **{f"type_{t}": _sum_of(shown=t) for t in TYPES},
    }
    named = ", ".join(f"{total} AS {name}" for name, total in parts.items())
    acts, values = FIRST_OF_DAY.format("acts"), FIRST_OF_DAY.format("kind_value_transactional")
    database.execute(
        f"CREATE TABLE sighted AS SELECT * EXCLUDE (first_sight, first_value_sight), {named}, "
        f"(acts > 0 AND visible_day = {acts})::INTEGER AS first_sight, "
        f"(kind_value_transactional > 0 AND visible_day = {values})::INTEGER AS first_value_sight "
        f"FROM ({counted})"
    )
    latest = "max(CASE WHEN {0} > 0 THEN day END) OVER earlier AS {1}_before"
    before = ", ".join(latest.format(sight, days) for days, sight in SIGHTS.items())
    pause = "CASE WHEN {0} > 0 AND day > {1}_before THEN day - {1}_before END AS {1}_pause"
    pauses = ", ".join(pause.format(sight, days) for days, sight in SIGHTS.items())
    database.execute(
        f"CREATE TABLE daily AS SELECT *, {pauses} FROM (SELECT *, {before} FROM sighted "
        "WINDOW earlier AS (PARTITION BY customer_id ORDER BY visible_day, day "
        "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))"
    )
    database.execute("DROP TABLE sighted")
    customers = f"read_parquet('{tables}/customers.parquet')"
    database.execute(
        f"CREATE TABLE customers AS SELECT customer_id, known_since - DATE '1970-01-01' AS known "
        f"FROM {customers}"
    )


def snapshot(today: int) -> str:
    """The features as of a day, as a query."""
    figures = {**_lifetime(today), **_windows(), **_decays(), **_medians()}
    sums = ", ".join(f"{expression} AS {name}" for name, expression in figures.items())
    seen = f"SELECT *, {today} - day AS age FROM daily WHERE visible_day < {today}"
    zeros = ", ".join(f"coalesce({name}, 0) AS {name}" for name in _counts(figures))
    derived = ", ".join(f"{expression} AS {name}" for name, expression in _row().items())
    return (
        f"WITH seen AS MATERIALIZED ({seen}), "
        f"made AS (SELECT customer_id, {sums} FROM seen GROUP BY customer_id), "
        f"weekdays AS ({_most_frequent('(day + 3) % 7 + 1', 'best_weekday')}), "
        f"hours AS ({_most_frequent('hour', 'best_hour')}), "
        f"complete AS (SELECT {today} - known AS days_since_known, * REPLACE ({zeros}) "
        f"FROM customers LEFT JOIN made USING (customer_id) LEFT JOIN weekdays USING (customer_id) "
        f"LEFT JOIN hours USING (customer_id) WHERE known < {today}) "
        f"SELECT * EXCLUDE (known), {derived} FROM complete"
    )


def _sum_of(*, role: str = "", shown: str = "") -> str:
    columns = [f"kind_{r}_{t or 'plain'}" for r, t in KINDS if r == role or (shown and t == shown)]
    return f"({' + '.join(columns) or '0'})"


def _lifetime(today: int) -> dict[str, str]:
    since = {"first_event": "min({}) acts", "last_event": "max({}) acts"}
    since["first_value"] = "min({}) role_value"
    since |= {f"last_{r}": f"max({{}}) role_{r}" for r in ROLES}
    since |= {f"last_{t}": f"max({{}}) type_{t}" for t in TYPES}
    figures = {}
    for name, text in since.items():
        function, column = text.split()
        figures[f"days_since_{name}"] = f"{today} - " + function.format(
            f"CASE WHEN {column} > 0 THEN day END"
        )
    sums = {
        "value_events": "role_value", "value_days": "first_value_sight", "value_cents": "cents",
        "order_cents": "order_cents", "active_days": "first_sight",
        "advocacy_events": "role_advocacy",
    }  # fmt: skip
    figures |= {name: f"sum({column})::BIGINT" for name, column in sums.items()}
    ordered, dated = "FILTER (role_value > 0)", f"day * {BASE} + order_cents"
    figures |= {
        "max_order_cents": "max(max_order_cents)",
        "first_order_cents": f"(min({dated}) {ordered}) % {BASE}",
        "last_order_cents": f"(max({dated}) {ordered}) % {BASE}",
        "value_span_days": f"max(day) {ordered} - min(day) {ordered}",
        "first_value_month":
            f"month(DATE '1970-01-01' + (min(day) {ordered})::INTEGER)",
    }  # fmt: skip
    for days in SIGHTS:
        pause = f"{days}_pause"
        figures |= {
            f"{days}_gaps": f"count({pause})",
            f"{days}_mean_gap_days": f"avg({pause})",
            f"{days}_sd_gap_days": f"stddev_pop({pause})",
            f"{days}_max_gap_days": f"max({pause})",
            f"{days}_last_gap_days": f"arg_max({pause}, day) FILTER ({pause} IS NOT NULL)",
        }
    return figures


def _windows() -> dict[str, str]:
    columns = {
        "events": "acts", "active_days": "first_sight",
        **{f"{r}_events": f"role_{r}" for r in ROLES},
        **{f"{t}_events": f"type_{t}" for t in TYPES},
        "value_cents": "cents", "order_cents": "order_cents", "discount_cents": "discount_cents",
        "refund_events": "refunds",
    }  # fmt: skip
    figures = {
        f"{name}_{w}d": _within(column, f"age <= {w}")
        for w in WINDOWS_DAYS
        for name, column in columns.items()
    }
    trends = {"value_events": "role_value", "active_days": "first_sight"}
    for name, column in trends.items():
        now, before = _within(column, "age <= 90"), _within(column, "age > 90 AND age <= 180")
        figures[f"{name}_trend_90d"] = f"{now} - {before}"
    for days in (30, 90):
        season = f"age > {365 - days} AND age <= 365"
        figures[f"value_events_same_season_{days}d"] = _within("role_value", season)
        figures[f"value_cents_same_season_{days}d"] = _within("cents", season)
    weeks = "CASE WHEN first_sight > 0 AND age <= 56 THEN (age - 1) // 7 END"
    figures["active_weeks_56d"] = f"count(DISTINCT {weeks})"
    for channel in CHANNELS["matched"]:
        for kind, name in (("acts", "events"), ("exposures", "exposures")):
            column = f"{kind}_{channel}"
            figures[f"channel_{channel}_{name}_90d"] = _within(column, "age <= 90")
    return figures


def _within(column: str, where: str) -> str:
    return f"sum(CASE WHEN {where} THEN {column} ELSE 0 END)::BIGINT"


def _decays() -> dict[str, str]:
    recent = f"age <= {HISTORY_DAYS}"
    weight = f"CASE WHEN {recent} THEN round(2 ** (20 - (age - 1) / {HALF_LIFE_DAYS}.0)) ELSE 0 END"
    figures = {
        f"{name}_decay_{HALF_LIFE_DAYS}d": f"sum({weight} * {column})::BIGINT"
        for name, column in {"value_events": "role_value", "active_days": "first_sight"}.items()
    }
    for shown in TYPES:
        kinds = [f"kind_{r}_{t}" for r, t in KINDS if t == shown]
        logs = [f"ln(1 + sum({weight} * {kind}) / 1048576.0)" for kind in kinds]
        figures[f"{shown}_strength"] = f"round({' + '.join(logs)}, 9)"
    return figures


def _medians() -> dict[str, str]:
    return {
        f"{days}_median_gap_days":
            f"median(CASE WHEN age <= {HISTORY_DAYS} THEN {days}_pause END)"
        for days in SIGHTS
    }  # fmt: skip


def _most_frequent(slot: str, name: str) -> str:
    counts = (
        f"SELECT customer_id, {slot} AS slot, count(*) AS n FROM seen "
        f"WHERE first_sight > 0 AND age <= 180 GROUP BY ALL"
    )
    return (
        f"SELECT customer_id, arg_max(slot, n * 32 - slot) AS {name} FROM ({counts}) "
        "WHERE slot IS NOT NULL GROUP BY customer_id"
    )


def _counts(figures: dict[str, str]) -> list[str]:
    """Columns that are 0 where nothing was seen."""
    ended = ("_90d", "_365d", "_56d", "_30d", "_strength")
    totals = ("value_events", "value_days", "value_cents", "order_cents", "active_days")
    return [n for n in figures if n.endswith(ended) or n in (*totals, "advocacy_events")]


def _row() -> dict[str, str]:
    price = "order_cents_365d + discount_cents_365d"
    figures = {
        "mean_order_cents": "CASE WHEN value_events > 0 THEN order_cents / value_events END",
        "discount_share_365d": f"CASE WHEN {price} > 0 THEN discount_cents_365d / ({price}) END",
        "channels_90d": " + ".join(f"(channel_{c}_events_90d > 0)::INTEGER"
                                   for c in CHANNELS["matched"]),
        "types_90d": " + ".join(f"({t}_events_90d > 0)::INTEGER" for t in TYPES),
    }  # fmt: skip
    for c in CHANNELS["matched"]:
        shown, acts = f"channel_{c}_exposures_90d", f"channel_{c}_events_90d"
        figures[f"response_rate_{c}_90d"] = (
            f"CASE WHEN {shown} > 0 THEN least({acts} / {shown}, 1.0) END"
        )
    known = ("days_since_known",)
    either = {
        "own_recency_days": ("days_since_last_value", "days_since_last_event", *known),
        "own_age_days": ("days_since_first_value", "days_since_first_event", *known),
        "own_gaps": ("value_gaps", "event_gaps"),
        "own_median_gap_days": ("value_median_gap_days", "event_median_gap_days"),
        "own_last_gap_days": ("value_last_gap_days", "event_last_gap_days"),
    }
    for name, (value, *others) in either.items():
        other = f"coalesce({', '.join(others)})"
        figures[name] = f"CASE WHEN value_events > 0 THEN {value} ELSE {other} END"
    return figures


if __name__ == "__main__":
    main()
