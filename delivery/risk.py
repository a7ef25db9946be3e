"""Who is about to leave: how many, why, and how far the risk can be trusted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl

from delivery import formats, words
from delivery.bands import BandLimits, churn_band
from delivery.pieces import Figure, Mark, Run, TextTable, pairs, spoken, total

OURS = "keepwell"
FIGURE = r"-?\d(?:[\d,.]*\d)?(?:e[+-]?\d+)?"


class Risk(NamedTuple):
    """Churn risk by band and stage, its reasons, and its test."""

    lead: tuple[str, ...]
    spread: Figure | None
    reasons: Figure | None
    trust: tuple[str, ...]
    calibration: Figure | None
    models: TextTable | None
    metrics: tuple[tuple[str, str], ...]


def risk(
    scores: pl.DataFrame,
    test: Mapping[str, Any] | None,
    *,
    bands: BandLimits,
    run: Run,
    top_rows: int,
) -> Risk:
    """Churn risk by band and stage, its reasons, and its test.

    Parameters
    ----------
    scores : table of schemas.SCORES
    test : mapping, optional
        Section ``churn`` of the evaluation; None where there was none.
    bands : BandLimits
    run : Run
    top_rows : int
        Most reasons to list.
    """
    banded = scores.with_columns(churn_band(bands)).filter(pl.col("churn_band") != "")
    rows = (test or {}).get("rows") or []
    return Risk(
        lead=_lead(scores, banded, bands=bands, run=run),
        spread=_spread(banded),
        reasons=_reasons(banded, top_rows),
        trust=_trust(scores, test),
        calibration=calibration_figure((test or {}).get("calibration") or []),
        models=_models(rows),
        metrics=_metrics(rows),
    )


def _lead(
    scores: pl.DataFrame, banded: pl.DataFrame, *, bands: BandLimits, run: Run
) -> tuple[str, ...]:
    pause = f", starting {run['gap_days']} days from the snapshot" if run["gap_days"] else ""
    meaning = (
        f"Churn risk is the probability that a customer buys nothing in the next "
        f"{run['horizon_days']} days{pause}. High means {formats.percent(bands.high, 0)} or more, "
        f"medium {formats.percent(bands.medium, 0)} or more, low is below that."
    )
    without = len(scores) - len(banded)
    rest = (
        f"{formats.plural(without, 'customer has', 'customers have')} no churn risk: without a "
        f"purchase in the {run['lookback_days']} days before, they have left already or are yet to "
        "be won."
    )
    return (meaning, rest) if without else (meaning,)


def _spread(banded: pl.DataFrame) -> Figure | None:
    if banded.is_empty():
        return None
    found = pairs(banded.group_by("reported_stage", "churn_band").len())
    grid = {
        name: [found.get((stage, band), 0) for band in words.BANDS]
        for stage, name in words.STAGES.items()
    }
    grid = {name: line for name, line in grid.items() if sum(line)}
    marks = tuple(
        Mark(_sized(name, sum(line)), number / sum(line), formats.count(number), band)
        for name, line in grid.items()
        for number, band in zip(line, words.BANDS.values(), strict=True)
    )
    title = "Share of each stage at low, medium and high risk"
    table = _spread_table(grid)
    said = [f"{row[0]}: {row[1]} low, {row[2]} medium, {row[3]} high" for row in table.rows]
    return Figure(title, f"{title}. {'; '.join(said)}.", "stacks", marks, table)


def _sized(name: str, customers: int) -> str:
    return f"{name} ({formats.count(customers)})"


def _spread_table(grid: Mapping[str, list[int]]) -> TextTable:
    sums = [sum(column) for column in zip(*grid.values(), strict=True)]
    rows = tuple(
        (name, *map(formats.count, line), formats.percent(line[2] / sum(line)))
        for name, line in {**grid, "All": sums}.items()
    )
    heads = ("Stage", *words.BANDS.values(), "Share at high risk")
    return TextTable("Customers by stage and band of churn risk", heads, rows, total=True)


def _reasons(banded: pl.DataFrame, top_rows: int) -> Figure | None:
    risky = banded.filter(pl.col("churn_band") != "low")
    if risky.is_empty():
        return None
    said = risky.select("customer_id", *(f"reason_{place}" for place in (1, 2, 3)))
    said = said.unpivot(index="customer_id", value_name="reason").filter(pl.col("reason") != "")
    # Reasons that differ only in their figures are one reason.
    kind = pl.col("reason").str.replace_all(FIGURE, "…")
    counts = (
        said.with_columns(kind=kind)
        .group_by("kind")
        .agg(pl.col("customer_id").n_unique(), pl.col("reason").unique().sort())
        .sort("customer_id", "kind", descending=[True, False])
        .head(top_rows)
    )
    return _reason_figure(counts, len(risky)) if len(counts) else None


def _reason_figure(counts: pl.DataFrame, customers: int) -> Figure:
    marks = tuple(
        Mark(_capital(_shared(texts)), n, formats.percent(n / customers, 0))
        for _, n, texts in counts.iter_rows()
    )
    title = "Most common reasons for medium and high risk"
    rows = tuple((m.row, formats.count(int(m.value)), m.text) for m in marks)
    heads = ("Reason", "Customers", "Share of them")
    table = TextTable(title, heads, rows)
    note = (
        f"Of the {formats.plural(customers, 'customer')} at medium or high risk; each has up to "
        "three reasons. A reason says what the risk goes with, not what causes it."
    )
    return Figure(title, spoken(title, marks), "long_bars", marks, table, note, limit=customers)


def _shared(texts: list[str]) -> str:
    """Texts that differ only in figures as one: a figure that varies becomes an ellipsis."""
    places = zip(*(re.split(f"({FIGURE})", text) for text in texts), strict=True)
    return "".join(same[0] if len(set(same)) == 1 else "…" for same in places)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _trust(scores: pl.DataFrame, test: Mapping[str, Any] | None) -> tuple[str, ...]:
    ruled = total(scores["score_source"].eq("rule"))
    said = []
    if ruled:
        said.append(
            f"For {formats.plural(ruled, 'customer')} the risk comes from a simple rule, not from "
            "a trained model. Read it as an order (who first), not as an exact probability."
        )
    if not test:
        return (*said, "No test of the churn model is on record for this run.")
    said.append(_verdict(test))
    if test.get("rows"):
        said.append(_setting(test))
    return (*said, *_less_exact(test.get("rows") or []))


def _less_exact(rows: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Warn where a simpler rule has the smaller calibration error."""
    errors = {row["model"]: row["ece"] for row in rows if row.get("ece") is not None}
    ours = errors.pop(OURS, None)
    if ours is None or not errors or min(errors.values()) >= ours:
        return ()
    best = min(errors, key=lambda name: errors[name])
    return (
        f"Its probabilities are less exact than those of “{words.model(best)}”: calibration error "
        f"{formats.number(ours, 3)} against {formats.number(errors[best], 3)}. Trust the order of "
        "the customers more than the percentages.",
    )


