"""What a run found, in the lines that a person reads at its end."""

import json
from datetime import date
from typing import Any

import polars as pl

from delivery.formats import count, money, percent
from features.schemas import DECISIONS, SCORES, STAGES
from pipelines.champions import EVALUATION
from pipelines.project import Paths, Project
from pipelines.run import STATE, Outcome
from pipelines.tables import present, read

BASELINES = {
    "keepwell": "Keepwell",
    "recency": "recency alone",
    "rfm_logistic": "RFM + logistic",
    "mbg_nbd": "MBG/NBD",
    "past_rate": "past year's rate",
    "stays": "everybody stays",
    "transition_table": "transition table",
}


def summary(project: Project, paths: Paths) -> str:
    """Where the files are, what was found and what to do next."""
    manifest = json.loads(present(paths.receipt, "delivery").read_text())
    evaluation = json.loads(present(paths.evaluation / EVALUATION, "evaluation").read_text())
    scores, decisions = read(paths.scores, SCORES), read(paths.decisions, DECISIONS)
    folder = project.outbox.name + f"/as_of={manifest['as_of']}"
    parts = [
        _standing(scores),
        _models(evaluation),
        _decided(project, manifest, decisions),
        _files(folder, manifest),
        _next(folder),
    ]
    return "\n\n".join(parts)


def ended(project: Project, as_of: date, outcome: Outcome, *, brief: bool) -> str:
    """The last lines of a run: its summary, or, `brief` and where it was a rerun, one line."""
    folder = f"{project.outbox.name}/as_of={as_of.isoformat()}"
    if outcome.unchanged:
        return f"{folder} is as it was: delivered before, verified now."
    if brief:
        return f"{folder}: {count(outcome.manifest['counts']['exported'])} actions"
    return summary(project, project.paths(STATE))


def _standing(scores: pl.DataFrame) -> str:
    counts = dict(scores.group_by("reported_stage").len().iter_rows())
    lines = [f"  {stage:<12} {count(counts.get(stage, 0)):>9}" for stage in STAGES]
    return "\n".join([f"Customers by stage, of {count(scores.height)} known", *lines])


def _models(evaluation: dict[str, Any]) -> str:
    lines = ["Models, tested on later customers than they learned from"]
    for kind, test in evaluation.items():
        lines += [f"  {kind}: {'champion' if test['promoted'] else 'no champion'}, {test['why']}"]
        lines += [f"    {_row(row)}" for row in test["rows"]]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> str:
    name = f"{BASELINES[row['model']]:<18}"
    if "bias" in row:
        return _value_row(name, row)
    first = f"AUC {row['auc']:.3f}" if "auc" in row else f"macro-F1 {row['macro_f1']:.3f}"
    return f"{name} {first}   log-loss {row['log_loss']:.3f}"


def _value_row(name: str, row: dict[str, Any]) -> str:
    inside = row.get("coverage")
    covered = f"   80 % interval holds {percent(inside)}" if inside is not None else ""
    off = f"mean error {row['mae'] / 100:,.2f}   predicted / actual {row['bias']:.2f}"
    return f"{name} {off}{covered}"


def _decided(project: Project, manifest: dict[str, Any], decisions: pl.DataFrame) -> str:
    currency = project.catalogue.sources.business.currency
    budget = project.params.recommend.budget_cents
    spent = int(decisions["cost_cents"].sum())
    gain = int(decisions["expected_net_value_cents"].sum())
    counts = manifest["counts"]
    used = percent(spent / budget if budget else None)
    return "\n".join(
        [
            f"Decisions for {count(counts['scored'])} customers",
            f"  {count(counts['exported'])} actions, {count(counts['held_out'])} held out, "
            f"{count(counts['suppressed'])} suppressed, {count(counts['no_action'])} no action",
            f"  spent {money(spent, currency)} of {money(budget, currency)} ({used}), "
            f"expected net value {money(gain, currency)}{assumed_share(decisions)}",
        ]
    )


def assumed_share(decisions: pl.DataFrame) -> str:
    """How much of a plan rests on assumptions, in words; empty where nothing does."""
    bases = decisions["basis"].drop_nulls().to_list()
    assumed = bases.count("assumed")
    if not assumed:
        return ""
    if assumed == len(bases):
        return " (all effects are assumptions so far)"
    return f" ({percent(assumed / len(bases))} of the effects are assumptions)"


def _files(folder: str, manifest: dict[str, Any]) -> str:
    names = [*manifest["files"], "manifest.json"]
    return "\n".join(["Files", *(f"  {folder}/{name}" for name in names)])


def _next(folder: str) -> str:
    return "\n".join(
        [
            "Next",
            f"  open {folder}/report.html in a browser; load actions.csv into your tool",
            "  your own data:      keepwell init --events FILE, then keepwell run",
            "  every night:        keepwell run --as-of YYYY-MM-DD",
            "  another horizon:    dvc exp run -S churn.horizon_days=60, then dvc exp show",
            "  models and runs:    mlflow ui --backend-store-uri sqlite:///mlflow.db",
        ]
    )


def accounted(counts: list[dict[str, Any]]) -> str:
    """One line a source: rows in = accepted + duplicates + quarantined."""
    return "\n".join(_accounted(source) for source in counts)


def _accounted(source: dict[str, Any]) -> str:
    reasons = "".join(f", {code} {count(n)}" for code, n in source["reasons"].items())
    return (
        f"{source['source']}: {count(source['rows_in'])} rows = {count(source['accepted'])} "
        f"accepted + {count(source['duplicates'])} duplicates + {count(source['quarantined'])} "
        f"quarantined{reasons}; {count(source['events'])} {source['table']}"
        + "".join(f"\n  warning: {said}" for said in source["warnings"])
    )


def verdicts(evaluation: dict[str, Any]) -> str:
    """One block: each model beside its baselines, and whether it is champion."""
    return _models(evaluation)
