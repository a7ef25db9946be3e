"""Why one customer was scored so: history, features, reasons, and what would change it."""

import json
from typing import Any

import polars as pl

from features.definitions import all_features
from features.errors import DataError
from features.feature import Feature
from features.hysteresis import CLASSES
from features.params import ChurnParams
from features.schemas import SCORES
from models.attribution import changes_of, parts_of
from pipelines.champions import CHAMPIONS, load_champions
from pipelines.features import read_cutoffs, read_snapshot
from pipelines.ingest import read_events
from pipelines.project import Paths, Project
from pipelines.tables import read

STRONGEST, CHANGES, STANDING_OUT, LATEST = 8, 3, 12, 10
TOLD = (
    "reported_stage", "stage", "stage_because", "reported_level", "level", "level_because",
    "activity", "churn_risk", "p_alive", "score_source",
    "risk_start", "reason_1", "reason_1_effect", "reason_2", "reason_2_effect", "reason_3",
    "reason_3_effect", "risk_rest", "margin_90d_cents", "margin_90d_low_cents",
    "margin_90d_high_cents", "margin_365d_cents", "next_value_on",
)  # fmt: skip


def explain(project: Project, paths: Paths, customer_id: str) -> dict[str, Any]:
    """Everything about one customer's scores, as plain values.

    Raises
    ------
    DataError
        If the customer was not scored; the id is not repeated.
    """
    score = read(paths.scores, SCORES).filter(pl.col("customer_id") == customer_id)
    if not score.height:
        raise DataError(
            "explain: no such customer in the latest scores. Expected an id exactly as in the "
            "sources, zeros in front included. Check it, or run `keepwell score`."
        )
    day = read_cutoffs(paths.features).now
    snapshot = read_snapshot(paths.features, day)
    row = snapshot.filter(pl.col("customer_id") == customer_id)
    definitions = all_features(project.definitions)
    population = _population(snapshot, project.params.churn)
    told: dict[str, Any] = {"as_of": day, **score.select(TOLD).row(0, named=True)}
    told["history"] = _history(paths, customer_id)
    told["features"] = _beside(row, population, definitions)
    champions = load_champions(
        paths.evaluation / CHAMPIONS, project.params.tracking, project.root, day
    )
    if champions.churn is None or told["churn_risk"] is None:
        return told | {"parts": [], "changes": []}
    model = champions.churn.model
    parts = parts_of(model, row, definitions, STRONGEST)
    changes = [c for c in changes_of(model, row, population, definitions)
               if c.risk < told["churn_risk"]]  # fmt: skip
    return told | {
        "parts": [part._asdict() for part in parts],
        "changes": [change._asdict() for change in changes[:CHANGES]],
    }


def _population(snapshot: pl.DataFrame, churn: ChurnParams) -> pl.DataFrame:
    return snapshot.filter(pl.col("days_since_last_value") <= churn.lookback_days)


def _history(paths: Paths, customer_id: str) -> list[dict[str, Any]]:
    """The latest days on which they did something, or something was done to them."""
    own = read_events(paths.tables).filter(pl.col("customer_id") == customer_id)
    money = pl.col("value_cents").sum()
    days = own.group_by("on", "event_type").agg(events=pl.len(), cents=money)
    latest = days.sort("on", "event_type", descending=[True, False]).head(LATEST)
    return latest.collect().to_dicts()


def _beside(
    row: pl.DataFrame, population: pl.DataFrame, definitions: list[Feature]
) -> list[dict[str, Any]]:
    """Actionable features beside the population's median, with the share that lies below."""
    found = []
    for feature in (d for d in definitions if d.actionable):
        value, others = row[feature.name][0], population[feature.name].drop_nulls()
        if value is None or not others.len():
            continue
        found.append({
            "meaning": feature.meaning, "value": float(value), "median": others.median(),
            "below_share": float((others < value).mean() or 0.0),  # pyright: ignore
        })  # fmt: skip
    return found


def as_json(told: dict[str, Any]) -> str:
    """One JSON object; dates as text."""
    return json.dumps(told, indent=2, default=str, ensure_ascii=False)


