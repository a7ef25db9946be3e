"""Promised and realised, run by run."""

from datetime import date

import polars as pl

from actions.arms import POLICY
from actions.catalogue import ActionCatalogue
from actions.measurement import comparable, compare

KEPT = "exported"


def ledger(rows: pl.DataFrame, sends: pl.DataFrame, catalogue: ActionCatalogue) -> pl.DataFrame:
    """What each run promised, what came of it, and what the tool says it sent.

    Parameters
    ----------
    rows : result of actions.measurement.matured
    sends : table of schemas.SENDS
    catalogue : ActionCatalogue

    Returns
    -------
    table of schemas.LEDGER
    """
    mine = sends.filter(pl.col("action_id").is_in([a.id for a in catalogue.actions]))
    runs = rows.partition_by("as_of", as_dict=True)
    dates = sorted(as_of for (as_of,) in runs)
    lines = [
        _line(as_of, runs[as_of,], mine, following)
        for as_of, following in zip(dates, [*dates, date.max][1:], strict=True)
    ]
    return pl.DataFrame(lines) if lines else pl.DataFrame(schema=_SCHEMA)


_SCHEMA = {
    "as_of": pl.Date,
    "exported": pl.Int64,
    "cost_cents": pl.Int64,
    "promised_successes": pl.Float64,
    "realised_successes": pl.Float64,
    "realised_low": pl.Float64,
    "realised_high": pl.Float64,
    "realised_value_cents": pl.Float64,
    "sent": pl.Int64,
    "unmatched_sends": pl.Int64,
}


def _line(
    as_of: date, run: pl.DataFrame, sends: pl.DataFrame, following: date
) -> dict[str, object]:
    """A run's sends are those from its date on, up to the next run's."""
    asked = run.filter(pl.col("outcome") == KEPT)
    own = asked.filter(pl.col("arm") == POLICY)
    on = pl.col("sent_at").dt.date()
    then = sends.filter(on >= as_of, on < following).select("customer_id", "action_id").unique()
    return {
        "as_of": as_of,
        "exported": own.height,
        "cost_cents": int(own["cost_cents"].sum()),
        "promised_successes": float(own["uplift"].sum()),
        **_realised(run),
        "sent": asked.join(then, on=["customer_id", "action_id"], how="semi").height,
        "unmatched_sends": then.join(asked, on=["customer_id", "action_id"], how="anti").height,
    }


def _realised(run: pl.DataFrame) -> dict[str, float | None]:
    found = compare(comparable(run))
    if found is None:
        names = ("realised_successes", "realised_low", "realised_high", "realised_value_cents")
        return dict.fromkeys(names)
    n, rate = found.treated, found.rate
    return {
        "realised_successes": n * rate.difference,
        "realised_low": n * rate.low,
        "realised_high": n * rate.high,
        "realised_value_cents": n * found.value.difference,
    }
