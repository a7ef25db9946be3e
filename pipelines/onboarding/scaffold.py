"""Write what `keepwell init` decided: a commented catalogue, and numbers that fit the history."""

import re
import shutil
from pathlib import Path

import yaml

from pipelines.onboarding.drafts import Draft
from pipelines.onboarding.proposal import Proposal
from pipelines.settings import with_values
from pipelines.tables import write_text

OWN_EVENTS = "  # ===== Your own events"
MARK = "  # keepwell init"
HEAD = """\
# Which file is what. Written by `keepwell init`; edit it freely, then `keepwell check`.
# What each key means: docs/sources.md. Behind each line: how sure init is of it, and why.
"""


def shipped() -> Path:
    """The folder with the shipped catalogue and ``params.yaml``: the package's, or the clone."""
    package = Path(__file__).parents[1]
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent


def with_defaults(project: Path) -> list[str]:
    """Copy what a project needs and does not have; returns what was copied."""
    made: list[str] = []
    for name in ("stages", "levels", "actions", "platforms", "taxonomy"):
        made += _copied(project, f"catalogue/{name}.yaml")
    return made + _copied(project, "params.yaml")


def _copied(project: Path, name: str) -> list[str]:
    if (project / name).exists():
        return []
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped() / name, project / name)
    return [name]


def write_proposal(proposal: Proposal, project: Path) -> list[str]:
    """Write the sources, the additions to the taxonomy, and the parameters; returns the files."""
    made = with_defaults(project)
    sources = project / "catalogue" / "sources.yaml"
    if sources.is_file():
        sources.replace(sources.with_suffix(".yaml.bak"))
        made.append("catalogue/sources.yaml.bak (what was there before)")
    write_text(sources_text(proposal), sources)
    taxonomy = project / "catalogue" / "taxonomy.yaml"
    write_text(taxonomy_text(taxonomy.read_text("utf-8"), proposal), taxonomy)
    params = project / "params.yaml"
    write_text(with_values(params.read_text("utf-8"), values(proposal)), params)
    names = ["catalogue/sources.yaml", "catalogue/taxonomy.yaml", "params.yaml", *made]
    if watch(project / "dvc.yaml", [d.source.path for d in proposal.drafts]):
        names.append("dvc.yaml")
    return list(dict.fromkeys(names))


def values(proposal: Proposal) -> dict[str, object]:
    """The parameters that the history decides."""
    decided: dict[str, object] = {"run.as_of": proposal.as_of.isoformat()}
    if proposal.fit:
        churn, past = proposal.fit.churn, proposal.fit.cutoffs
        decided |= {
            "churn.horizon_days": churn.horizon_days,
            "churn.lookback_days": churn.lookback_days,
            "cutoffs.count": past.count,
            "cutoffs.step_days": past.step_days,
            "cutoffs.min_history_days": past.min_history_days,
        }
    return decided


def sources_text(proposal: Proposal) -> str:
    """``catalogue/sources.yaml`` with the reason beside each line."""
    business, zone, currency = proposal.catalogue.business, proposal.timezone, proposal.currency
    lines = [
        HEAD.rstrip(),
        "business:",
        f"  name: {_flow(business.name)}",
        f"  timezone: {_flow(zone.value)}{_comment(zone.why, zone.sure)}",
        f"  currency: {_flow(currency.value)}{_comment(currency.why, currency.sure)}",
        "",
        "sources:",
    ]
    for draft in proposal.drafts:
        lines += [*_source_lines(draft), ""]
    return "\n".join(lines)


def _source_lines(draft: Draft) -> list[str]:
    content = draft.source.model_dump(exclude_defaults=True)
    columns, refused = content.pop("columns"), content.pop("refused", {})
    reasons = {d.target: (d.why, d.sure) for d in draft.decisions}
    lines = [f"  {draft.name}:"]
    lines += [f"    {key}: {_flow(value)}" for key, value in content.items()]
    lines.append("    columns:")
    for target, origin in columns.items():
        why = _comment(*reasons[target]) if target in reasons else ""
        lines.append(f"      {target}: {_flow(origin)}{why}")
    if refused:
        lines.append(
            "    refused:  # never read; remove a line only if the figure is of the event itself"
        )
        lines += [f"      {_flow(name)}: {_flow(reason)}" for name, reason in refused.items()]
    return lines


def _comment(why: str, sure: str) -> str:
    return f"  # {sure}: {why}" if why else f"  # {sure}"


def _flow(value: object) -> str:
    """One line of YAML, quoted where it must be."""
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()


def taxonomy_text(text: str, proposal: Proposal) -> str:
    """``taxonomy.yaml`` with new types and names; those of an earlier init go."""
    kept = [line for line in text.splitlines() if not line.endswith(MARK)]
    new = proposal.additions
    events = [f"  {_flow(name)}: {{role: {role}}}{MARK}" for name, role in new.events.items()]
    aliases = [f"  {_flow(name)}: {target}{MARK}" for name, target in new.aliases.items()]
    kept = _after(kept, OWN_EVENTS, events)
    return "\n".join(_after(kept, "aliases:", aliases)) + "\n"


def _after(lines: list[str], start: str, new: list[str]) -> list[str]:
    place = next((k for k, line in enumerate(lines) if line.startswith(start)), None)
    if place is None or not new:
        return lines
    return [*lines[: place + 1], *new, *lines[place + 1 :]]


def watch(dvc: Path, paths: list[str]) -> bool:
    """Make the files dependencies of the step ingest, in place of earlier ones."""
    if not dvc.is_file():
        return False
    text = dvc.read_text("utf-8")
    entries = "".join(f"      - {_flow(path)}  # source\n" for path in dict.fromkeys(paths))
    changed = re.sub(
        r"(?m)^(      # keepwell init puts your files here:\n)(?:      - .*  # source\n)*",
        lambda found: found[1] + entries,
        text,
    )
    write_text(changed, dvc)
    return changed != text
