"""How sure the expected net value of a decision is."""

from statistics import NormalDist

import polars as pl

from actions.catalogue import ActionCatalogue

COVERAGE = 0.8


def with_interval(exported: pl.DataFrame, catalogue: ActionCatalogue) -> pl.DataFrame:
    """The decisions with ``net_low_cents`` and ``net_high_cents``, the 80 % interval.

    The gain before costs is proportional to the effect, so its interval is that of the effect
    which the catalogue assumes. Null where the effect is not the catalogue's, or is zero.

    Parameters
    ----------
    exported : table of schemas.DECISIONS
    catalogue : ActionCatalogue
    """
    rows = [(a.id, a.effect.points, a.effect.sd) for a in catalogue.actions]
    kinds = {"action_id": pl.String, "points": pl.Float64, "sd": pl.Float64}
    believed = pl.DataFrame(rows, schema=kinds, orient="row")
    joined = exported.join(believed, on="action_id", how="left", maintain_order="left")
    width = NormalDist().inv_cdf((1 + COVERAGE) / 2)
    return joined.with_columns(
        _end(-width).alias("net_low_cents"), _end(width).alias("net_high_cents")
    ).drop("points", "sd")


def _end(width: float) -> pl.Expr:
    gain = (pl.col("expected_net_value_cents") + pl.col("cost_cents")).cast(pl.Float64)
    end = gain * (1 + width * pl.col("sd") / pl.col("points")) - pl.col("cost_cents")
    assumed = (pl.col("basis") == "assumed") & (pl.col("points") != 0)
    return pl.when(assumed).then(end.round(0).cast(pl.Int64))