def spoken(told: dict[str, Any]) -> str:
    """The same for a reader."""
    return "\n".join([*_head(told), *_reasons(told), *_parts(told), *_changes(told),
                      *_features(told), *_days(told)])  # fmt: skip


def _head(told: dict[str, Any]) -> list[str]:
    risk = told["churn_risk"]
    said = "not defined: no order in the look-back" if risk is None else f"{risk:.2f}"
    margin = f"{told['margin_90d_cents'] / 100:,.2f}"
    if told["margin_90d_high_cents"] is not None:
        ends = (told[f"margin_90d_{end}_cents"] / 100 for end in ("low", "high"))
        margin += " (80 % between {:,.2f} and {:,.2f})".format(*ends)
    alive = [] if told["p_alive"] is None else [
        f"  alive      {told['p_alive']:.2f}: P(still a customer at all) by the purchase history; "
        "unlike the risk it knows no horizon, and nothing is decided by it"
    ]  # fmt: skip
    return [
        f"As of {told['as_of']}: churn risk {said} (source: {told['score_source']})",
        *alive,
        *(f"  {kind:<10} {_standing(told, kind)}" for kind in CLASSES),
        f"  activity   {told['activity']}",
        f"  margin     {margin} expected in 90 days, {told['margin_365d_cents'] / 100:,.2f} in 365",
        f"  next order {told['next_value_on'] or 'not to be expected within a year, or unknown'}",
    ]


def _standing(told: dict[str, Any], kind: str) -> str:
    """The reported class, and by which rule; or what the rules alone would say by now."""
    reported, because = told[f"reported_{kind}"], told[f"{kind}_because"]
    if reported == told[kind]:
        return because
    return f"{reported}: until a second snapshot confirms that they are no longer ({because})"


def _reasons(told: dict[str, Any]) -> list[str]:
    given = [k for k in (1, 2, 3) if told[f"reason_{k}"]]
    if told["risk_start"] is None:
        return ["Because", *(f"  {told[f'reason_{k}']}" for k in given)] if given else []
    because = [f"  {told[f'reason_{k}_effect']:+.2f}  {told[f'reason_{k}']}" for k in given]
    start = f"  {told['risk_start']:.2f}   is where everybody starts"
    rest = f"  {told['risk_rest']:+.2f}  all else together"
    return ["The risk", start, *because, rest]


def _parts(told: dict[str, Any]) -> list[str]:
    if not told["parts"]:
        return []
    total = sum(part["log_odds"] for part in told["parts"])
    rows = [f"  {p['log_odds']:+.2f}  {p['meaning']}{_value(p['value'])}" for p in told["parts"]]
    return ["What the risk is made of [log-odds]", *rows, f"  {total:+.2f}  in all"]


def _value(value: float | None) -> str:
    return "" if value is None else f": {value:,.4g}"


def _changes(told: dict[str, Any]) -> list[str]:
    rows = [
        f"  {c['risk']:.2f}  with {c['median']:,.4g} rather than {c['value']:,.4g} {c['meaning']}"
        for c in told["changes"]
    ]
    return ["What would lower the risk, one thing at a time", *rows] if rows else []


def _features(told: dict[str, Any]) -> list[str]:
    rows = [
        f"  {f['value']:>10,.4g}  {f['median']:>10,.4g}  {f['below_share']:>5.0%}  {f['meaning']}"
        for f in sorted(told["features"], key=lambda f: -abs(f["below_share"] - 0.5))
        if f["value"] != f["median"]
    ][:STANDING_OUT]
    head = f"  {'theirs':>10}  {'median':>10}  {'below':>5}"
    return (
        ["Where they stand out among those who ordered in the look-back", head, *rows]
        if rows
        else []
    )


def _days(told: dict[str, Any]) -> list[str]:
    rows = [
        f"  {d['on']}  {d['events']:>3} {d['event_type']}  {d['cents'] / 100:,.2f}"
        for d in told["history"]
    ]
    return ["Latest days", *rows] if rows else []
