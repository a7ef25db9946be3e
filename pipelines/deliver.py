"""Step: scores and decisions -> the files that a marketer loads, published as one folder."""

import hashlib
import io
import json
from collections.abc import Callable
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl

from delivery.bands import BandLimits
from delivery.canonical import (
    NO_REACH,
    REACH_COLUMNS,
    action_columns,
    action_rows,
    typed_actions,
)
from delivery.clearance import Clearances, check_freshness, cleared
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
from features.schemas import CONSENTS, CUSTOMERS, DECISIONS, IDENTITIES, SCORES, SUPPRESSIONS
from models.params import ScoreParams
from pipelines.champions import EVALUATION
from pipelines.config import Catalogue, Params
from pipelines.features import data_span, read_cutoffs, read_snapshot
from pipelines.ingest import ACCOUNTING, read_events
from pipelines.publish import publish
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
    tables: Path, features: Path, scores: Path, decisions: Path, evaluation: Path, *,
    outbox: Path, receipt: Path, catalogue: Catalogue, params: Params,
    wait_seconds: float = 0, wanted: Callable[[], None] = lambda: None,
) -> dict[str, Any]:  # fmt: skip
    """Publish ``outbox/as_of=.../`` and write its manifest to `receipt` as well.

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
    present_still = read(tables / "customers.parquet", CUSTOMERS).select("customer_id")
    kept = decided.join(present_still, on="customer_id", how="semi", maintain_order="left")
    inputs = Inputs(
        scored.join(present_still, on="customer_id", how="semi", maintain_order="left"),
        cleared(kept, known, catalogue.actions),
        known,
        _reach(features),
        _movement(features),
        json.loads(present(evaluation / EVALUATION, "evaluation").read_text()),
        _run(tables, features, kept, catalogue, params),
        _besides(decisions.parent),
        decided.height - kept.height,
    )
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
    versions = {kind: models[f"{kind}_model"] for kind in ("churn", "stage", "level")}
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
    tables: Path, features: Path, decisions: pl.DataFrame, catalogue: Catalogue, params: Params
) -> Run:
    now = read_cutoffs(features).now
    span = data_span(tables, now)
    before = read_cutoffs(features).before
    business = catalogue.sources.business
    return Run(
        as_of=now.isoformat(),
        previous_as_of=before.isoformat() if read_snapshot(features, before).height else None,
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


def _movement(features: Path) -> pl.DataFrame:
    """Customers by stage one label window ago (null: not known then) and now."""
    cutoffs = read_cutoffs(features)
    after = read_snapshot(features, cutoffs.now).select("customer_id", stage_now="stage")
    before = read_snapshot(features, cutoffs.before).select("customer_id", stage_before="stage")
    both = after.join(before, on="customer_id", how="left")
    counts = both.group_by("stage_before", "stage_now").agg(
        pl.len().cast(pl.Int64).alias("customers")
    )
    return counts.sort("stage_before", "stage_now")


def _besides(folder: Path) -> Known:
    """The plan's and the measurement's tables, as far as their steps have made them."""
    paths = {
        "budget_curve": folder / "plan" / "budget_curve.parquet",
        "cost_of_rules": folder / "plan" / "cost_of_rules.parquet",
        "measured": folder / "measurement" / "measured.parquet",
        "ledger": folder / "measurement" / "ledger.parquet",
    }
    return Known(**{name: pl.read_parquet(p) for name, p in paths.items() if p.is_file()})


def _reach(features: Path) -> pl.DataFrame:
    """Best day and hour to reach each customer; empty where the features do not say."""
    now = read_snapshot(features, read_cutoffs(features).now)
    return now.select(*REACH_COLUMNS) if set(REACH_COLUMNS) <= set(now.columns) else NO_REACH


def _parquet(rows: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.write_parquet(out, compression="zstd")
    return out.getvalue()
