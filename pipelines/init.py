"""Guess what the columns of a company's event file are, and make the clone its own project."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import yaml

from features.errors import InputMissingError
from pipelines.intake import normalise
from pipelines.raw import open_raw, raw_rows, reading
from pipelines.settings import with_values
from pipelines.sources import Business, Origin, Override, Source
from pipelines.tables import write_text

SAMPLE_ROWS = 200_000
ORDER, REFUND = "order_completed", "order_refunded"
# Whole words of a column's name, most telling first. "InvoiceNo" reads as "invoice no".
NAMES: dict[str, Sequence[str]] = {
    "customer_id": (
        r"(customer|client|user|member|household|contact|account|shopper)( id| no| number| key)?",
        r"cid|uid|owner user id",
    ),
    "occurred_at": (
        r"(occurred|happened|event|order|invoice|transaction|purchase|created)"
        r"( at| on| date| time| timestamp)+",
        r"timestamp|datetime|date|time|ts|created at|creation date",
    ),
    "event_id": (
        r"(event|message)( id| no)",
        r"(order|invoice|basket|transaction|receipt|inv)( id| no| number)?",
    ),
    "event_type": (r"event( name| type)?|event", r"type|activity|action"),
    "value": (
        r"(total|order total|order value|revenue|amount|sales value|net sales|value|dollar value)"
        r"( usd| eur| gbp| price| amount)?",
        r"(.* )?(revenue|amount|total)",
    ),
    "channel": (r"channel|source|medium",),
    "campaign": (r"campaign( id| name)?",),
}
QUANTITY = r"quantity|qty|units|number of .*"
PRICE = r"(unit )?price|price( each)?"


class Guess(NamedTuple):
    """A proposed source, why, and the as-of date that the file allows."""

    source: Source
    timezone: str
    currency: str
    as_of: date
    spoken: str


def guess(events: Path, project: Path, *, timezone: str, currency: str) -> Guess:
    """Propose a mapping of an event file.

    Parameters
    ----------
    events : Path
        CSV or Parquet file.
    project : Path
    timezone : str
        IANA zone of the business, and of times without a zone.
    currency : str

    Raises
    ------
    InputMissingError
        If the file, a customer column or a time column cannot be found; names the columns.
    """
    if not events.is_file():
        raise InputMissingError(f"--events: file not found. Got {events}. Expected a file.")
    with reading(events, "--events"):
        sample = open_raw(events).head(SAMPLE_ROWS).collect()
    columns, reasons = _columns(sample)
    repeated = "event_id" in columns and _is_lines(sample, columns["event_id"].column)
    source = Source(
        table="events",
        path=_relative(events, project),
        timezone=timezone,
        lines_of_order=repeated,
        columns=columns,
    )
    as_of = _last_day(source, project, timezone) + timedelta(days=1)
    return Guess(source, timezone, currency, as_of, _spoken(source, reasons, as_of))


def apply_guess(found: Guess, project: Path) -> str:
    """Write ``catalogue/sources.yaml``, set ``run.as_of`` and let DVC watch the file."""
    write_text(_yaml(found), project / "catalogue" / "sources.yaml")
    params = project / "params.yaml"
    values = {"run.as_of": found.as_of.isoformat()}
    write_text(with_values(params.read_text("utf-8"), values), params)
    watched = _watch(project / "dvc.yaml", found.source.path)
    lines = ["written: catalogue/sources.yaml, params.yaml" + (", dvc.yaml" if watched else "")]
    lines.append(f"next: keepwell check, then keepwell run --as-of {found.as_of}")
    return "\n".join(lines)


def _columns(sample: pl.DataFrame) -> tuple[dict[str, Origin], dict[str, str]]:
    names = {name: _words(name) for name in sample.columns}
    columns: dict[str, Origin] = {}
    reasons: dict[str, str] = {}
    for target, patterns in NAMES.items():
        found = _named(names, patterns, taken={o.column for o in columns.values()})
        if found:
            columns[target], reasons[target] = Origin(column=found), "by its name"
    for target in ("customer_id", "occurred_at"):
        if target not in columns:
            raise InputMissingError(
                f"--events: no column for {target}. Got {', '.join(sample.columns)}. "
                f"Rename the column, or write catalogue/sources.yaml by hand."
            )
    _add_value(sample, names, columns, reasons)
    _add_type(sample, columns, reasons)
    return columns, reasons


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.sub(r"[^a-z0-9]+", " ", spaced.lower()).strip()


def _named(names: dict[str, str], patterns: Sequence[str], taken: set[str | None]) -> str | None:
    for pattern in patterns:
        for name, words in names.items():
            if name not in taken and re.fullmatch(pattern, words):
                return name
    return None


def _add_value(
    sample: pl.DataFrame, names: dict[str, str], columns: dict[str, Origin], reasons: dict[str, str]
) -> None:
    quantity, price = _named(names, [QUANTITY], set()), _named(names, [PRICE], set())
    if "value" not in columns and quantity and price:
        columns["value"] = Origin(product=[quantity, price])
        reasons["value"] = "quantity times price"


def _add_type(sample: pl.DataFrame, columns: dict[str, Origin], reasons: dict[str, str]) -> None:
    """Without a column of types every row is an order, but for marked cancellations."""
    if "event_type" in columns:
        return
    prefix = _cancelled_prefix(sample, columns)
    when: tuple[Override, ...] = ()
    reasons["event_type"] = "no such column: every row is an order"
    if prefix and columns["event_id"].column:
        override = Override(column=columns["event_id"].column, starts_with=prefix, then=REFUND)
        when = (override,)
        reasons["event_type"] += f"; ids that start with {prefix} are negative: refunds"
    columns["event_type"] = Origin(constant=ORDER, when=when)


def _cancelled_prefix(sample: pl.DataFrame, columns: dict[str, Origin]) -> str | None:
    """The letter before the numbers of orders whose amounts are nearly all negative."""
    identifier, value = columns.get("event_id"), columns.get("value")
    if identifier is None or identifier.column is None or value is None:
        return None
    amount = pl.col((value.product or [value.column or ""])[0]).cast(pl.Float64, strict=False)
    letter = pl.col(identifier.column).cast(pl.String).str.extract(r"^([A-Za-z]+)[0-9]", 1)
    groups = (
        sample.group_by(letter.alias("letter"))
        .agg(negative=(amount < 0).mean(), n=pl.len())
        .filter(pl.col("letter").is_not_null(), pl.col("negative") > 0.9)
        .sort("n", "letter", descending=[True, False])
    )
    return groups["letter"][0] if groups.height else None


def _is_lines(sample: pl.DataFrame, column: str | None) -> bool:
    return column is not None and sample[column].drop_nulls().n_unique() < 0.9 * sample.height


def _relative(events: Path, project: Path) -> str:
    absolute, root = events.resolve(), project.resolve()
    return str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)


def _last_day(source: Source, project: Path, timezone: str) -> date:
    raw = raw_rows("events", source, project)
    business = Business(name="events", timezone=timezone, currency="USD")
    rows = normalise(raw, "events", source, business)
    times = rows.filter(pl.col("reason").is_null())["occurred_at"]
    if times.is_empty():
        raise InputMissingError(
            f"--events: no row has a customer and a time that can be read. Got {raw.height} rows. "
            f"Write catalogue/sources.yaml by hand, with `format:` for the time."
        )
    last: date = times.dt.convert_time_zone(timezone).dt.date().max()  # pyright: ignore
    return last


def _spoken(source: Source, reasons: dict[str, str], as_of: date) -> str:
    rows = [(t, _origin_words(o), reasons.get(t, "")) for t, o in source.columns.items()]
    widths = [max(len(row[k]) for row in rows) for k in range(2)]
    table = [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in rows]
    lines = "rows that share an event_id are lines of one order" if source.lines_of_order else ""
    notes = [f"  times without a zone are taken to be in {source.timezone}", f"  {lines}"]
    consent = "  no consents: only channels that need none (web, app, store) will be used"
    end = f"  the data end before {as_of}, so that is the as-of date"
    return "\n".join(
        [f"{Path(source.path).name}:", *table, *(n for n in notes if n.strip()), consent, end]
    )


def _origin_words(origin: Origin) -> str:
    return origin.column or " x ".join(origin.product or []) or f"always {origin.constant}"


def _yaml(found: Guess) -> str:
    content = {
        "business": {
            "name": Path(found.source.path).stem.replace("_", " "),
            "timezone": found.timezone,
            "currency": found.currency,
        },
        "sources": {"events": found.source.model_dump(exclude_defaults=True)},
    }
    head = (
        "# Written by `keepwell init`; edit it freely. What each key means: docs/sources.md.\n"
        "# Add sources of the tables customers, identities, consents and sends the same way.\n"
    )
    return head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _watch(dvc: Path, path: str) -> bool:
    """Make the file a dependency of the step ingest, in place of an earlier one."""
    if not dvc.is_file():
        return False
    text = dvc.read_text("utf-8")
    changed = re.sub(
        r"(?m)^(      # keepwell init puts your files here:\n)(?:      - .*  # source\n)*",
        lambda found: f"{found[1]}      - {yaml.safe_dump(path).splitlines()[0]}  # source\n",
        text,
    )
    write_text(changed, dvc)
    return changed != text
