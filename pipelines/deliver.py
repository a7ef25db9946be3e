"""Step: scores and decisions -> the files that a marketer loads, published as one folder."""

import hashlib
import io
import json
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from delivery.bands import BandLimits
from delivery.canonical import action_columns, action_rows, csv_text
from delivery.dictionary import dictionary_text
from delivery.facts import report_facts
from delivery.manifest import FileEntry, file_entry, manifest, manifest_text
from delivery.params import DeliverParams
from delivery.pieces import Run
from delivery.report import render_report
from features.schemas import DECISIONS, IDENTITIES, SCORES
from models.params import ScoreParams
from pipelines.champions import EVALUATION
from pipelines.config import Catalogue, Params
from pipelines.features import data_span, read_cutoffs, read_snapshot
from pipelines.ingest import ACCOUNTING
from pipelines.publish import publish
from pipelines.tables import present, read, write_text


class Inputs(NamedTuple):
    """What delivery reads."""

    scores: pl.DataFrame
    decisions: pl.DataFrame
    identities: pl.DataFrame | None
    movement: pl.DataFrame
    evaluation: dict[str, Any]
    run: Run


def deliver(
    tables: Path, features: Path, scores: Path, decisions: Path, evaluation: Path, *,
    outbox: Path, receipt: Path, catalogue: Catalogue, params: Params,
) -> dict[str, Any]:  # fmt: skip
    """Publish ``outbox/as_of=.../`` and write its manifest to `receipt` as well.

    Returns
    -------
    dict
        The manifest.
    """
    scored, decided = read(scores, SCORES), read(decisions, DECISIONS)
    people = read(tables / "identities.parquet", IDENTITIES)
    inputs = Inputs(
        scored,
        decided,
        people if people.height else None,
        _movement(features),
        json.loads(present(evaluation / EVALUATION, "evaluation").read_text()),
        _run(tables, features, decided, catalogue, params),
    )
    files, rows = _files(inputs, catalogue, params.score, params.deliver)
    facts = _manifest(inputs, files, rows)
    text = manifest_text(facts)
    as_of: date = decided["as_of"][0]
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    whole = {**files, "manifest.json": text.encode()}
    publish(whole, outbox, name=f"as_of={as_of.isoformat()}", version=digest)
    write_text(text, receipt)
    return facts


def _files(
    inputs: Inputs, catalogue: Catalogue, score: ScoreParams, params: DeliverParams
) -> tuple[dict[str, bytes], dict[str, int]]:
    bands = BandLimits(score.medium_risk, score.high_risk)
    actions = action_rows(
        inputs.scores, inputs.decisions, catalogue=catalogue.actions,
        identities=inputs.identities, bands=bands,
    )  # fmt: skip
    facts = report_facts(
        scores=inputs.scores, decisions=inputs.decisions, movement=inputs.movement,
        evaluation=inputs.evaluation, catalogue=catalogue.actions, run=inputs.run, bands=bands,
        top_rows=params.top_rows,
    )  # fmt: skip
    columns = action_columns(identities=inputs.identities is not None, bands=bands)
    files = {
        "actions.csv": csv_text(actions).encode(),
        "decisions.parquet": _parquet(inputs.decisions),
        "dictionary.md": dictionary_text(columns).encode(),
        "report.html": render_report(facts).encode(),
    }
    rows = {"actions.csv": actions.height, "decisions.parquet": inputs.decisions.height}
    return files, rows


def _manifest(inputs: Inputs, files: dict[str, bytes], rows: dict[str, int]) -> dict[str, Any]:
    entries: dict[str, FileEntry] = {
        name: file_entry(content, rows.get(name, 0)) for name, content in files.items()
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


def _parquet(rows: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.write_parquet(out, compression="zstd")
    return out.getvalue()
