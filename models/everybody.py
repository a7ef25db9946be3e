"""What the scores of one customer owe to everybody else, as a few small tables.

They are made by aggregation alone, so that customers can then be scored in parts.
"""

from typing import NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from features.feature import Feature
from features.hysteresis import CLASSES
from features.params import ChurnParams
from models.baselines import transition_table
from models.rates import value_rates

HAPPENED = ("stage", "level", "in_population", "churned", "stage_next", "level_next")


class Everybody(NamedTuple):
    """Figures over all customers.

    Attributes
    ----------
    rates : table
        ``stage``, ``in_population`` and the observed ``rate`` of a value event: see `value_rates`.
    rate : float
        Its mean over the customers of now; 0 where nothing was observed.
    order_cents : float
        Mean order.
    moves : dict of str to array
        P(next | current) as observed, for ``stage`` and ``level``.
    medians : dict of str to float
        Of features, among the customers for whom churn is defined.
    """

    rates: pl.DataFrame
    rate: float
    order_cents: float
    moves: dict[str, np.ndarray]
    medians: dict[str, float | None]


def everybody(
    now: nw.LazyFrame, before: nw.LazyFrame, spoken: list[Feature], churn: ChurnParams
) -> Everybody:
    """Figures over all customers.

    Parameters
    ----------
    now : features with standing at the as-of date
    before : features with standing one label window earlier, joined to their labels
    spoken : list of Feature
        Whose medians are needed.
    churn : ChurnParams
    """
    counted = now.with_columns(in_population=in_population(churn))
    happened = _counts(before, HAPPENED)
    rates = value_rates(happened) if happened.height else _no_rates()
    figures = counted.select(*_figures(spoken)).collect("polars").to_native().row(0, named=True)
    return Everybody(
        rates=rates,
        rate=_mean_rate(_counts(counted, ("stage", "in_population")), rates),
        order_cents=(figures.pop("spent") or 0) / max(figures.pop("orders") or 0, 1),
        moves={kind: _moves(happened, kind) for kind in CLASSES},
        medians=figures,
    )


def in_population(churn: ChurnParams) -> nw.Expr:
    """Whether churn is defined for a customer."""
    return (nw.col("days_since_last_value") <= churn.lookback_days).fill_null(False)


def _counts(rows: nw.LazyFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    counts = rows.group_by(*keys).agg(customers=nw.len()).collect("polars").to_native()
    return counts.with_columns(pl.col("customers").cast(pl.Int64)).sort(keys)


def _figures(spoken: list[Feature]) -> list[nw.Expr]:
    known = nw.when(nw.col("in_population"))
    return [
        nw.col("order_cents").sum().alias("spent"),
        nw.col("value_events").sum().alias("orders"),
        *(known.then(nw.col(f.name)).median().alias(f.name) for f in spoken),
    ]


def _mean_rate(present: pl.DataFrame, rates: pl.DataFrame) -> float:
    known = present.join(rates, on=["stage", "in_population"])
    total = (known["rate"] * known["customers"]).sum()
    return float(total) / max(int(known["customers"].sum()), 1)


def _no_rates() -> pl.DataFrame:
    schema = {"stage": pl.String, "in_population": pl.Boolean, "rate": pl.Float64}
    return pl.DataFrame(schema=schema)


def _moves(happened: pl.DataFrame, kind: str) -> np.ndarray:
    was, then = (happened[name].to_numpy().astype(str) for name in (kind, f"{kind}_next"))
    return transition_table(was, then, CLASSES[kind], happened["customers"].to_numpy())
