"""Where customers stand: by stage, level and activity, what moved, and how they engage."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from delivery import formats, words
from delivery.pieces import Figure, Mark, Run, TextTable, counted, pairs, spoken, total
from features.hysteresis import Flips


class Standing(NamedTuple):
    """Customers by stage, level and activity, and stage by level."""

    lead: str
    figures: tuple[Figure, ...]
    table: TextTable


class Movement(NamedTuple):
    """Moves between stages since the last snapshot, and those expected next."""

    lead: str
    figure: Figure | None
    expected: TextTable
    forecasts: tuple[str, ...]
    steadied: str | None


class Types(NamedTuple):
    """Mean score of each engagement type, by stage."""

    figures: tuple[Figure, ...]


def standing(scores: pl.DataFrame) -> Standing:
    """Count customers by stage, level and activity.

    Parameters
    ----------
    scores : table of schemas.SCORES
    """
    figures = (
        _count_bars(
            scores["reported_stage"], words.STAGES, title="Customers by stage", head="Stage"
        ),
        _count_bars(
            scores["reported_level"], words.LEVELS, title="Customers by level", head="Level"
        ),
        _count_bars(
            scores["activity"], words.ACTIVITIES, title="Customers by activity", head="Activity"
        ),
    )
    largest = max(figures[0].marks, key=lambda mark: mark.value)
    share = formats.percent(largest.value / max(len(scores), 1), 0)
    lead = f"{largest.row} is the largest stage, with {largest.text} ({share} of all customers)."
    return Standing(lead, figures, _stage_by_level(scores))


def _count_bars(values: pl.Series, names: Mapping[str, str], *, title: str, head: str) -> Figure:
    counts = {name: total(values.eq(code)) for code, name in names.items()}
    marks = tuple(Mark(name, number, formats.count(number)) for name, number in counts.items())
    return Figure(title, spoken(title, marks), "bars", marks, counted(title, head, marks))


def _stage_by_level(scores: pl.DataFrame) -> TextTable:
    found = pairs(scores.group_by("reported_stage", "reported_level").len())
    grid = [[found.get((stage, level), 0) for level in words.LEVELS] for stage in words.STAGES]
    caption = "Customers by stage (down) and level (across)"
    return matrix(caption, tuple(words.STAGES.values()), tuple(words.LEVELS.values()), grid)


def matrix(
    caption: str, rows: tuple[str, ...], columns: tuple[str, ...], grid: list[list[int]]
) -> TextTable:
    """Table of counts with totals, darker where there are more."""
    largest = max((number for line in grid for number in line), default=0) or 1
    lines = [
        (name, *map(formats.count, line), formats.count(sum(line)))
        for name, line in zip(rows, grid, strict=True)
    ]
    sums = [sum(column) for column in zip(*grid, strict=True)]
    lines.append(("All", *map(formats.count, sums), formats.count(sum(sums))))
    shades = tuple((0.0, *(number / largest for number in line), 0.0) for line in grid)
    heads = ("Stage", *columns, "All")
    return TextTable(caption, heads, tuple(lines), shades=shades, total=True)


def stage_movement(
    moves: pl.DataFrame, scores: pl.DataFrame, *, evaluation: Mapping[str, Any],
    flips: Flips | None, run: Run,
) -> Movement:  # fmt: skip
    """Count the moves between stages since the last snapshot.

    Parameters
    ----------
    moves : table with ``stage_before``, ``stage_now`` and ``customers``
        Empty on a first run.
    scores : table of schemas.SCORES
    evaluation : mapping
        Sections ``stage`` and ``level`` are read where present.
    flips : Flips or None
        What the pause before a demotion saved; None where the history is too short to know.
    run : Run
    """
    known = moves.drop_nulls(["stage_before", "stage_now"])
    before = run["previous_as_of"]
    forecasts = tuple(_forecast(evaluation.get(axis), axis) for axis in ("stage", "level"))
    expected = _expected(scores, run["horizon_days"])
    if known.is_empty() or before is None:
        lead = "This is the first snapshot, so there is nothing to compare it with yet."
        return Movement(lead, None, expected, forecasts, _steadied(flips))
    figure = _moves_figure(known, formats.day(before))
    since = "the last run, of " if run["published_before"] else ""
    lead = _moves_lead(moves, f"{since}{formats.day(before)}")
    return Movement(lead, figure, expected, forecasts, _steadied(flips))


def _steadied(flips: Flips | None) -> str | None:
    """How many change their stage and level, by the rules alone and as reported."""
    if flips is None or not flips.customers:
        return None
    alone, told = (
        " and ".join(f"the {kind} of {formats.percent(share)}" for kind, share in rates.items())
        for rates in (flips.by_rules, flips.reported)
    )
    return (
        f"In the last {formats.plural(flips.days, 'day')}, the rules alone would have changed "
        f"{alone} of {formats.plural(flips.customers, 'customer')}; what is reported changed "
        f"{told}. An earlier stage or level is reported once two snapshots in a row say so, a "
        "later one at once."
    )


def _moves_lead(moves: pl.DataFrame, before: str) -> str:
    order = {stage: place for place, stage in enumerate(words.STAGES)}
    step = {"up": 0, "down": 0, "stayed": 0, "joined": 0}
    for stage_before, stage_now, customers in moves.iter_rows():
        if stage_before is None:
            step["joined"] += customers
        elif stage_now is not None:
            change = order[stage_now] - order[stage_before]
            step["up" if change > 0 else "down" if change < 0 else "stayed"] += customers
    joined = f" {formats.plural(step['joined'], 'customer is', 'customers are')} new to the list."
    moved = step["up"] + step["down"]
    rate = formats.percent(moved / max(moved + step["stayed"], 1))
    return (
        f"Since {before}, {formats.plural(step['up'], 'customer')} moved to a later stage and "
        f"{formats.count(step['down'])} to an earlier one; {formats.count(step['stayed'])} stayed. "
        f"So {rate} of those known both times changed their stage."
        f"{joined if step['joined'] else ''}"
    )


def _moves_figure(moves: pl.DataFrame, before: str) -> Figure:
    found = pairs(moves.group_by("stage_before", "stage_now").agg(pl.col("customers").sum()))
    marks = tuple(
        Mark(row, found.get((b, n), 0), formats.count(found.get((b, n), 0)), part)
        for b, row in words.STAGES.items()
        for n, part in words.STAGES.items()
    )
    grid = [[found.get((b, n), 0) for n in words.STAGES] for b in words.STAGES]
    names = tuple(words.STAGES.values())
    title = f"Moves between stages since {before}"
    moved = [m for m in marks if m.row != m.part and m.value]
    label = f"{title}. " + "; ".join(f"{m.row} to {m.part}: {m.text}" for m in moved) + "."
    note = "Pale bands stayed where they were. In the table: stage then down, stage now across."
    return Figure(title, label, "flow", marks, matrix(title, names, names, grid), note=note)


def _expected(scores: pl.DataFrame, horizon_days: int) -> TextTable:
    now = {stage: total(scores["reported_stage"].eq(stage)) for stage in words.STAGES}
    later = {s: round(float(scores.select(_reported_later(s)).item())) for s in words.STAGES}
    rows = tuple(
        (name, formats.count(now[s]), formats.count(later[s]), _signed(later[s] - now[s]))
        for s, name in words.STAGES.items()
    )
    later_head = f"Expected in {horizon_days} days"
    caption = f"Customers by stage, now and expected in {horizon_days} days"
    return TextTable(caption, ("Stage", "Now", later_head, "Change"), rows)


def _reported_later(stage: str) -> pl.Expr:
    """How many are expected to be reported in a stage: never in an earlier one than today's rules.

    One horizon on, today's snapshot is the earlier of the two that are compared.
    """
    order = list(words.STAGES)
    place = order.index(stage)
    upto = pl.sum_horizontal(f"p_stage_{s}" for s in order[: place + 1])
    from_below = pl.when(pl.col("stage").is_in(order[:place])).then(f"p_stage_{stage}")
    return from_below.when(pl.col("stage") == stage).then(upto).otherwise(0).sum()


def _signed(change: int) -> str:
    return f"+{formats.count(change)}" if change > 0 else formats.count(change)


def _forecast(test: Mapping[str, Any] | None, axis: str) -> str:
    if not test:
        return f"The forecast of the next {axis} has not been tested yet."
    why = words.sentence(test.get("why") or "") or "no reason is on record"
    if test.get("champion") and test.get("promoted", True):
        return f"The next {axis} comes from a model that passed its test: {why}."
    if test.get("champion"):
        return f"The next {axis} comes from the model in use; a newer one did not pass: {why}."
    return (
        f"No model forecasts the next {axis}, because none passed its test ({why}). "
        f"Until one does, customers are expected to change their {axis} as often as others did "
        "in the last window."
    )


def types(scores: pl.DataFrame) -> Types:
    """Mean score (0-100) of the four engagement types, by stage."""
    return Types(tuple(_type_bars(scores, code) for code in words.ENGAGEMENT_TYPES))


def _type_bars(scores: pl.DataFrame, code: str) -> Figure:
    title, meaning = words.ENGAGEMENT_TYPES[code]
    means = {stage: _mean(scores, f"{code}_score", stage) for stage in words.STAGES}
    marks = tuple(
        Mark(name, means[stage] or 0.0, formats.number(means[stage], 1))
        for stage, name in words.STAGES.items()
    )
    caption = f"{title} engagement, mean score by stage"
    rows = tuple((mark.row, mark.text) for mark in marks)
    table = TextTable(caption, ("Stage", "Mean score (0-100)"), rows)
    return Figure(title, spoken(caption, marks), "bars", marks, table, note=meaning, limit=100)


def _mean(scores: pl.DataFrame, column: str, stage: str) -> float | None:
    """Mean as printed: the order in which threads add up must not show in the picture."""
    mean = scores.filter(pl.col("reported_stage") == stage).select(pl.col(column).mean()).item()
    return None if mean is None else round(mean, 1)
