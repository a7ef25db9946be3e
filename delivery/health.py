"""Whether the data and the models can be trusted: rows of each source, tests of each model."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from delivery import formats, words
from delivery.pieces import Run, SourceCounts, TextTable, total
from features.errors import DataError

MODELS = {"churn": "Churn risk", "stage": "Next stage", "level": "Next level"}
COUNTED = ("rows_in", "accepted", "duplicates", "quarantined", "events")


class Quality(NamedTuple):
    """Rows of each source by what became of them, and what was wrong with them."""

    lead: str
    table: TextTable | None
    notes: tuple[str, ...]


class Health(NamedTuple):
    """Where the scores come from, and how each model did in its last test."""

    lead: str
    table: TextTable | None


def quality(run: Run) -> Quality:
    """Rows of each source by what became of them.

    Raises
    ------
    DataError
        If rows in differ from accepted + duplicates + quarantined.
    """
    sources = run["sources"]
    for source in sources:
        _check(source)
    first, last = map(formats.day, run["data_span"])
    if not sources:
        return Quality(f"The data run from {first} to {last}.", None, ())
    rows = [
        (words.plain(s["source"]), *(formats.count(s[k]) for k in COUNTED), _newest(s))
        for s in sources
    ]
    sums = {key: sum(source[key] for source in sources) for key in COUNTED}
    rows.append(("All", *map(formats.count, sums.values()), ""))
    lead = (
        f"The data run from {first} to {last}. Of {formats.plural(sums['rows_in'], 'row')} read, "
        f"{_aside(sums['quarantined'], sums['rows_in'])} broke a rule and were set aside. Every "
        "row is accounted for: rows read = accepted + duplicates + set aside."
    )
    heads = ("Source", "Rows read", "Accepted", "Duplicates", "Set aside", "Rows kept", "Newest")
    table = TextTable("Rows by source", heads, tuple(rows), total=True)
    return Quality(lead, table, tuple(note for source in sources for note in _notes(source)))


def _newest(source: SourceCounts) -> str:
    newest = source.get("last_on")
    return formats.day(newest) if newest else formats.DASH


def _notes(source: SourceCounts) -> Iterator[str]:
    name = words.plain(source["source"])
    reasons = source.get("reasons", {})
    if reasons:
        parts = [f"{words.plain(c).lower()} {formats.count(n)}" for c, n in reasons.items()]
        yield f"{name}, set aside: {', '.join(parts)}."
    yield from (f"{name}: {said}" for said in source.get("warnings", []))


def _aside(quarantined: int, rows_in: int) -> str:
    if not quarantined:
        return "none"
    return f"{formats.count(quarantined)} ({formats.percent(quarantined / rows_in, 2)})"


def _check(source: SourceCounts) -> None:
    parts = source["accepted"] + source["duplicates"] + source["quarantined"]
    if parts != source["rows_in"]:
        raise DataError(
            f"source {source['source']}: rows do not add up. Got {parts} accepted, duplicate and "
            f"quarantined. Expected {source['rows_in']}, the rows read. Ingest the source again."
        )


def health(scores: pl.DataFrame, evaluation: Mapping[str, Any], run: Run) -> Health:
    """Where the scores come from, and how each model did in its last test.

    Parameters
    ----------
    scores : table of schemas.SCORES
    evaluation : mapping
        Name of a model -> its last test; empty where nothing was trained yet.
    run : Run
    """
    rows = tuple(_model(kind, test, scores, run) for kind, test in evaluation.items() if test)
    heads = ("Forecast", "Comes from", "Last tested on customers of", "Result of the test")
    table = TextTable("Models by forecast", heads, rows, len(heads)) if rows else None
    return Health(_source(scores), table)


def _source(scores: pl.DataFrame) -> str:
    known = scores.filter(pl.col("churn_risk").is_not_null())
    learned = total(known["score_source"].eq("model"))
    if known.is_empty():
        return "Nobody has a churn risk this time."
    if learned == known.height:
        return f"A model gives the churn risk of all {formats.count(learned)} who have one."
    if learned == 0:
        return (
            f"A simple rule gives the churn risk of all {formats.count(known.height)} who have "
            "one: there was too little data for a model, or none passed its test."
        )
    return (
        f"A model gives the churn risk of {formats.count(learned)} customers, a simple rule that "
        f"of {formats.count(known.height - learned)}."
    )


def _model(kind: str, test: Mapping[str, Any], scores: pl.DataFrame, run: Run) -> tuple[str, ...]:
    column = f"{kind}_model"
    used = scores[column].unique().sort().to_list() if column in scores.columns else []
    name = MODELS.get(kind, words.plain(kind))
    source = ", ".join(words.model(one) for one in used) or formats.DASH
    return (name, source, _tested(test, run), _result(test))


def _tested(test: Mapping[str, Any], run: Run) -> str:
    if "test_as_of" not in test:
        return "not tested yet"
    age = (date.fromisoformat(run["as_of"]) - date.fromisoformat(test["test_as_of"])).days
    return f"{formats.day(test['test_as_of'])}, {formats.plural(age, 'day')} before"


def _result(test: Mapping[str, Any]) -> str:
    why = words.sentence(test.get("why") or "") or "no reason is on record"
    if test.get("promoted", bool(test.get("champion"))):
        return f"Passed: {why}"
    return f"Kept the one in use: {why}" if test.get("champion") else f"None in use: {why}"
