"""What was observed over the latest complete horizon, for customers without a model's score."""

import polars as pl

PRIOR_WEIGHT = 20.0


def value_rates(labelled: pl.DataFrame) -> pl.DataFrame:
    """Share with a value event in the label window, by stage and population.

    Parameters
    ----------
    labelled : features with standing, joined to labels, of a past cutoff
        ``customers``, if it is there, says how many each row stands for.

    Returns
    -------
    table, shape (n_groups, 3)
        ``stage``, ``in_population`` and ``rate`` [0-1], shrunk to the overall share of those in (or
        outside) the population as if by 20 more customers.
    """
    n = pl.col("customers").sum() if "customers" in labelled.columns else pl.len()
    each = pl.col("customers") if "customers" in labelled.columns else pl.lit(1)
    bought = pl.when(~pl.col("churned")).then(each).otherwise(0).sum()
    groups = labelled.with_columns(overall=(bought / n).over("in_population"))
    rate = (bought + PRIOR_WEIGHT * pl.col("overall").first()) / (n + PRIOR_WEIGHT)
    return (
        groups.group_by("stage", "in_population")
        .agg(rate.alias("rate"))
        .sort("stage", "in_population")
    )


def risk_by_rule() -> pl.Expr:
    """Churn risk without a model: the silence over the usual pause, on a fixed curve.

    An ordering, not a calibrated probability: 0.5 where the silence is twice the usual pause. Files
    mark it ``score_source = rule``.
    """
    ratio = pl.col("recency_ratio")
    return (ratio / (ratio + 2.0)).clip(0.0, 1.0)
