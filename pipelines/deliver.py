"""Step: scores and decisions -> the files that a marketer loads, published as one folder."""

import hashlib
import io
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from delivery import formats
from delivery.bands import BandLimits
from delivery.canonical import action_columns, action_rows, typed_actions
from delivery.csv_cells import csv_text
from delivery.dictionary import dictionary_text
from delivery.exports import Export, platform_export
from delivery.facts import report_facts
from delivery.loading import loading_text
from delivery.manifest import SCHEMA_VERSION, FileEntry, file_entry, manifest, manifest_text
from delivery.params import DeliverParams
from delivery.report import render_report
from delivery.workbook import workbook_bytes
from models.params import ScoreParams
from pipelines.config import Catalogue, Params
from pipelines.delivery_inputs import Inputs, read_inputs
from pipelines.publish import publish
from pipelines.tables import write_text


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
    inputs = read_inputs(
        tables, features, scores, decisions, effects, plan, measurement, evaluation,
        outbox=outbox, catalogue=catalogue, params=params, found=found,
    )  # fmt: skip
    with formats.written_in(params.deliver.locale):
        made = files_of(inputs, catalogue, params.score, params.deliver)
    facts = _manifest(inputs, made)
    text = manifest_text(facts)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    whole = {**made.files, "manifest.json": text.encode()}
    publish(
        whole, outbox, name=f"as_of={facts['as_of']}", version=digest,
        wait_seconds=wait_seconds, wanted=wanted,
    )  # fmt: skip
    write_text(text, receipt)
    return facts


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


def _parquet(rows: pl.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.write_parquet(out, compression="zstd")
    return out.getvalue()
