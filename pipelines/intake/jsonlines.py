"""JSON Lines: one object a line, every number as the text that it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.intake.delimited import REJECTED, ROW, Chunk
from pipelines.intake.dialects import check_wanted, lines

LINES = 100_000
BAD_JSON, TWICE = "bad_json", "repeated_key"


def json_chunks(path: Path, encoding: str, where: str, wanted: list[str]) -> Iterator[Chunk]:
    """Chunks of objects; nested values by their path, as in ``properties.revenue``.

    Raises
    ------
    InputMissingError
        If no object has any of the wanted names.
    """
    rows: list[dict[str, str | None]] = []
    bad: list[tuple[int, str, str]] = []
    names: dict[str, None] = {}
    number = 0
    with lines(path, encoding) as found:
        for line in found:
            if not line.strip():
                continue
            number += 1
            _take(line, number, rows, bad)
            if len(rows) + len(bad) == LINES:
                yield _as_chunk(rows, bad, names, wanted)
                rows, bad = [], []
    chunk = _as_chunk(rows, bad, names, wanted)
    if number and not any(name in names for name in wanted) and wanted:
        check_wanted(list(names), wanted, where)
    yield chunk


def _take(
    line: str, number: int, rows: list[dict[str, str | None]], bad: list[tuple[int, str, str]]
) -> None:
    try:
        value = json.loads(
            line, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once
        )
        if not isinstance(value, dict):
            raise ValueError("not an object")
        row: dict[str, str | None] = {ROW: str(number)}
        _flatten(value, "", row)
        rows.append(row)
    except _RepeatedKeyError:
        bad.append((number, TWICE, line.rstrip("\r\n")))
    except (ValueError, RecursionError):
        bad.append((number, BAD_JSON, line.rstrip("\r\n")))


class _RepeatedKeyError(ValueError):
    """An object has a key twice, and nobody can say which value is right."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedKeyError
    return found


def _flatten(value: dict[str, Any], prefix: str, row: dict[str, str | None]) -> None:
    for name, part in value.items():
        if isinstance(part, dict):
            _flatten(part, f"{prefix}{name}.", row)
        elif isinstance(part, bool | list):
            row[prefix + name] = json.dumps(part, ensure_ascii=False)
        else:
            row[prefix + name] = part


def _as_chunk(
    rows: list[dict[str, str | None]],
    bad: list[tuple[int, str, str]],
    names: dict[str, None],
    wanted: list[str],
) -> Chunk:
    for row in rows:
        names.update(dict.fromkeys(name for name in row if name != ROW))
    columns = dict.fromkeys([*names, *wanted])
    schema = {ROW: pl.String, **dict.fromkeys(columns, pl.String)}
    table = pl.DataFrame(rows, schema=schema).with_columns(pl.col(ROW).cast(pl.Int64))
    return Chunk(table, pl.DataFrame(bad, schema=REJECTED, orient="row"))
