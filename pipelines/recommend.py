"""Step: scores, consents, sends and the catalogue -> one decision a customer."""

import hashlib
import json
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl

from actions.catalogue import ActionCatalogue
from actions.decisions import Provenance, decide
from actions.funnel import ContactRecord
from actions.params import RecommendParams
from features.consents import permissions, refusals
from features.params import ChurnParams
from features.schemas import CONSENTS, DECISIONS, SCORES, SENDS
from features.time import day_number, visible
from pipelines.features import read_snapshot
from pipelines.ingest import read_events
from pipelines.tables import polars_schema, read, write

CONTACT_COLUMNS = {
    "customer_id": pl.String,
    "channel": pl.String,
    "action_id": pl.String,
    "day": pl.Int64,
}


def build_decisions(
    tables: Path, features: Path, scores: Path, out: Path, *, outbox: Path,
    catalogue: ActionCatalogue, catalogue_hash: str, params: RecommendParams, churn: ChurnParams,
) -> pl.DataFrame:  # fmt: skip
    """Decide for everybody scored.

    Contacts are what the events and the tool's sends say, and earlier decisions in `outbox`; those
    of the same date or later are not read, so that a rerun decides alike.
    """
    scored = read(scores, SCORES)
    as_of: date = scored["as_of"][0]
    snapshot = read_snapshot(features, as_of)
    fresh = [c for c in scored.columns if c not in snapshot.columns or c == "customer_id"]
    customers = snapshot.join(scored.select(fresh), on="customer_id")
    events = nw.from_native(read_events(tables))
    consents = nw.from_native(read(tables / "consents.parquet", CONSENTS).lazy())
    record = ContactRecord(
        permitted=permissions(consents, events, as_of).collect().to_native(),
        refused=refusals(consents, events, as_of).collect().to_native(),
        contacts=contacts(tables, outbox, as_of),
    )
    provenance = _provenance(scored, catalogue_hash, params)
    decisions = decide(
        customers, record, catalogue, params,
        as_of=as_of, horizon_days=churn.horizon_days, provenance=provenance,
    ).cast(polars_schema(DECISIONS))  # fmt: skip
    write(decisions, out, DECISIONS)
    return decisions


def contacts(tables: Path, outbox: Path, as_of: date) -> pl.DataFrame:
    """Everything that was sent before `as_of`: one row a customer, channel, action and day.

    A send that is also seen as an exposure on its day counts once.
    """
    seen = visible(nw.from_native(read_events(tables)), as_of).to_native()
    exposures = seen.filter(pl.col("role") == "exposure").select(
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
            rows = read(path, DECISIONS).lazy().filter(pl.col("outcome") == "exported")
            day = pl.col("as_of").cast(pl.Int32).cast(pl.Int64).alias("day")
            parts.append(rows.select("customer_id", "channel", "action_id", day))
    return pl.concat(parts)


def _provenance(scores: pl.DataFrame, catalogue_hash: str, params: RecommendParams) -> Provenance:
    data_hash = hashlib.sha256(scores.write_csv().encode()).hexdigest()
    settings = json.dumps(params.model_dump(), sort_keys=True)
    run = hashlib.sha256(f"{data_hash}{catalogue_hash}{settings}".encode()).hexdigest()
    return Provenance(run[:16], data_hash, scores["churn_model"][0], catalogue_hash)
