"""Command: what another catalogue or other parameters would have brought on past decisions."""

import polars as pl

from actions.arms import RANDOM
from actions.catalogue import ActionCatalogue
from actions.measurement import matured
from actions.replay import policy_values, replay
from features.errors import InputMissingError
from features.schemas import EFFECTS, POLICY_VALUE
from pipelines.config import Params
from pipelines.features import read_cutoffs
from pipelines.measure import outcomes, runs_of, scan_log
from pipelines.project import Paths, Project
from pipelines.tables import check, polars_schema, read


def evaluate_policy(
    project: Project, paths: Paths, params: Params, catalogue: ActionCatalogue
) -> pl.DataFrame:
    """Compare a changed policy with what was planned, on every run with a complete window.

    Parameters
    ----------
    project : Project
    paths : Paths
        Of the line of steps whose data and beliefs are used.
    params : Params
        The policy's, perhaps changed.
    catalogue : ActionCatalogue
        The policy's, perhaps changed.

    Returns
    -------
    table of schemas.POLICY_VALUE

    Raises
    ------
    InputMissingError
        If no published run has a complete window.
    """
    now = read_cutoffs(paths.features).now
    log = scan_log(project.outbox, now)
    done = log.filter(pl.col("window_end") <= now).drop("window_end").collect()
    if done.is_empty():
        raise InputMissingError(
            f"outbox: no past run to evaluate on. Got {runs_of(log).height} runs with open "
            f"windows. Expected one whose window ends by {now}. Wait, or use `keepwell what-if`."
        )
    rows = matured(done, outcomes(paths.tables, done, now))
    played = replay(
        rows, catalogue, read(paths.effects, EFFECTS), params.recommend,
        explored=bool((rows["arm"] == RANDOM).any()),
    )  # fmt: skip
    return check(policy_values(played).cast(polars_schema(POLICY_VALUE)), POLICY_VALUE)


def spoken(values: pl.DataFrame) -> str:
    """The comparison in sentences, with warnings where there is little to go by."""
    lines = []
    for outcome, scale, unit in (("success", 100, "points"), ("value", 0.01, "a customer")):
        own = values.filter(pl.col("outcome") == outcome)
        gap = own.filter(pl.col("policy") == "difference").row(0, named=True)
        low, middle, high = (scale * gap[k] for k in ("low", "value", "high"))
        sure = "no detectable difference" if low <= 0 <= high else "a difference"
        lines.append(
            f"{outcome}: {sure}, {middle:+.2f} {unit}, 95 % interval {low:+.2f} to {high:+.2f} "
            f"({gap['decisions']:,} decisions)."
        )
    new = values.filter(pl.col("policy") == "new").row(0, named=True)
    lines.append(
        f"The new plan counts on {new['effective']:,.0f} decisions' worth of evidence; what it "
        f"would do had a chance then for {100 * new['supported']:.0f} % of the customers."
    )
    if new["supported"] < 0.95:
        lines.append("Warning: the rest was never tried. Only a test can tell what it brings.")
    return "\n".join(lines)
