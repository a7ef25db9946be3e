"""Measure, store and copy figures into README.md and docs/benchmarks.md: none is typed by hand.

``python -m benchmarks.figures demo uplift`` runs those benchmarks and keeps their last lines in
``docs/benchmarks/``; without a name it only writes the pages anew from the lines that are kept.
``python -m benchmarks.figures --take ingest_speed < line.json`` keeps a line that was measured
before, by the command that stands in `COMMANDS`.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / "docs" / "benchmarks"

COMMANDS = {
    "demo": "benchmarks.demo",
    "features_10m": "benchmarks.features --events 10000000 --many-dates --doubling",
    "features_peers": "benchmarks.features --events 10000000 --peers",
    "features_100m": "benchmarks.features --events 100000000",
    "ingest_hostile": "benchmarks.ingest --hostile 10000",
    "first_run": "benchmarks.first_run",
    "ingest_speed": "benchmarks.ingest --rows 10000000",
    "quality": "benchmarks.quality",
    "value": "benchmarks.value",
    "stages": "benchmarks.stages",
    "training": "benchmarks.training",
    "allocation": "benchmarks.allocation",
    "uplift": "benchmarks.uplift",
    "closed_loop": "benchmarks.closed_loop",
    "measurement": "benchmarks.measurement",
    "simulation": "benchmarks.simulation",
    "delivery": "benchmarks.delivery",
    "faults": "benchmarks.faults",
    "nightly": "benchmarks.nightly",
    "monitor": "benchmarks.monitor",
}
INTRO = """# Benchmarks

What each benchmark measured last, beside its goals. Each is a command that anyone can run; this
page and the figures of README.md are written from their last lines by `make figures`, never by
hand. A goal that is not met says so.
"""


def main() -> None:
    """Run or take what is asked for, then write the pages."""
    asked = arguments()
    if asked.take:
        keep(asked.take, json.loads(sys.stdin.read().splitlines()[-1]))
    for name in asked.names:
        keep(name, measured(name))
    lines = kept()
    PAGE.write_text(page(lines), "utf-8")
    README.write_text(front_page(README.read_text("utf-8"), lines), "utf-8")


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description="Measure, and copy figures into the pages.")
    parser.add_argument("names", nargs="*", choices=[[], *COMMANDS], help="benchmarks to run")
    parser.add_argument("--take", choices=COMMANDS, help="keep a line from standard input")
    return parser.parse_args()


def measured(name: str) -> dict[str, Any]:
    """The last line of a benchmark, run now."""
    command = [sys.executable, "-m", *COMMANDS[name].split()]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


def keep(name: str, last_line: dict[str, Any]) -> None:
    """Store a line."""
    KEPT.mkdir(exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps(last_line, indent=1) + "\n", "utf-8")


def kept() -> dict[str, dict[str, Any]]:
    """Every stored line, by name."""
    files = {name: KEPT / f"{name}.json" for name in COMMANDS}
    return {n: json.loads(f.read_text("utf-8")) for n, f in files.items() if f.is_file()}


def page(lines: dict[str, dict[str, Any]]) -> str:
    """``docs/benchmarks.md``."""
    return INTRO + "".join(section(name, line) for name, line in lines.items())


def section(name: str, line: dict[str, Any]) -> str:
    """One benchmark: its command, its goals, its other figures."""
    goals = [_row(g["key"], g["value"], _bound(g)) for g in line["goals"]]
    bound = {goal["key"] for goal in line["goals"]}
    others = [_row(k, v, "") for k, v in sorted(line["figures"].items()) if k not in bound]
    met = sum(goal["met"] for goal in line["goals"])
    cores = line["machine"]["cores"]
    head = [
        "",
        f"## {name}",
        "",
        f"`python -m {COMMANDS[name]}` on {cores} cores: {met} of {len(line['goals'])} goals met.",
        "",
        "| figure | measured | goal |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *goals, *others]) + "\n"


def _row(key: str, value: float, goal: str) -> str:
    return f"| {key.replace('_', ' ')} | {shown(value)} | {goal} |"


def _bound(goal: dict[str, Any]) -> str:
    sign = {"<=": "at most", ">=": "at least"}[goal["direction"]]
    return f"{sign} {shown(goal['bound'])}: {'met' if goal['met'] else '**not met**'}"


def shown(value: float | str) -> str:
    """Four figures, with separators where it is large."""
    if isinstance(value, str):
        return value
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def front_page(text: str, lines: dict[str, dict[str, Any]]) -> str:
    """README with the block of each kept benchmark replaced."""
    if "demo" in lines:
        text = replaced(text, "demo", demo_table(lines["demo"]["figures"]))
    return replaced(text, "goals", goals_table(lines))


def replaced(text: str, name: str, table: str) -> str:
    """README with one block replaced."""
    pattern = rf"(<!-- figures:{name} -->\n).*?(<!-- /figures:{name} -->)"
    return re.sub(pattern, lambda found: found[1] + table + found[2], text, flags=re.DOTALL)


def goals_table(lines: dict[str, dict[str, Any]]) -> str:
    """How many goals each benchmark met, and which it did not."""
    head = ["| benchmark | goals met | not met |", "|---|---|---|"]
    return "\n".join([*head, *(_goals_row(name, line) for name, line in lines.items())]) + "\n"


def _goals_row(name: str, line: dict[str, Any]) -> str:
    goals = line["goals"]
    missed = [
        f"{g['key'].replace('_', ' ')} {shown(g['value'])} ({_bound(g).split(':')[0]})"
        for g in goals
        if not g["met"]
    ]
    return f"| {name} | {len(goals) - len(missed)} of {len(goals)} | {'; '.join(missed)} |"


def demo_table(figures: dict[str, float]) -> str:
    """Each model beside its dull rules."""
    dull = {"churn": ("mbg_nbd", "rfm_logistic", "recency"), "other": ("transition_table", "stays")}
    names = {
        "rfm_logistic": "RFM + logistic",
        "mbg_nbd": "MBG/NBD",
        "recency": "recency",
        "transition_table": "transition table",
        "stays": "everybody stays",
    }
    wanted = [
        ("churn", "auc", "churn, AUC"),
        ("churn", "log_loss", "churn, log-loss"),
        ("stage", "log_loss", "next stage, log-loss"),
        ("level", "log_loss", "next level, log-loss"),
    ]
    rows = [
        f"| {figures['churn_customers']:,.0f} customers | model | dull rules |",
        "|---|---|---|",
    ]
    for kind, metric, title in wanted:
        rules = [
            f"{figures[f'{kind}_{rule}_{metric}']:.3f} {names[rule]}"
            for rule in dull.get(kind, dull["other"])
        ]
        ours = figures[f"{kind}_keepwell_{metric}"]
        rows.append(f"| {title} | **{ours:.3f}** | {', '.join(rules)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
