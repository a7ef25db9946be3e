"""Snapshot -> scores: what the champions, or the rules in their place, say of each customer."""

from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from features.feature import Feature
from features.hysteresis import CLASSES, with_reported
from features.params import ChurnParams
from features.schemas import ENGAGEMENT_TYPES, SCORES
from models.baselines import look_up
from models.everybody import Everybody, everybody, in_population
from models.preprocessing import matrix
from models.rates import risk_by_rule
from models.reasons import DECIMALS, REASONS, in_points, reasons
from models.standing import probabilities, with_current
from models.worth import Terms, with_worth

RULE, STAYS = "rule", "transition_table"


class Champion(NamedTuple):
    """A fitted model and its name for the files."""

    model: Any
    name: str


class Champions(NamedTuple):
    """The champions; None where there is none."""

    churn: Champion | None = None
    stage: Champion | None = None
    level: Champion | None = None
    value: Champion | None = None


def score(
    now: pl.DataFrame,
    before: pl.DataFrame,
    champions: Champions,
    definitions: list[Feature],
    churn: ChurnParams,
    margin_rate: float,
) -> pl.DataFrame:
    """Score everybody in the snapshot.

    Parameters
    ----------
    now : features with standing at the as-of date, shape (n_customers, .)
    before : features with standing one label window earlier, joined to their labels
        Gives the observed rates and moves where there is no model, and the stage and level that a
        demotion is held against.
    champions : Champions
    definitions : list of Feature
        What reasons may speak of. Where there is none, no reasons are looked for, which saves most
        of the time.
    churn : ChurnParams
    margin_rate : float
        Share of money that is margin.

    Returns
    -------
    table of schemas.SCORES, shape (n_customers, .)
        Probabilities are rounded to 6 decimals before anything is ranked by them.
    """
    lazily, earlier = (nw.from_native(rows.lazy()) for rows in (now, before))
    whole = everybody(lazily, earlier, spoken(champions, definitions), churn)
    known, past = (nw.from_native(rows, eager_only=True) for rows in (now, before))
    reported = with_reported(known, past).to_native()
    return score_part(reported, whole, champions, definitions, churn, margin_rate)


def spoken(champions: Champions, definitions: list[Feature]) -> list[Feature]:
    """Features that may be given as reasons for what the churn champion says."""
    if champions.churn is None:
        return []
    read = set(champions.churn.model.feature_names_in_)
    return [d for d in definitions if d.actionable and d.name in read]


def score_part(
    now: pl.DataFrame,
    whole: Everybody,
    champions: Champions,
    definitions: list[Feature],
    churn: ChurnParams,
    margin_rate: float,
) -> pl.DataFrame:
    """Score some customers of a snapshot, given what was aggregated over all: see `score`.

    `now` has its reported stage and level as well (features.hysteresis.with_reported).
    """
    population = in_population(churn).alias("in_population")
    rows = nw.from_native(now, eager_only=True).with_columns(population).to_native()
    rows = rows.with_columns(**_churn(now, champions.churn))
    rows = _with_value(rows, whole, champions.value, Terms(churn.horizon_days, margin_rate))
    for kind, champion in (("stage", champions.stage), ("level", champions.level)):
        rows = rows.with_columns(_standing(now, whole.moves[kind], kind, champion))
    rows = _with_reasons(rows, champions.churn, definitions, whole.medians)
    rows = rows.with_columns(score_source=_source(champions.churn))
    types = [pl.col(f"{t}_score").cast(pl.Float64) for t in ENGAGEMENT_TYPES]
    return rows.with_columns(types).select(SCORES.names).sort("customer_id")


