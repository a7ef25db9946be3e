"""Step: the snapshot of now and the champions -> one row of scores a customer."""

from pathlib import Path

import narwhals as nw
import polars as pl

from features.definitions import Definitions, all_features
from features.errors import DataError
from features.labels import label_table
from features.params import ChurnParams
from features.schemas import SCORES
from features.standing import StandingRules, with_because
from features.time import visible
from models.scoring import Champion, score
from pipelines import tracking
from pipelines.champions import load_champions
from pipelines.features import read_cutoffs, read_daily, read_snapshot
from pipelines.tables import polars_schema, write


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
    now_day = read_cutoffs(features).now
    placed = nw.from_native(read_snapshot(features, now_day), eager_only=True)
    now = with_because(placed, standing).to_native()
    before = _before(features, daily, churn)
    models = load_champions(champions, tracking_params, root, now_day)
    for champion in models:
        check_features(champion, now.columns)
    scores = score(now, before, models, all_features(definitions), churn, margin_rate)
    scores = scores.cast(polars_schema(SCORES))
    write(scores, out, SCORES)
    return scores


def _before(features: Path, daily: Path, churn: ChurnParams) -> pl.DataFrame:
    """The snapshot of the latest complete label window, with what happened in it."""
    cutoffs = read_cutoffs(features)
    dates = (cutoffs.before, cutoffs.before + churn.reach)
    earlier, later = (read_snapshot(features, day) for day in dates)
    days = visible(nw.from_native(read_daily(daily)), cutoffs.now)
    labels = label_table(
        nw.from_native(earlier), nw.from_native(later), days, cutoffs.before, churn
    )
    return earlier.join(labels.to_native(), on=["customer_id", "as_of"], maintain_order="left")


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
