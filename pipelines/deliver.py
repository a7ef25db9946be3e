"""Step: scores and decisions -> the files that a marketer loads, published as one folder."""

import hashlib
import io
import json
from collections.abc import Callable
from datetime import date, timedelta
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl

from delivery import formats
from delivery.bands import BandLimits
from delivery.canonical import (
    NO_REACH,
    REACH_COLUMNS,
    action_columns,
    action_rows,
    typed_actions,
)
from delivery.clearance import Clearances, check_freshness, cleared, of_known
from delivery.csv_cells import csv_text
from delivery.dictionary import dictionary_text
from delivery.exports import Export, platform_export
from delivery.facts import Known, report_facts
from delivery.loading import loading_text
from delivery.manifest import SCHEMA_VERSION, FileEntry, file_entry, manifest, manifest_text
from delivery.params import DeliverParams
from delivery.pieces import Run
from delivery.report import render_report
from delivery.workbook import workbook_bytes
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
from models.params import ScoreParams
from pipelines.champions import EVALUATION
from pipelines.config import Catalogue, Params
from pipelines.features import data_span, read_cutoffs, scan_snapshot
from pipelines.ingest import ACCOUNTING, read_events
from pipelines.measure import runs_of, scan_log
from pipelines.publish import publish
from pipelines.standings import read_flips, reported_before
from pipelines.tables import present, read, write_text


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


class Made(NamedTuple):
    """Files by name, their rows, and what each platform got."""

    files: dict[str, bytes]
    rows: dict[str, int]
    platforms: dict[str, Export]


def deliver(
    tables: Path, features: Path, scores: Path, decisions: Path, effects: Path, plan: Path,
    measurement: Path, evaluation: Path, *, outbox: Path, receipt: Path, catalogue: Catalogue,
    params: Params, found: dict[str, Any] | None, wait_seconds: float = 0,
    wanted: Callable[[], None] = lambda: None,
) -> dict[str, Any]:  # fmt: skip
    """Publish ``outbox/as_of=.../`` and write its manifest to `receipt` as well.

    `found` is what monitoring found, for the report; None where the run is not watched.
    `wait_seconds` and `wanted` are those of `publish`.

    Returns
    -------
    dict
        The manifest.

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
    inputs = Inputs(
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
    with formats.written_in(params.deliver.locale):
        made = files_of(inputs, catalogue, params.score, params.deliver)
    facts = _manifest(inputs, made)
    text = manifest_text(facts)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    whole = {**made.files, "manifest.json": text.encode()}
    publish(
        whole, outbox, name=f"as_of={as_of.isoformat()}", version=digest,
        wait_seconds=wait_seconds, wanted=wanted,
    )  # fmt: skip
    write_text(text, receipt)
    return facts


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


def files_of(
    inputs: Inputs, catalogue: Catalogue, score: ScoreParams, params: DeliverParams
) -> Made:
    """Every file of a delivery but the manifest, in memory."""
    bands = BandLimits(score.medium_risk, score.high_risk)
    people = inputs.known.identities if inputs.known.identities.height else None
    actions = action_rows(
        inputs.scores, inputs.decisions, catalogue=catalogue.actions, identities=people,
        bands=bands, granted=inputs.known.permitted, reach=inputs.reach,
        effects=inputs.besides.effects,
    )  # fmt: skip
    exports = {
        name: platform_export(
            name, catalogue.platforms,
            actions=actions, decisions=inputs.decisions, known=inputs.known,
        )
        for name in params.platforms
    }  # fmt: skip
    facts = report_facts(
        scores=inputs.scores, decisions=inputs.decisions, movement=inputs.movement,
        evaluation=inputs.evaluation, catalogue=catalogue.actions, run=inputs.run, bands=bands,
        top_rows=params.top_rows, top_customers=params.top_customers, known=inputs.besides,
    )  # fmt: skip
    columns = action_columns(identities=people is not None, bands=bands)
    files = {
        "actions.csv": csv_text(actions).encode(),
        "actions.xlsx": workbook_bytes(
            typed_actions(actions),
            facts=facts,
            catalogue=catalogue.actions,
            columns=columns,
            run=inputs.run,
        ),
        "actions.parquet": _parquet(typed_actions(actions)),
        "decisions.parquet": _parquet(inputs.decisions),
        "dictionary.md": dictionary_text(columns, version=SCHEMA_VERSION).encode(),
        "report.html": render_report(facts).encode(),
    }
    rows = {"actions.csv": actions.height, "decisions.parquet": inputs.decisions.height}
    rows["actions.parquet"] = rows["actions.xlsx"] = actions.height
    for export in exports.values():
        files |= export.files
        rows |= export.rows
    if exports:
        files["how_to_load.md"] = loading_text(catalogue.platforms, exports).encode()
    return Made(files, rows, exports)


def _manifest(inputs: Inputs, made: Made) -> dict[str, Any]:
    entries: dict[str, FileEntry] = {
        name: file_entry(content, made.rows.get(name, 0)) for name, content in made.files.items()
    }
    first = inputs.decisions.row(0, named=True)
    models = inputs.scores.row(0, named=True)
    versions = {kind: models[f"{kind}_model"] for kind in ("churn", "stage", "level", "value")}
    return manifest(
        as_of=first["as_of"],
        run_id=first["run_id"],
        scored=inputs.scores.height,
        decisions=inputs.decisions,
        files=entries,
        versions={"keepwell": installed("keepwell"), **versions},
        erased=inputs.erased,
        platforms={
            name: {"files": sorted(export.files), "left_out": export.left_out}
            for name, export in made.platforms.items()
        },
        hashes={"scores": first["data_hash"], "catalogue": first["catalogue_hash"]},
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


def _parquet(rows: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.write_parquet(out, compression="zstd")
    return out.getvalue()