def _churn(now: pl.DataFrame, champion: Champion | None) -> dict[str, pl.Expr | pl.Series]:
    if champion is None:
        unknown = pl.lit(None, pl.Float64)
        risk = risk_by_rule().round(DECIMALS)
        return {"churn_risk": risk, "p_alive": unknown, "churn_model": pl.lit(RULE)}
    x = matrix(now, list(champion.model.feature_names_in_))
    risk, alive = champion.model.predict_proba(x)[:, 1], champion.model.p_alive(x)
    return {
        "churn_risk": pl.Series(risk.round(DECIMALS)),
        "p_alive": pl.when(pl.col("value_events") > 0).then(pl.Series(alive.round(DECIMALS))),
        "churn_model": pl.lit(champion.name),
    }


def _source(champion: Champion | None) -> pl.Expr:
    known = pl.lit(RULE if champion is None else "model")
    return pl.when("in_population").then(known).otherwise(pl.lit("none"))


def _with_value(
    rows: pl.DataFrame, whole: Everybody, champion: Champion | None, terms: Terms
) -> pl.DataFrame:
    """Churn risk only where it is defined; elsewhere the observed rate of the stage."""
    joined = rows.join(
        whole.rates, on=["stage", "in_population"], how="left", maintain_order="left"
    ).with_columns(pl.col("rate").fill_null(whole.rate))
    defined = pl.when("in_population")
    known = joined.with_columns(
        churn_risk=defined.then("churn_risk"),
        p_value=defined.then(1 - pl.col("churn_risk")).otherwise("rate").round(DECIMALS),
        value_model=pl.lit(RULE if champion is None else champion.name),
    )
    model = None if champion is None else champion.model.model
    return with_worth(known, whole.order_cents, model, terms)


def _standing(
    now: pl.DataFrame, moves: np.ndarray, name: str, champion: Champion | None
) -> list[pl.Series | pl.Expr]:
    classes = CLASSES[name]
    current = now[name].to_numpy().astype(str)
    if champion is None:
        p = look_up(moves, current, classes)
    else:
        own = [c for c in champion.model.feature_names_in_ if c in now.columns]
        x = with_current(matrix(now, own), current, classes)
        p = probabilities(champion.model, x, classes)
    p = p.round(DECIMALS)
    following = _most_probable(p, current, classes)
    model = STAYS if champion is None else champion.name
    return [
        *(pl.Series(f"p_{name}_{c}", p[:, k]) for k, c in enumerate(classes)),
        pl.Series(f"{name}_next", following, dtype=pl.String),
        pl.lit(model).alias(f"{name}_model"),
    ]


def _most_probable(p: np.ndarray, current: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """The likeliest class; the current one where none is likelier."""
    own = look_up(np.eye(len(classes)), current, classes) > 0
    stays = p[own] == p.max(axis=1)
    return np.where(stays, current, np.array(classes)[p.argmax(axis=1)])


def _with_reasons(
    rows: pl.DataFrame,
    champion: Champion | None,
    definitions: list[Feature],
    medians: dict[str, float | None],
) -> pl.DataFrame:
    names = [f"reason_{k + 1}" for k in range(REASONS)]
    parts = [*(f"{name}_effect" for name in names), "risk_start", "risk_rest"]
    if champion is None or not definitions:
        first = _late() if champion is None else pl.lit(None, pl.String)
        nothing = [pl.lit(None, pl.String).alias(name) for name in names[1:]]
        unknown = [pl.lit(None, pl.Float64).alias(name) for name in parts]
        worded = rows.with_columns(first.alias(names[0]), *nothing, *unknown)
    else:
        x = matrix(rows, list(champion.model.feature_names_in_))
        columns, shares = list(x.columns), champion.model.attributions(x)
        said = reasons(columns, shares, rows, definitions, medians)
        risk = rows["churn_risk"].fill_null(float("nan")).to_numpy()
        worded = rows.hstack(in_points(said, shares, risk))
    return worded.with_columns(pl.when("in_population").then(n).alias(n) for n in [*names, *parts])


def _late() -> pl.Expr:
    silence = pl.format("silent for {} times the usual pause", pl.col("recency_ratio").round(1))
    return pl.when(pl.col("recency_ratio") >= 1.5).then(silence)
