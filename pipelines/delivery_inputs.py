"""What a delivery is made from: scores, decisions, who may be written to, what a report says."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl

from delivery.canonical import NO_REACH, REACH_COLUMNS
from delivery.clearance import Clearances, check_freshness, cleared, of_known
from delivery.facts import Known
from delivery.pieces import Run
from features.consents import objected, permissions, refusals
from features.schemas import (
    BUDGET_CURVE,
    CONSENTS,
    COST_OF_RULES,
    CUSTOMERS,
    DECISIONS,
    EFFECTS,
    IDENTITIES,
    LEDGER,
    MEASURED,
    SCORES,
    SUPPRESSIONS,
)
from pipelines.champions import EVALUATION
from pipelines.config import Catalogue, Params
from pipelines.features import data_span, read_cutoffs, scan_snapshot
from pipelines.ingest import ACCOUNTING, read_events
from pipelines.measure import runs_of, scan_log
from pipelines.standings import read_flips, reported_before
from pipelines.tables import present, read


class Inputs(NamedTuple):
    """What delivery reads, after everybody who may not be written to was withheld."""

    scores: pl.DataFrame
    decisions: pl.DataFrame
    known: Clearances
    reach: pl.DataFrame
    movement: pl.DataFrame
    evaluation: dict[str, Any]
    run: Run
    besides: Known
    erased: int


def read_inputs(
    tables: Path, features: Path, scores: Path, decisions: Path, effects: Path, plan: Path,
    measurement: Path, evaluation: Path, *, outbox: Path, catalogue: Catalogue, params: Params,
    found: dict[str, Any] | None,
) -> Inputs:  # fmt: skip
    """Read what the steps before left, and withhold everybody who may not be written to.

    `found` is what monitoring found, for the report; None where the run is not watched.

    Raises
    ------
    RefusedError
        If the list of suppressions is too old.
    """
    scored, decided = read(scores, SCORES), read(decisions, DECISIONS)
    as_of: date = decided["as_of"][0]
    known = read_clearances(tables, as_of)
    sources = catalogue.sources.sources.values()
    check_freshness(
        known.suppressions, as_of,
        declared=any(source.table == SUPPRESSIONS.name for source in sources),
        max_age_days=params.deliver.max_suppression_age_days,
    )  # fmt: skip
    customers = read(tables / "customers.parquet", CUSTOMERS)
    kept = of_known(decided, customers)
    past = scan_log(outbox, as_of)
    runs = runs_of(past)
    return Inputs(
        of_known(scored, customers),
        cleared(kept, known, catalogue.actions),
        known,
        _reach(features),
        _movement(features, kept, past, runs["as_of"].max()),  # type: ignore[arg-type]
        json.loads(present(evaluation / EVALUATION, "evaluation").read_text()),
        _run(tables, features, kept, runs, catalogue, params),
        _besides(effects, plan, measurement)._replace(monitor=found, flips=read_flips(features)),
        decided.height - kept.height,
    )


def read_clearances(tables: Path, as_of: date) -> Clearances:
    """Consent, objection, suppression and identity as the tables have them now, for a date."""
    events = nw.from_native(read_events(tables))
    consents = nw.from_native(read(tables / "consents.parquet", CONSENTS).lazy())
    return Clearances(
        permitted=permissions(consents, events, as_of).collect().to_native(),
        refused=refusals(consents, events, as_of).collect().to_native(),
        objected=objected(consents, events, as_of).collect().to_native().select("customer_id"),
        suppressions=read(tables / "suppressions.parquet", SUPPRESSIONS),
        identities=read(tables / "identities.parquet", IDENTITIES),
    )


def _run(
    tables: Path, features: Path, decisions: pl.DataFrame, runs: pl.DataFrame,
    catalogue: Catalogue, params: Params,
) -> Run:  # fmt: skip
    cutoffs = read_cutoffs(features)
    now = cutoffs.now
    span = data_span(tables, now)
    last = runs["as_of"].max()
    known_before = scan_snapshot(features, cutoffs.before).select(pl.len())
    compared = runs.height or known_before.collect().item()
    own_end = now + timedelta(days=params.churn.horizon_days)
    open_ends = runs.filter(pl.col("window_end") > now)["window_end"]
    business = catalogue.sources.business
    return Run(
        as_of=now.isoformat(),
        previous_as_of=str(last or cutoffs.before) if compared else None,
        published_before=last is not None,
        judged_on=str(open_ends.min() or own_end),
        run_id=decisions["run_id"][0],
        company=business.name,
        currency=business.currency,
        budget_cents=params.recommend.budget_cents,
        spent_cents=int(decisions["cost_cents"].sum()),
        holdout_share=params.recommend.holdout_share,
        horizon_days=params.churn.horizon_days,
        gap_days=params.churn.gap_days,
        lookback_days=params.churn.lookback_days,
        data_span=[span.first_value.isoformat(), span.last_day.isoformat()],
        sources=json.loads(present(tables / ACCOUNTING, "accounting").read_text()),
        definitions=_definitions(catalogue),
    )


def _definitions(catalogue: Catalogue) -> dict[str, list[dict[str, str]]]:
    standing = catalogue.standing
    lists = {"stages": standing.stages, "levels": standing.levels,
             "activities": standing.activities}  # fmt: skip
    return {
        kind: [{"id": rule.id, "meaning": rule.meaning} for rule in rules]
        for kind, rules in lists.items()
    }


def _movement(
    features: Path, decided: pl.DataFrame, past: pl.LazyFrame, last: date | None
) -> pl.DataFrame:
    """Customers by reported stage in the last published run (null: not known then) and now.

    Without a published run, the stages of one label window ago, worked out from the same data.
    """
    after = decided.select("customer_id", stage_now="stage")
    if last is None:
        then = reported_before(features)
    else:
        then = past.filter(pl.col("as_of") == last).select("customer_id", "stage").collect()
    both = after.join(
        then.select("customer_id", stage_before="stage"), on="customer_id", how="left"
    )
    counts = both.group_by("stage_before", "stage_now").agg(
        pl.len().cast(pl.Int64).alias("customers")
    )
    return counts.sort("stage_before", "stage_now")


def _besides(effects: Path, plan: Path, measurement: Path) -> Known:
    """What deciding and measuring left for the report."""
    return Known(
        budget_curve=read(plan / "budget_curve.parquet", BUDGET_CURVE),
        cost_of_rules=read(plan / "cost_of_rules.parquet", COST_OF_RULES),
        measured=read(measurement / "measured.parquet", MEASURED),
        ledger=read(measurement / "ledger.parquet", LEDGER),
        effects=read(effects, EFFECTS),
    )


def _reach(features: Path) -> pl.DataFrame:
    """Best day and hour to reach each customer; empty where the features do not say."""
    now = scan_snapshot(features, read_cutoffs(features).now)
    told = set(REACH_COLUMNS) <= set(now.collect_schema().names())
    return now.select(*REACH_COLUMNS).sort("customer_id").collect() if told else NO_REACH
