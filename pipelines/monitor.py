"""Step: what the last runs looked like -> whether this one looks as it should."""

import json
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl

from actions.catalogue import ActionCatalogue
from actions.watch import plan_findings
from features.finding import Finding, worst
from features.flow import by_type, flow_findings, weekly
from features.hysteresis import CLASSES
from features.params import MonitorParams
from features.schemas import DECISIONS, LEVELS, SCORES, STAGES
from models.drift import Histogram, drift_finding, drifts, histogram
from models.health import flip_finding, matured_finding, spread_finding
from models.scoring import RULE, STAYS
from pipelines.features import read_cutoffs, scan_snapshot
from pipelines.ingest import ACCOUNTING, read_events
from pipelines.journal import Level
from pipelines.measure import outcomes, runs_of, scan_log
from pipelines.tables import present, read, write_text

MONITOR = "monitor.json"
EXIT_CODES = {"ok": 0, "warning": 10, "error": 11}
HISTORY = "as_of={}.json"
MOST_CUSTOMERS = 100_000  # compared by distribution: more make it dearer, not surer
OWN_DOING = "exposure"  # features of what the company does: it may change at any time
PREDICTED = {  # by kind of model; a rule's scores are no distribution of customers
    "churn": ("churn_risk",),
    "stage": tuple(f"p_stage_{name}" for name in STAGES),
    "level": tuple(f"p_level_{name}" for name in LEVELS),
}


class Watched(NamedTuple):
    """Distributions of one run, as the next one is compared with them."""

    customers: int
    features: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]


def monitor(
    tables: Path, features: Path, scores: Path, decisions: Path, out: Path, *, outbox: Path,
    catalogue: ActionCatalogue, params: MonitorParams, budget_cents: int, relative: Collection[str],
) -> dict[str, Any]:  # fmt: skip
    """Look at sources, distributions, past predictions and the plan; write ``monitor.json``.

    Parameters
    ----------
    tables, features, scores, decisions : Path
        Of the run that is looked at.
    out : Path
        Folder of what was found, and of the distributions that the next run is compared with.
    outbox : Path
        Past decisions.
    catalogue : ActionCatalogue
    params : MonitorParams
    budget_cents : int
    relative : collection of str
        Features that compare a customer with everybody else. They are not watched: what they are
        made of is, and one day more of the population's median moves everybody at once.

    Returns
    -------
    dict
        ``as_of``, ``status`` (ok, warning or error), ``compared_with`` (date of the earlier run,
        or null) and ``findings``. It names columns, counts and shares, nobody's values.
    """
    now = read_cutoffs(features).now
    scored, decided = read(scores, SCORES), read(decisions, DECISIONS)
    watched = _watched(features, now, scored, relative)
    earlier = _earlier(out, now)
    findings = [
        *_sources(tables, now, params),
        *(_drift(earlier, watched, params) if earlier else []),
        *_models(tables, scored, outbox, now, params),
        *plan_findings(decided, budget_cents, _capacities(catalogue), params),
    ]
    write_text(_history(watched), out / HISTORY.format(now))
    found = {
        "as_of": now.isoformat(),
        "status": worst(findings),
        "compared_with": earlier and earlier.stem.removeprefix("as_of="),
        "findings": [finding._asdict() for finding in findings],
    }
    write_text(json.dumps(found, indent=1) + "\n", out / MONITOR)
    return found


def read_monitor(folder: Path) -> dict[str, Any]:
    """What monitoring found last.

    Raises
    ------
    InputMissingError
        If nothing was monitored yet.
    """
    return json.loads(present(folder / MONITOR, "monitor").read_text("utf-8"))


def alarms(found: dict[str, Any]) -> list[tuple[Level, str]]:
    """What is unusual: warning or error, and the check with its words."""
    return [
        (finding["severity"], f"{finding['check']}: {finding['words']}")
        for finding in found["findings"]
        if finding["severity"] != "ok"
    ]


def exit_code(found: dict[str, Any]) -> int:
    """What a scheduler is told: 0, 10 with a warning, 11 with an error."""
    return EXIT_CODES[found["status"]]


def spoken(found: dict[str, Any]) -> str:
    """Everything that was looked at, a line each."""
    against = f", compared with {found['compared_with']}" if found["compared_with"] else ""
    lines = [f"{f['severity']:<8} {f['check']:<14} {f['words']}" for f in found["findings"]]
    return "\n".join([f"{found['as_of']}{against}: {found['status']}", *lines])


def _sources(tables: Path, now: date, params: MonitorParams) -> list[Finding]:
    accounting = json.loads(present(tables / ACCOUNTING, "accounting").read_text("utf-8"))
    warned = [
        Finding("contract", "warning", said) for source in accounting for said in source["warnings"]
    ]
    rows = weekly(nw.from_native(read_events(tables)), now, params.weeks)
    counts = rows.to_native().collect(engine="streaming").rows()
    return [*warned, *flow_findings(by_type(counts, params.weeks), params)]


