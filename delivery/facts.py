"""Everything that the report prints, in words and rounded, from the tables of one run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

import polars as pl

from actions.catalogue import ActionCatalogue
from delivery import formats, words
from delivery.bands import BANDS, BandLimits, churn_band
from delivery.budget import Curve, budget_section
from delivery.evidence import Evidence, evidence
from delivery.funnel import Funnel, funnel
from delivery.health import Health, Quality, health, quality
from delivery.intervals import NO_BELIEFS
from delivery.listing import Listing, listing
from delivery.pieces import Run, TextTable, total
from delivery.plan import Exits, Plan, Spend, exits, plan, spend
from delivery.provenance import DefinitionGroup, definitions, limits
from delivery.risk import Risk, risk
from delivery.rule_costs import RuleCosts, rule_costs
from delivery.standing import Movement, Standing, Types, stage_movement, standing, types
from delivery.watched import watched
from features.errors import DataError
from features.hysteresis import Flips


class Tile(NamedTuple):
    """One headline figure, what it counts and a word on it."""

    value: str
    name: str
    note: str


class Known(NamedTuple):
    """What was worked out or measured beside the decisions; None where it was not.

    Attributes
    ----------
    budget_curve : table with budget_cents, spent_cents, net_value_cents, actions
    cost_of_rules : table with rule, customers, forgone_cents
    measured : table with scope, words
    ledger : table with as_of, exported, cost_cents, promised_successes, realised_successes and
        its interval
    effects : table with action_id, stage, points and sd
        What is believed of each action; empty: what the catalogue assumes.
    monitor : mapping with as_of, status, compared_with and findings
    flips : how many change their stage and level, by the rules alone and as reported
    """

    budget_curve: pl.DataFrame | None = None
    cost_of_rules: pl.DataFrame | None = None
    measured: pl.DataFrame | None = None
    ledger: pl.DataFrame | None = None
    effects: pl.DataFrame = NO_BELIEFS
    monitor: Mapping[str, Any] | None = None
    flips: Flips | None = None


NOTHING_BESIDES = Known()


@dataclass(frozen=True)
class ReportFacts:
    """All that the report prints, one field a section."""

    company: str
    as_of: str
    seen_until: str
    headline: str
    tiles: tuple[Tile, ...]
    summary: str
    standing: Standing
    movement: Movement
    risk: Risk
    types: Types
    plan: Plan
    exits: Exits
    spend: Spend
    curve: Curve | None
    evidence: Evidence
    rules: RuleCosts | None
    listing: Listing | None
    quality: Quality
    health: Health
    watched: TextTable | None
    definitions: tuple[DefinitionGroup, ...]
    limits: tuple[str, ...]
    colophon: tuple[tuple[str, str], ...]


def report_facts(
    *,
    scores: pl.DataFrame,
    decisions: pl.DataFrame,
    movement: pl.DataFrame,
    evaluation: Mapping[str, Any],
    catalogue: ActionCatalogue,
    run: Run,
    bands: BandLimits = BANDS,
    top_rows: int = 8,
    top_customers: int = 0,
    known: Known = NOTHING_BESIDES,
) -> ReportFacts:
    """Everything that the report prints.

    Parameters
    ----------
    scores : table of schemas.SCORES, at least one row
    decisions : table of schemas.DECISIONS
        One row for everybody scored.
    movement : table with ``stage_before``, ``stage_now`` and ``customers``
        Empty on a first run.
    evaluation : mapping
        Tests of the models ``churn``, ``stage`` and ``level``; each may be missing.
    catalogue : ActionCatalogue
        The one that the decisions followed.
    run : Run
    bands : BandLimits
    top_rows : int
        Most reasons for churn risk to list.
    top_customers : int
        Most customers to list by id; 0 lists nobody.
    known : Known

    Raises
    ------
    DataError
        If there are no scores, or if customers, rows or outcomes do not add up.
    """
    if scores.is_empty():
        raise DataError("scores: no rows. Got 0. Expected at least 1. Score the date first.")
    exported = decisions.filter(pl.col("outcome") == "exported")
    flow = funnel(len(scores), decisions)
    currency = run["currency"]
    names = {action.id: action.name for action in catalogue.actions}
    moved = stage_movement(movement, scores, evaluation=evaluation, flips=known.flips, run=run)
    return ReportFacts(
        company=run["company"],
        as_of=formats.day(run["as_of"]),
        seen_until=_day_before(run["as_of"]),
        headline=_headline(run),
        tiles=_tiles(scores, exported, flow=flow, bands=bands, currency=currency),
        summary=_summary(scores, exported, flow=flow, bands=bands, run=run) + _moved(moved),
        standing=standing(scores),
        movement=moved,
        risk=risk(scores, evaluation.get("churn"), bands=bands, run=run, top_rows=top_rows),
        types=types(scores),
        plan=plan(exported, catalogue=catalogue, currency=currency, effects=known.effects),
        exits=exits(flow),
        spend=spend(exported, run),
        curve=budget_section(known.budget_curve, run),
        evidence=evidence(known.measured, known.ledger, run, names=names),
        rules=rule_costs(known.cost_of_rules, run, names=names),
        listing=listing(
            scores,
            exported,
            names=names,
            bands=bands,
            run=run,
            most=top_customers,
        ),
        quality=quality(run),
        health=health(scores, evaluation, run),
        watched=watched(known.monitor),
        definitions=definitions(run, bands),
        limits=limits(exported, scores, run),
        colophon=_colophon(decisions, run),
    )


def _moved(moved: Movement) -> str:
    return f" {moved.lead}" if moved.figure else ""


def _day(value: date | str) -> date:
    return date.fromisoformat(str(value)[:10])


def _day_before(as_of: date | str) -> str:
    return formats.day(_day(as_of) - timedelta(days=1))


def _headline(run: Run) -> str:
    before = run["previous_as_of"]
    weekly = before is None or _day(run["as_of"]) - _day(before) == timedelta(days=7)
    return "This week in short" if weekly else "In short"


def _in_band(scores: pl.DataFrame, band: str, bands: BandLimits) -> int:
    return total(scores.select(churn_band(bands))["churn_band"].eq(band))


def _tiles(
    scores: pl.DataFrame,
    exported: pl.DataFrame,
    *,
    flow: Funnel,
    bands: BandLimits,
    currency: str,
) -> tuple[Tile, ...]:
    net = total(exported["expected_net_value_cents"])
    high = _in_band(scores, "high", bands)
    share = formats.percent(flow.exported / flow.scored, 0)
    return (
        Tile(formats.count(flow.scored), "customers", "scored this time"),
        Tile(
            formats.count(high),
            "at high risk",
            f"of leaving: {formats.percent(bands.high, 0)} or more",
        ),
        Tile(formats.count(flow.exported), "actions to take", f"for {share} of customers"),
        Tile(
            formats.money(net, currency, whole=abs(net) >= 100_000),
            "expected net value",
            f"at a cost of {formats.money(total(exported['cost_cents']), currency)}",
        ),
    )


def _summary(
    scores: pl.DataFrame,
    exported: pl.DataFrame,
    *,
    flow: Funnel,
    bands: BandLimits,
    run: Run,
) -> str:
    parts = [_customers(scores), _risk_words(scores, bands), _actions(exported, flow, run=run)]
    return " ".join(filter(None, parts))


def _customers(scores: pl.DataFrame) -> str:
    stages = scores["reported_stage"]
    sizes = [
        f"{formats.count(n)} in {name.lower()}"
        for code, name in words.STAGES.items()
        if (n := total(stages.eq(code)))
    ]
    known = formats.plural(len(scores), "customer is", "customers are")
    return f"{known} known: {formats.listing(sizes)}."


def _risk_words(scores: pl.DataFrame, bands: BandLimits) -> str:
    known = len(scores) - scores["churn_risk"].null_count()
    if not known:
        return "None has bought lately enough to have a churn risk."
    high, medium = (_in_band(scores, band, bands) for band in ("high", "medium"))
    return (
        f"Of the {formats.count(known)} who bought lately enough to have a churn risk, "
        f"{formats.count(high)} ({formats.percent(high / known)}) are at high risk of leaving and "
        f"{formats.count(medium)} at medium risk."
    )


def _actions(exported: pl.DataFrame, flow: Funnel, *, run: Run) -> str:
    held = f"{formats.plural(flow.held_out, 'customer is', 'customers are')} left alone on purpose"
    rest = f" {held}, to measure what the actions change." if flow.held_out else ""
    if exported.is_empty():
        return f"No action is worth taking this time, or none is allowed.{rest}"
    net = formats.money(total(exported["expected_net_value_cents"]), run["currency"])
    cost = formats.money(run["spent_cents"], run["currency"])
    return (
        f"{formats.plural(flow.exported, 'customer gets', 'customers get')} an action, expected "
        f"to bring {net} after costs of {cost}.{rest}"
    )


def _colophon(decisions: pl.DataFrame, run: Run) -> tuple[tuple[str, str], ...]:
    def once(column: str) -> str:
        return ", ".join(decisions[column].unique().sort().to_list())

    return (
        ("Snapshot", formats.day(run["as_of"])),
        ("Run", run["run_id"]),
        ("Churn model", once("model_version")),
        ("Catalogue of actions", once("catalogue_hash")[:12]),
    )