def _verdict(test: Mapping[str, Any]) -> str:
    why = words.sentence(test.get("why") or "") or "no reason is on record"
    if test.get("champion") and test.get("promoted", True):
        return f"The model in use passed its test: {why}."
    if test.get("champion"):
        return f"The model in use stays; the newest attempt, shown here, did not replace it: {why}."
    return f"No model is in use, because none passed its test: {why}."


def _setting(test: Mapping[str, Any]) -> str:
    share = formats.percent(test.get("churn_rate"))
    return (
        f"It was tested on {formats.plural(test['n'], 'customer')} as they were on "
        f"{formats.day(test['test_as_of'])}, a date after all that the model had learned from. "
        f"Of these, {share} bought nothing in the {test['horizon_days']} days that followed."
    )


def calibration_figure(points: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Predicted risk against the observed share, one line a group of customers.

    Parameters
    ----------
    points : list of mappings
        Each with ``predicted`` and ``observed`` (0-1) and ``n``; None comes of an empty list.
    """
    if not points:
        return None
    ordered = sorted(points, key=lambda point: point["predicted"])
    names = [_group(place, p["n"]) for place, p in enumerate(ordered, 1)]
    marks = tuple(
        Mark(name, p[key], formats.percent(p[key]), part)
        for name, p in zip(names, ordered, strict=True)
        for key, part in (("predicted", "Predicted"), ("observed", "What happened"))
    )
    rows = tuple(
        (str(i), formats.count(p["n"]), *map(formats.percent, (p["predicted"], p["observed"])))
        for i, p in enumerate(ordered, 1)
    )
    title = "Predicted risk against what happened"
    heads = ("Group", "Customers", "Predicted", "What happened")
    label = f"{title}. " + "; ".join(f"predicted {r[2]}, happened {r[3]}" for r in rows) + "."
    note = "Ring: predicted. Dot: what happened. Customers of the test, lowest risk first."
    return Figure(title, label, "pairs", marks, TextTable(title, heads, rows), note)


def _group(place: int, customers: int) -> str:
    return f"{place}: {formats.plural(customers, 'customer')}"


def _models(rows: list[Mapping[str, Any]]) -> TextTable | None:
    if not rows:
        return None
    shown = [metric for metric in words.METRICS if any(metric in row for row in rows)]
    lines = tuple(
        (words.model(row["model"]), *(formats.number(row.get(metric), 3) for metric in shown))
        for row in rows
    )
    heads = ("Model or rule", *(words.METRICS[metric] for metric in shown))
    return TextTable("The model and the simple rules that it has to beat", heads, lines)


def _metrics(rows: list[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    ours = next((row for row in rows if row["model"] == OURS), {})
    if ours.get("auc") is None:
        return ()
    times = round(100 * ours["auc"])
    meanings = [
        (
            "AUC",
            f"Take one customer who left and one who stayed. The model gives "
            f"the one who left the higher risk {times} times in 100. Guessing gives 50.",
        ),
        ("Log-loss", "How far the probabilities are from what happened. Lower is better."),
    ]
    if (error := ours.get("ece")) is not None:
        points = formats.number(100 * error, 1)
        meanings.append(
            (
                "Calibration error",
                f"On average, the predicted risk of a group is {points} percentage points away "
                "from the share that left. Lower is better.",
            )
        )
    return tuple(meanings)
