"""What the last actions really changed: promised against realised, with intervals."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from delivery import formats, words
from delivery.pieces import Figure, Mark, Run, TextTable

CHARTED = 8


class Evidence(NamedTuple):
    """Results of past actions against the holdout, and promises against what came of them."""

    lead: str
    sentences: tuple[str, ...]
    figure: Figure | None
    ledger: TextTable | None


def evidence(
    measured: pl.DataFrame | None,
    ledger: pl.DataFrame | None,
    run: Run,
    *,
    names: Mapping[str, str],
) -> Evidence:
    """What past actions changed, or when it can first be said.

    Parameters
    ----------
    measured : table with scope, action_id, verdict and words
    ledger : table with as_of, exported, promised_successes, realised_successes and its interval
    run : Run
    names : mapping
        Action's id -> its name.
    """
    if measured is None or ledger is None or ledger.is_empty():
        return Evidence(_nothing_yet(run), (), None, None)
    one = ledger.height == 1
    lead = (
        f"{formats.plural(ledger.height, 'past run')} can be judged: "
        f"{'its window is' if one else 'their windows are'} complete. Everybody who was to get an "
        "action is compared with those held out, whether or not it was sent."
    )
    rows = ledger.sort("as_of").to_dicts()
    table = _ledger(rows, run)
    return Evidence(lead, _sentences(measured, names), _figure(rows, table), table)


def _sentences(measured: pl.DataFrame, names: Mapping[str, str]) -> tuple[str, ...]:
    """The whole first, then each action that can be judged, then how many cannot be yet."""
    said = measured.filter(pl.col("scope").is_in(["overall", "action"]))
    few = said.filter(pl.col("scope") == "action", pl.col("verdict") == "too_few").height
    told = said.filter((pl.col("scope") == "overall") | (pl.col("verdict") != "too_few"))
    lines = [
        text.replace(f"{code}:", f"{names.get(code, words.plain(code))}:", 1).replace(" %", "%")
        for code, text in told.select("action_id", "words").iter_rows()
    ]
    if few:
        lines.append(
            f"{formats.plural(few, 'action')} cannot be judged yet: too few customers got an "
            "action, or would have got it and were held out."
        )
    return tuple(lines)


def _nothing_yet(run: Run) -> str:
    if run["holdout_share"] == 0:
        return (
            "Nobody is held out, so what the actions change cannot be measured. Set "
            "recommend.holdout_share above 0 to learn it."
        )
    return (
        "Nothing can be judged yet. What an action changes shows when its window of "
        f"{run['horizon_days']} days is over: runs from {formats.day(run['judged_on'])} on compare "
        "everybody who was to get an action with those held out, and say it here."
    )


def _figure(rows: list[dict[str, Any]], table: TextTable) -> Figure | None:
    """Realised further buyers with their interval, and the promise, one line a run."""
    known = [row for row in rows if row["realised_low"] is not None][-CHARTED:]
    ends = {"low": "realised_low", "value": "realised_successes", "high": "realised_high",
            "promised": "promised_successes"}  # fmt: skip
    marks = tuple(
        Mark(formats.day(row["as_of"]), row[column], _one(row[column]), part)
        for row in known
        for part, column in ends.items()
    )
    if not marks:
        return None
    title = "Further customers who bought, by run"
    said = "; ".join(
        f"{formats.day(row['as_of'])}: promised {_one(row['promised_successes'])}, realised "
        f"{_one(row['realised_successes'])}, {_span(row)}"
        for row in known
    )
    note = "Diamond: promised. Dot and line: realised, with its 95% interval. Grey line: none."
    return Figure(title, f"{title}. {said}.", "promises", marks, table, note)


def _ledger(rows: list[dict[str, Any]], run: Run) -> TextTable:
    heads = (
        "Run", "Actions", "Cost", "Promised: further buyers", "Realised", "95% interval",
        "Further money",
    )  # fmt: skip
    return TextTable("Promised and realised", heads, tuple(_promise(row, run) for row in rows))


def _promise(row: dict[str, Any], run: Run) -> tuple[str, ...]:
    as_of: date = row["as_of"]
    gained = row.get("realised_value_cents")
    return (
        formats.day(as_of),
        formats.count(row["exported"]),
        formats.money(row["cost_cents"], run["currency"]),
        _one(row["promised_successes"]),
        _one(row["realised_successes"]),
        _span(row),
        formats.DASH if gained is None else formats.money(round(gained), run["currency"]),
    )


def _span(row: dict[str, Any]) -> str:
    if row["realised_low"] is None:
        return formats.DASH
    return f"{_one(row['realised_low'])} to {_one(row['realised_high'])}"


def _one(value: float | None) -> str:
    return formats.number(value, 1)
