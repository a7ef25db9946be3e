"""Step: the snapshot of now and the champions -> one row of scores a customer."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import narwhals as nw
import polars as pl

from features.definitions import Definitions, all_features
from features.errors import DataError
from features.feature import Feature
from features.hysteresis import CLASSES, with_reported
from features.labels import label_table
from features.params import ChurnParams, Cutoffs
from features.schemas import SCORES
from features.standing import StandingRules, with_because
from features.time import visible
from models.everybody import Everybody, everybody
from models.scoring import Champion, Champions, score_part, spoken
from pipelines import tracking
from pipelines.champions import load_champions
from pipelines.features import read_cutoffs, read_daily, scan_snapshot, snapshot_parts
from pipelines.progress import followed
from pipelines.tables import polars_schema, write

PART_ROWS = 50_000  # customers that are scored together, so that memory stays bounded


class Rules(NamedTuple):
    """What scores follow beside the champions."""

    definitions: list[Feature]
    standing: StandingRules
    churn: ChurnParams
    margin_rate: float


def build_scores(
    features: Path, daily: Path, champions: Path, out: Path, *, definitions: Definitions,
    standing: StandingRules, churn: ChurnParams, margin_rate: float,
    tracking_params: tracking.TrackingParams, root: Path,
) -> pl.DataFrame:  # fmt: skip
    """Score everybody as of now with the champions that were resolved once, before.

    Raises
    ------
    DataError
        If a champion reads a feature that the snapshot does not have.
    """
    models = load_champions(champions, tracking_params, root, read_cutoffs(features).now)
    rules = Rules(all_features(definitions), standing, churn, margin_rate)
    scores = scored(features, daily, models, rules)
    write(scores, out, SCORES)
    return scores


def scored(features: Path, daily: Path, models: Champions, rules: Rules) -> pl.DataFrame:
    """Scores of everybody as of now, made part by part and sorted by customer."""
    cutoffs = read_cutoffs(features)
    now = scan_snapshot(features, cutoffs.now)
    for champion in models:
        check_features(champion, now.collect_schema().names())
    dates = earlier_dates(cutoffs, rules.churn)
    earlier, later = (nw.from_native(scan_snapshot(features, day)) for day in dates)
    days = nw.from_native(read_daily(daily))
    before = happened(earlier, later, days, cutoffs, rules.churn)
    said = spoken(models, rules.definitions)
    whole = everybody(nw.from_native(now), before, said, rules.churn)
    standings = earlier.select("customer_id", *CLASSES).collect("polars")
    parts = [
        _scored_part(part, standings, whole, models, rules)
        for _, bucket in followed(snapshot_parts(features, cutoffs.now), "scores")
        for part in bucket.collect().iter_slices(PART_ROWS)
    ]
    return pl.concat(parts).sort("customer_id")


def _scored_part(
    part: pl.DataFrame, before: nw.DataFrame, whole: Everybody, models: Champions, rules: Rules
) -> pl.DataFrame:
    placed = with_because(nw.from_native(part, eager_only=True), rules.standing)
    told = with_reported(placed, before).to_native()
    made = score_part(told, whole, models, rules.definitions, rules.churn, rules.margin_rate)
    return made.cast(polars_schema(SCORES))


def earlier_dates(cutoffs: Cutoffs, churn: ChurnParams) -> tuple[date, date]:
    """The latest complete label window: its as-of date, and its end."""
    return cutoffs.before, cutoffs.before + churn.reach


def happened(
    earlier: nw.LazyFrame, later: nw.LazyFrame, daily: nw.LazyFrame, cutoffs: Cutoffs,
    churn: ChurnParams,
) -> nw.LazyFrame:  # fmt: skip
    """The snapshot of the latest complete label window, with what happened in it."""
    labels = label_table(earlier, later, visible(daily, cutoffs.now), cutoffs.before, churn)
    return earlier.join(labels, on=["customer_id", "as_of"], how="inner")


def check_features(champion: Champion | None, columns: list[str]) -> None:
    """Refuse a champion that reads a feature which is not among the columns."""
    if champion is None:
        return
    missing = [
        name
        for name in champion.model.feature_names_in_
        if name not in columns and name != "current_code"
    ]
    if missing:
        raise DataError(
            f"champion {champion.name}: reads features that params.yaml no longer makes. "
            f"Got {len(missing)} missing, for example {missing[:3]}. Train again: `keepwell train`."
        )
