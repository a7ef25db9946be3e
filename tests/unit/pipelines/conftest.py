"""Small builders: a test names only the columns and settings that it is about."""

from pathlib import Path

import polars as pl
import pytest

from features.schemas import EVENTS
from features.taxonomy import Taxonomy
from pipelines.ingest import ingest
from pipelines.intake.delimited import ROW
from pipelines.intake.events import merged_lines, typed_events
from pipelines.intake.identity import INPUT, SEEN, judged
from pipelines.intake.people import Intake, people_of
from pipelines.intake.rows import normalise
from pipelines.intake.sources import Business, Source, SourceCatalogue

REPOSITORY = Path(__file__).parents[3]
TAXONOMY = Taxonomy.model_validate(
    {
        "channels": ["web", "email"],
        "events": {
            "order_completed": {"role": "value", "engagement_type": "transactional"},
            "order_refunded": {"role": "service"},
            "page_viewed": {"role": "visit", "channel": "web"},
        },
        "aliases": {"purchase": "order_completed"},
    }
)


def source_of(columns, *, table="events", path="given.csv", **settings):
    """A source whose columns are all of the same name in the file, if not said otherwise."""
    origins = {
        target: {"column": target} if origin is None else origin
        for target, origin in columns.items()
    }
    return Source.model_validate({"table": table, "path": path, "columns": origins, **settings})


def business_of(zone):
    return Business(name="Test", timezone=zone, currency="EUR")


def numbered(rows):
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows)
    return frame.with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))


@pytest.fixture
def repository():
    return REPOSITORY


@pytest.fixture
def taxonomy():
    return TAXONOMY


@pytest.fixture
def make_source():
    return source_of


@pytest.fixture
def make_catalogue():
    def catalogue(source):
        return SourceCatalogue(business=business_of("UTC"), sources={"shop": source})

    return catalogue


@pytest.fixture
def take_in():
    """Columns of an event file -> accepted events and rejected rows; all columns are mapped."""

    def take(rows, *, zone="UTC", lines=False, columns=None, timezone="UTC"):
        raw = numbered(rows)
        mapped = columns or dict.fromkeys(c for c in raw.columns if c != ROW)
        source = source_of(mapped, timezone=timezone, lines_of_order=lines)
        rows = normalise(raw, "shop", source, business_of(zone))
        bad = rows.filter(pl.col("reason").is_not_null()).select(ROW, "reason")
        good, told = rows.filter(pl.col("reason").is_null()), raw.join(bad, on=ROW, how="anti")
        typed = typed_events(good, told, "shop", TAXONOMY, zone=zone, lines=lines)
        entries = typed.rows.with_columns(pl.lit(0).alias(INPUT), pl.lit(False).alias(SEEN))
        again = judged(entries)
        kept = typed.rows.join(again, on=ROW, how="anti", maintain_order="left")
        rejected = [bad, typed.rejected, again.select(ROW, "reason")]
        if lines:
            merged = merged_lines(kept)
            rejected.append(merged.rejected.select(ROW, "reason"))
            kept = merged.rows
        return Intake(kept.select(EVENTS.names), pl.concat(rejected))

    return take


@pytest.fixture
def take_people():
    """Columns of a file of people -> accepted and rejected rows."""

    def take(table, rows):
        raw = numbered(rows)
        source = source_of(dict.fromkeys(c for c in raw.columns if c != ROW), table=table)
        return people_of(normalise(raw, table, source, business_of("UTC")), table)

    return take


@pytest.fixture
def normalised():
    """Columns of an event file -> typed columns with the reason."""

    def normalise_rows(rows, *, zone="UTC", columns=None, **settings):
        raw = numbered(rows)
        mapped = columns or dict.fromkeys(c for c in raw.columns if c != ROW)
        return normalise(raw, "shop", source_of(mapped, **settings), business_of(zone))

    return normalise_rows


@pytest.fixture
def ingested(tmp_path):
    """Files and their sources -> the folder of tables and the accounting."""

    def ingest_files(files, sources, *, zone="UTC", rows_per_bucket=1000):
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        business = Business(name="Test", timezone=zone, currency="EUR")
        catalogue = SourceCatalogue(business=business, sources=sources)
        out = tmp_path / "tables"
        return out, ingest(tmp_path, out, catalogue, TAXONOMY, rows_per_bucket)

    return ingest_files


@pytest.fixture
def reasons():
    """Reason code -> how many rows were rejected for it."""

    def count(intake):
        return dict(intake.rejected["reason"].value_counts().iter_rows())

    return count
