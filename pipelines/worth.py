"""The value model of a project: fitted on its past cutoffs, judged at its test."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from features.params import ChurnParams
from models.evaluation import Judged
from models.lifetime_value import SavedValue, forecasts
from models.params import GateParams, ValueParams
from models.preprocessing import informative, matrix
from models.subgroups import of_money
from models.value_backtest import Cutoff, Window, fit_value
from models.value_judge import judge_value


def fit(
    rows: pl.DataFrame, latest: pl.DataFrame, columns: list[str], churn: ChurnParams,
    params: ValueParams, seed: int,
) -> SavedValue | None:  # fmt: skip
    """Fit on labelled rows of the training cutoffs; None where there is nothing to learn.

    That is where too few ordered before the cutoffs after which anybody paid, or where nothing
    tells them apart.

    Parameters
    ----------
    rows : features joined to labels, of all training cutoffs
    latest : features of the day of judging
        Only histories are read from it.
    """
    parts = buyers(rows).partition_by("as_of")
    cutoffs = [c for c in map(cutoff_of, parts) if c.cents.sum() > 0]
    if sum(c.rows.height for c in cutoffs) < params.min_customers or not buyers(latest).height:
        return None
    own = informative(matrix(pl.concat([c.rows for c in cutoffs]), columns))
    if not own:
        return None
    window = Window(churn.gap_days, churn.horizon_days)
    return SavedValue().of(fit_value(cutoffs, buyers(latest), own, window, params, seed))


def cutoff_of(rows: pl.DataFrame) -> Cutoff:
    """One date's labelled rows as the fit reads them."""
    as_of: date = rows["as_of"][0]
    return Cutoff(as_of, rows, rows["value_days_next"].to_numpy(), money_of(rows))


def money_of(rows: pl.DataFrame) -> np.ndarray:
    """What came in the label window, at least 0 [cents]."""
    return rows["value_next_cents"].clip(0).to_numpy().astype(float)


def buyers(rows: pl.DataFrame) -> pl.DataFrame:
    """Customers with at least one order."""
    return rows.filter(pl.col("value_days").fill_null(0) > 0)


def judged(
    model: SavedValue, rival: SavedValue | None, test: pl.DataFrame, params: GateParams, seed: int
) -> tuple[Judged, Any, dict[str, Any]]:
    """The verdict on the test's buyers, an example of what the model reads, and facts."""
    rows = buyers(test)
    fitted, cents = model.model, money_of(rows)
    ours = forecast_of(model, rows)
    champion = None if rival is None else forecast_of(rival, rows).cents
    others = {"past_rate": past_rate(rows, fitted.days)}
    verdict = judge_value(cents, ours, others, champion, params, seed)
    facts = {
        "population": "customers with at least one value event before",
        "n": rows.height,
        "trust": {"orders": fitted.trust[0]._asdict(), "money": fitted.trust[1]._asdict()},
        "season": bool(fitted.seasons),
        "card": of_money(cents, ours.cents, rows, seed),
    }
    return verdict, matrix(rows, list(model.feature_names_in_)), facts


def forecast_of(model: SavedValue, rows: pl.DataFrame) -> Any:
    """What a model expects of the label window."""
    fitted = model.model
    return forecasts(fitted, rows, rows["as_of"][0], [fitted.days])[0]


def past_rate(rows: pl.DataFrame, days: int) -> np.ndarray:
    """The dull rule: the money of the past year goes on coming at the same rate."""
    seen = pl.min_horizontal("days_since_first_value", pl.lit(365)).clip(30)
    rate = pl.col("value_cents_365d").clip(0) / seen * days
    return rows.select(rate.cast(pl.Float64)).to_series().to_numpy()
