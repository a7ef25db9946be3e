"""How sure the expected net value of a decision is."""

from statistics import NormalDist

import polars as pl

from actions.catalogue import ActionCatalogue
from actions.effects import ASSUMED, MEASURED
from actions.priors import believed

COVERAGE = 0.8
BELIEFS = {"action_id": pl.String, "stage": pl.String, "points": pl.Float64, "sd": pl.Float64}
NO_BELIEFS = pl.DataFrame(schema=BELIEFS)


def with_interval(
    exported: pl.DataFrame, catalogue: ActionCatalogue, effects: pl.DataFrame = NO_BELIEFS
) -> pl.DataFrame:
    """The decisions with ``net_low_cents`` and ``net_high_cents``, the 80% interval.

    The gain before costs is proportional to the effect, so its interval is that of the effect: what
    was measured for the action and stage, else what the catalogue assumes. Null where the effect
    was learned for each customer apart, or is zero.

    Parameters
    ----------
    exported : table of schemas.DECISIONS
    catalogue : ActionCatalogue
    effects : table of schemas.EFFECTS
    """
    assumed = [(name, one.points, one.sd) for name, one in believed(catalogue.actions).items()]
    prior = pl.DataFrame(assumed, ["action_id", "prior", "prior_sd"], orient="row")
    rows = exported.join(prior, on="action_id", how="left", maintain_order="left")
    known = effects.select(*BELIEFS)
    rows = rows.join(known, on=["action_id", "stage"], how="left", maintain_order="left")
    rows = rows.with_columns(
        points=pl.coalesce("points", "prior"), sd=pl.coalesce("sd", "prior_sd")
    )
    width = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    return rows.with_columns(
        _end(-width).alias("net_low_cents"), _end(width).alias("net_high_cents")
    ).drop("points", "sd", "prior", "prior_sd")


def _end(width: float) -> pl.Expr:
    gain = (pl.col("expected_net_value_cents") + pl.col("cost_cents")).cast(pl.Float64)
    spread = width * (pl.col("sd") / pl.col("points")).abs()
    end = gain + spread * gain.abs() - pl.col("cost_cents")
    known = pl.col("basis").is_in([ASSUMED, MEASURED]) & (pl.col("points") != 0)
    return pl.when(known).then(end.round(0).cast(pl.Int64))
