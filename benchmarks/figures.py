"""Measure again and copy the figures into README.md: they are never typed by hand."""

import json
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def main() -> None:
    """Run each benchmark of the front page and write its table."""
    text = README.read_text("utf-8")
    README.write_text(replaced(text, "demo", demo_table(measured("demo"))), "utf-8")


def measured(benchmark: str) -> dict[str, float]:
    """The figures of a benchmark's last line."""
    command = [sys.executable, "-m", f"benchmarks.{benchmark}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])["figures"]


def replaced(text: str, name: str, table: str) -> str:
    """README with the block of a benchmark replaced."""
    pattern = rf"(<!-- figures:{name} -->\n).*?(<!-- /figures:{name} -->)"
    return re.sub(pattern, lambda found: found[1] + table + found[2], text, flags=re.DOTALL)


def demo_table(figures: dict[str, float]) -> str:
    """Each model beside its dull rules."""
    dull = {"churn": ("rfm_logistic", "recency"), "other": ("transition_table", "stays")}
    names = {
        "rfm_logistic": "RFM + logistic",
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
