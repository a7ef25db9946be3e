"""Command: what another budget, catalogue or parameter would plan today; nothing is sent."""

from typing import Any

import polars as pl

from actions.arms import RANDOM
from actions.catalogue import ActionCatalogue
from actions.decisions import Provenance, decide
from delivery.formats import count, money
from features.schemas import DECISIONS, EFFECTS
from pipelines.config import Params
from pipelines.measure import read_learned
from pipelines.project import Paths, Project
from pipelines.recommend import contact_record, plan_figures, with_features
from pipelines.tables import read

TRIAL = Provenance("what-if", "", "", "what-if")


def what_if(
    project: Project, paths: Paths, params: Params, catalogue: ActionCatalogue
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Plan again from the same scores; returns the plan's figures and the decisions, unsaved."""
    customers = with_features(paths.scores, paths.features, catalogue)
    as_of = customers["as_of"][0]
    decided = decide(
        customers,
        contact_record(paths.tables, project.outbox, catalogue, as_of),
        catalogue, read(paths.effects, EFFECTS), params.recommend, as_of=as_of,
        horizon_days=params.churn.horizon_days, provenance=TRIAL,
        learned=read_learned(paths.measurement),
    )  # fmt: skip
    return plan_figures(decided), decided.table


def spoken(project: Project, paths: Paths, figures: dict[str, Any], trial: pl.DataFrame) -> str:
    """The trial beside the plan of today."""
    currency = project.catalogue.sources.business.currency
    today = read(paths.decisions, DECISIONS)
    plans = today, trial
    rows: list[tuple[str, list[str]]] = [("", ["today", "what if"])]
    explored = pl.col("arm") == RANDOM
    for title, column, own in (
        ("spent", "cost_cents", ~explored),
        ("net value", "expected_net_value_cents", ~explored),
        ("spent to learn, at random", "cost_cents", explored),
        ("net value of that", "expected_net_value_cents", explored),
    ):
        rows.append((title, [money(int(p.filter(own)[column].sum()), currency) for p in plans]))
    rows.append(("actions", [count(plan["action_id"].count()) for plan in plans]))
    names = {*today["action_id"].drop_nulls(), *trial["action_id"].drop_nulls()}
    for name in sorted(names):
        used = [plan.filter(pl.col("action_id") == name).height for plan in plans]
        rows.append((f"  {name}", [count(n) for n in used]))
    table = "\n".join(f"{title:<32}{old:>16}{new:>16}" for title, (old, new) in rows)
    price = figures["shadow_prices"]["budget"]
    return f"{table}\nOne more cent of budget would bring {price:.2f} cents. {figures['power']}"
