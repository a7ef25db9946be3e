"""Step: scores, consents, sends and the catalogue -> one decision a customer."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from actions.arms import HOLDOUT, POLICY
from actions.catalogue import ActionCatalogue
from actions.curve import budget_curve
from actions.decisions import Decided, Provenance, decide
from actions.funnel import ContactRecord
from actions.learning import LearnedEffects, learned_text
from actions.params import RecommendParams
from actions.power import detectable, power_sentence
from actions.rules import cost_of_rules
from actions.sensitivity import ENGAGEMENT_SCORES
from features.consents import permissions, refusals
from features.hysteresis import CLASSES
from features.params import ChurnParams
from features.schemas import (
    BUDGET_CURVE,
    CONSENTS,
    COST_OF_RULES,
    DECISIONS,
    EFFECTS,
    SCORES,
    SENDS,
)
from features.time import day_number, visible
from pipelines.features import scan_snapshot
from pipelines.ingest import read_events
from pipelines.measure import read_learned
from pipelines.params import TrackingParams
from pipelines.tables import polars_schema, present, read, write, write_text
from pipelines.tracking import open_store

PLAN = "plan.json"
DECIDING = (
    "reported_stage", "reported_level", "p_value", "p_alive", "order_value_cents",
    "expected_value_cents", *ENGAGEMENT_SCORES,
)  # fmt: skip
CONTACT_COLUMNS = {
    "customer_id": pl.String,
    "channel": pl.String,
    "action_id": pl.String,
    "day": pl.Int64,
}


def build_decisions(
    tables: Path, features: Path, scores: Path, effects: Path, measurement: Path, out: Path,
    plan: Path, *, outbox: Path, catalogue: ActionCatalogue, catalogue_hash: str,
    params: RecommendParams, churn: ChurnParams,
) -> pl.DataFrame:  # fmt: skip
    """Decide for everybody scored.

    Contacts are what the events and the tool's sends say, and earlier decisions in `outbox`; those
    of the same date or later are not read, so that a rerun decides alike.
    """
    measured, learned = read(effects, EFFECTS), read_learned(measurement)
    customers = with_features(scores, features, catalogue)
    as_of: date = customers["as_of"][0]
    decided = decide(
        customers, contact_record(tables, outbox, catalogue, as_of), catalogue, measured, params,
        as_of=as_of, horizon_days=churn.horizon_days,
        provenance=_provenance(scores, measured, learned, catalogue_hash, params),
        learned=learned,
    )  # fmt: skip
    decisions = decided.table.cast(polars_schema(DECISIONS))
    write(decisions, out, DECISIONS)
    write_plan(decided, plan)
    return decisions


def write_plan(decided: Decided, out: Path) -> None:
    """Write the budget curve, the cost of the rules, and the figures of the plan."""
    seen, given = decided.situation, decided.plan.given
    curve = budget_curve(decided.offer, given)
    rules = cost_of_rules(
        decided.offer, given, seen.passed, seen.value.net_cents, seen.arm, decided.plan.planned,
        decided.drawn,
    )  # fmt: skip
    write(curve.cast(polars_schema(BUDGET_CURVE)), out / "budget_curve.parquet", BUDGET_CURVE)
    write(rules.cast(polars_schema(COST_OF_RULES)), out / "cost_of_rules.parquet", COST_OF_RULES)
    figures = json.dumps(plan_figures(decided), indent=2, sort_keys=True)
    write_text(figures + "\n", out / PLAN)


def plan_figures(decided: Decided) -> dict[str, Any]:
    """Worth, spending, distance from the best plan, arms, and what they will be able to show."""
    table, given, limits = decided.table, decided.plan.given, decided.offer.limits
    planned = table.filter(pl.col("planned_action_id").is_not_null())
    treated, control = (planned.filter(pl.col("arm") == a).height for a in (POLICY, HOLDOUT))
    base = float(planned["p_value"].mean() or 0)  # type: ignore[arg-type]
    arms = dict(table.group_by("arm").len().sort("arm").iter_rows())
    prices = dict(zip(limits.names, given.prices.round(6).tolist(), strict=True))
    return {
        "policy_net_value_cents": given.worth_cents,
        "spent_cents": int(table["cost_cents"].sum()),
        "actions": int((table["outcome"] == "exported").sum()),
        "gap": round(given.gap, 9),
        "arms": arms,
        "shadow_prices": prices,
        "closed_actions": sorted(decided.plan.closed),
        "detectable_points": round(100 * detectable(base, treated, control), 2),
        "power": power_sentence(base, treated, control),
    }


def track(plan: Path, as_of: date, params: TrackingParams, root: Path) -> None:
    """Log the plan's figures, budget curve and cost of rules in MLflow; no customer's row.

    They have an experiment of their own, so that runs of the job do not hide those of training.
    """
    own = params.model_copy(update={"experiment": f"{params.experiment}-decisions"})
    mlflow = open_store(own, root)
    figures = json.loads(present(plan / PLAN, "plan").read_text("utf-8"))
    arms = {f"customers_{arm}": count for arm, count in figures["arms"].items()}
    named = ("policy_net_value_cents", "spent_cents", "actions", "gap", "detectable_points")
    with mlflow.start_run(run_name=f"as_of {as_of}"):
        mlflow.log_metrics({name: figures[name] for name in named} | arms)
        for name in (PLAN, "budget_curve.parquet", "cost_of_rules.parquet"):
            mlflow.log_artifact(str(plan / name))


def with_features(scores: Path, features: Path, catalogue: ActionCatalogue) -> pl.DataFrame:
    """What of the scores decides, with those features of the same date that the rules name."""
    scored = read(scores, SCORES, DECIDING)
    named = {c.feature for action in catalogue.actions for c in action.when.conditions}
    snapshot = scan_snapshot(features, scored["as_of"][0])
    needed = sorted({"customer_id", "activity", *CLASSES, *named})
    return joined(scored, snapshot.select(needed).collect())


def joined(scored: pl.DataFrame, snapshot: pl.DataFrame) -> pl.DataFrame:
    """Scores and features; ``stage`` and ``level`` are the reported ones.

    So what a reader sees is what lets an action through.
    """
    told = scored.with_columns(stage="reported_stage", level="reported_level")
    own = snapshot.drop(*CLASSES)
    fresh = [c for c in told.columns if c not in own.columns or c == "customer_id"]
    return own.join(told.select(fresh), on="customer_id")


def contact_record(
    tables: Path, outbox: Path, catalogue: ActionCatalogue, as_of: date
) -> ContactRecord:
    """What customers allowed, refused, were sent and complained about, before a date."""
    events = nw.from_native(read_events(tables))
    consents = nw.from_native(read(tables / "consents.parquet", CONSENTS).lazy())
    quiet = catalogue.quiet_period
    begins = nw.col("event_type").is_in(quiet.events if quiet else [])
    complaints = visible(events, as_of).filter(begins).select("customer_id", "day")
    return ContactRecord(
        permitted=permissions(consents, events, as_of).collect().to_native(),
        refused=refusals(consents, events, as_of).collect().to_native(),
        contacts=contacts(tables, outbox, as_of, longest_cap(catalogue)),
        complaints=complaints.collect().to_native(),
    )


def longest_cap(catalogue: ActionCatalogue) -> int:
    """Days that the widest contact cap looks back."""
    own = [channel.cap for channel in catalogue.channels.values() if channel.cap]
    return max(cap.days for cap in (catalogue.all_channels, *own))


def contacts(tables: Path, outbox: Path, as_of: date, cap_days: int) -> pl.DataFrame:
    """What was sent before `as_of`: one row a customer, channel, action and day.

    A send that is also seen as an exposure on its day counts once. Exposures by no known action
    matter for caps alone, so those of the last `cap_days` are all there are.
    """
    seen = visible(nw.from_native(read_events(tables)), as_of).to_native()
    recent = pl.col("day") >= day_number(as_of) - cap_days
    exposures = seen.filter(pl.col("role") == "exposure", recent).select(
        "customer_id", "channel", pl.lit(None, pl.String).alias("action_id"), "day"
    )
    sends = read(tables / "sends.parquet", SENDS)
    sent_day = pl.col("sent_at").dt.date().cast(pl.Int32).cast(pl.Int64)
    sent = sends.select("customer_id", "channel", "action_id", sent_day.alias("day"))
    parts = [sent.lazy(), past_decisions(outbox, as_of), exposures]
    together = pl.concat([part.select(*CONTACT_COLUMNS).cast(CONTACT_COLUMNS) for part in parts])
    before = together.filter(pl.col("day") < day_number(as_of)).collect()
    named = before.filter(pl.col("action_id").is_not_null()).unique()
    seen_only = before.filter(pl.col("action_id").is_null()).unique()
    unnamed = seen_only.join(named, on=["customer_id", "channel", "day"], how="anti")
    return pl.concat([named, unnamed]).sort("customer_id", "channel", "day", "action_id")


def past_decisions(outbox: Path, as_of: date) -> pl.LazyFrame:
    """Actions of earlier runs, taken to have been sent on their as-of date."""
    parts = [pl.DataFrame(schema=CONTACT_COLUMNS).lazy()]
    for path in sorted(outbox.glob("as_of=*/decisions.parquet")):
        if date.fromisoformat(path.parent.name.removeprefix("as_of=")) < as_of:
            rows = pl.scan_parquet(path).filter(pl.col("outcome") == "exported")
            day = pl.col("as_of").cast(pl.Int32).cast(pl.Int64).alias("day")
            parts.append(rows.select("customer_id", "channel", "action_id", day))
    return pl.concat(parts)


def _provenance(
    scores: Path, effects: pl.DataFrame, learned: LearnedEffects, catalogue_hash: str,
    params: RecommendParams,
) -> Provenance:  # fmt: skip
    with scores.open("rb") as file:
        data_hash = hashlib.file_digest(file, "sha256").hexdigest()
    known = effects.write_csv() + learned_text(learned)
    believed = hashlib.sha256(known.encode()).hexdigest()
    settings = json.dumps(params.model_dump(), sort_keys=True)
    run = hashlib.sha256(f"{data_hash}{believed}{catalogue_hash}{settings}".encode()).hexdigest()
    model = pl.scan_parquet(scores).select("churn_model").head(1).collect().item()
    return Provenance(run[:16], data_hash, model, catalogue_hash)