def _watched(features: Path, now: date, scored: pl.DataFrame, relative: Collection[str]) -> Watched:
    """Numbers of every n-th customer."""
    snapshot = scan_snapshot(features, now)
    schema = snapshot.collect_schema()
    absolute = {name: dtype for name, dtype in schema.items() if name not in relative}
    numeric = [n for n, dtype in absolute.items() if dtype.is_numeric() and OWN_DOING not in n]
    step = -(-scored.height // MOST_CUSTOMERS)
    sampled = snapshot.select(numeric).gather_every(step).collect(engine="streaming")
    return Watched(
        scored.height,
        _numbers(sampled),
        _numbers(scored.select(_predicted(scored)).gather_every(step)),
    )


def _predicted(scored: pl.DataFrame) -> list[pl.Expr]:
    """Scores of models, with the model's name: another version's scores are not comparable."""
    models = {kind: scored[f"{kind}_model"][0] for kind in PREDICTED}
    return [
        pl.col(column).alias(f"{column} of {models[kind]}")
        for kind, columns in PREDICTED.items()
        if models[kind] not in (RULE, STAYS)
        for column in columns
    ]


def _numbers(rows: pl.DataFrame) -> dict[str, np.ndarray]:
    return {c.name: c.cast(pl.Float64).fill_null(float("nan")).to_numpy() for c in rows}


def _history(watched: Watched) -> str:
    kinds = {"features": watched.features, "scores": watched.scores}
    content = {
        "customers": watched.customers,
        **{k: {name: histogram(v) for name, v in columns.items()} for k, columns in kinds.items()},
    }
    return json.dumps(content) + "\n"


def _earlier(out: Path, now: date) -> Path | None:
    """The file of the latest run before this one."""
    before = [f for f in out.glob(HISTORY.format("*")) if f.name < HISTORY.format(now)]
    return max(before, default=None)


def _drift(earlier: Path, watched: Watched, params: MonitorParams) -> list[Finding]:
    past = json.loads(earlier.read_text("utf-8"))
    customers = (past["customers"], watched.customers)
    now = {"features": watched.features, "scores": watched.scores}
    return [
        drift_finding(
            f"{kind.removesuffix('s')}_drift",
            drifts({n: Histogram(*h) for n, h in past[kind].items()}, columns),
            customers,
            params,
        )
        for kind, columns in now.items()
    ]


def _models(
    tables: Path, scored: pl.DataFrame, outbox: Path, now: date, params: MonitorParams
) -> list[Finding]:
    log = scan_log(outbox, now)
    return [
        spread_finding(scored["churn_risk"].drop_nulls().to_numpy()),
        _flips(scored, log, params),
        _matured(tables, log, now, params),
    ]


def _flips(scored: pl.DataFrame, log: pl.LazyFrame, params: MonitorParams) -> Finding:
    latest = pl.lit(runs_of(log)["as_of"].max(), pl.Date)
    last = log.filter(pl.col("as_of") == latest).select("customer_id", *CLASSES).collect()
    both = scored.join(last, on="customer_id", suffix="_before")
    changed = [(pl.col(f"reported_{k}") != pl.col(f"{k}_before")).mean().alias(k) for k in CLASSES]
    moved = both.select(changed).row(0, named=True) if both.height else {}
    return flip_finding(moved, both.height, params)


def _matured(tables: Path, log: pl.LazyFrame, now: date, params: MonitorParams) -> Finding:
    """Of the customers who got no action: what they do then is what was predicted.

    Windows that ended in the weeks that say what is usual: what went wrong before is known.
    """
    since = now - timedelta(weeks=params.weeks)
    ended = pl.col("window_end").is_between(since, now, closed="right")
    done = log.filter(ended, pl.col("outcome") != "exported").select(
        "customer_id", "as_of", "horizon_days", "p_value"
    ).collect()  # fmt: skip
    followed = outcomes(tables, done, now).select("customer_id", "as_of", "value_events")
    rows = done.join(followed, on=["customer_id", "as_of"], how="left")
    happened = (rows["value_events"].fill_null(0) > 0).cast(pl.Int64).to_numpy()
    pending = log.select((pl.col("window_end") > now).mean()).collect().item() or 0.0
    customers = rows["customer_id"].n_unique()
    return matured_finding(rows["p_value"].to_numpy(), happened, customers, pending, params)


def _capacities(catalogue: ActionCatalogue) -> dict[str, int]:
    of_actions = {action.id: action.capacity for action in catalogue.actions}
    of_channels = {name: channel.capacity for name, channel in catalogue.channels.items()}
    every = {**of_actions, **of_channels}
    return {name: most for name, most in every.items() if most is not None}
