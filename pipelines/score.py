"""Step: the snapshot of now and the champions -> one row of scores a customer."""

import json
from pathlib import Path

import narwhals as nw
import polars as pl

from features.definitions import all_features
from features.errors import DataError
from features.labels import label_table
from features.params import ChurnParams, FeatureParams
from features.schemas import SCORES
from features.time import visible
from models.scoring import Champion, Champions, score
from pipelines import tracking
from pipelines.features import read_cutoffs, read_daily, read_snapshot
from pipelines.tables import polars_schema, present, write


def build_scores(
    features: Path, daily: Path, champions: Path, out: Path, *, params: FeatureParams,
    churn: ChurnParams, tracking_params: tracking.TrackingParams, root: Path,
) -> pl.DataFrame:  # fmt: skip
    """Score everybody as of now with the champions that were resolved once, before.

    Raises
    ------
    DataError
        If a champion reads a feature that the snapshot does not have.
    """
    now_day = read_cutoffs(features).now
    now = read_snapshot(features, now_day)
    before = _before(features, daily, now, churn)
    models = load_champions(champions, tracking_params, root)
    for champion in models:
        _check_features(champion, now)
    scores = score(now, before, models, all_features(params), churn).cast(polars_schema(SCORES))
    write(scores, out, SCORES)
    return scores


def load_champions(path: Path, params: tracking.TrackingParams, root: Path) -> Champions:
    """The champions named in a file that `evaluate` wrote, each checked before it is loaded."""
    named = json.loads(present(path, "champions").read_text())
    if not any(named.values()):
        return Champions(None, None, None)
    mlflow = tracking.open_store(params, root)
    loaded = {}
    for kind, fields in named.items():
        version = tracking.Registered(**fields) if fields else None
        loaded[kind] = version and Champion(tracking.load(mlflow, version), version.spoken)
    return Champions(**loaded)


def _before(features: Path, daily: Path, now: pl.DataFrame, churn: ChurnParams) -> pl.DataFrame:
    """The snapshot one label window earlier, with what has happened since."""
    today = read_cutoffs(features).now
    day = today - churn.reach
    earlier = read_snapshot(features, day)
    days = visible(nw.from_native(read_daily(daily)), today)
    labels = label_table(nw.from_native(earlier), nw.from_native(now), days, day, churn)
    return earlier.join(labels.to_native(), on=["customer_id", "as_of"], maintain_order="left")


def _check_features(champion: Champion | None, now: pl.DataFrame) -> None:
    if champion is None:
        return
    missing = [
        name
        for name in champion.model.feature_names_in_
        if name not in now.columns and name != "current_code"
    ]
    if missing:
        raise DataError(
            f"champion {champion.name}: reads features that params.yaml no longer makes. "
            f"Got {len(missing)} missing, for example {missing[:3]}. Train again: `keepwell train`."
        )
