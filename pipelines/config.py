"""``params.yaml`` and the catalogue, read once into frozen records."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from actions.catalogue import ActionCatalogue
from actions.params import MeasureParams, RecommendParams
from delivery.params import DeliverParams
from delivery.platforms import PlatformCatalogue
from features.definitions import CustomFeatures, Definitions, all_features
from features.dimensions import dimensions
from features.errors import ConfigurationError, InputMissingError
from features.params import (
    ChurnParams,
    CutoffParams,
    FeatureParams,
    MonitorParams,
    StageParams,
)
from features.records import Record
from features.rules import Condition
from features.standing import StandingRules
from features.taxonomy import Taxonomy
from models.params import GateParams, ScoreParams, TrainParams, ValueParams
from pipelines.custom import FILE, read_custom
from pipelines.intake.forgotten import Forgotten, read_forgotten
from pipelines.intake.sources import SourceCatalogue
from pipelines.params import SparkParams, TrackingParams

R = TypeVar("R", bound=BaseModel)
MAX_BYTES = 1_000_000
MAX_NODES = 100_000


class RunParams(Record):
    """The date of the run, how stale its data may be, and the seed."""

    as_of: date
    max_staleness_days: int = Field(ge=0, le=365)
    seed: int


class Params(Record):
    """All sections of ``params.yaml``; each step receives its own."""

    engine: Literal["polars", "spark"]
    spark: SparkParams
    run: RunParams
    features: FeatureParams
    churn: ChurnParams
    stages: StageParams
    cutoffs: CutoffParams
    train: TrainParams
    value: ValueParams
    gate: GateParams
    tracking: TrackingParams
    score: ScoreParams
    recommend: RecommendParams
    measure: MeasureParams
    monitor: MonitorParams
    deliver: DeliverParams


class Catalogue(NamedTuple):
    """What the business edits, and a hash of all of it."""

    sources: SourceCatalogue
    taxonomy: Taxonomy
    standing: StandingRules
    actions: ActionCatalogue
    custom: CustomFeatures | None
    platforms: PlatformCatalogue
    forgotten: Forgotten
    sha256: str

    def definitions(self, params: FeatureParams) -> Definitions:
        """What the features are made of."""
        return Definitions(params, dimensions(self.taxonomy), self.custom)


def read_params(path: Path, changes: Mapping[str, object] | None = None) -> Params:
    """Read ``params.yaml``, with some values (``section.key`` -> value) replaced for a what-if.

    Raises
    ------
    ConfigurationError
        If a key is unknown or missing or a value is out of its range; names the file and the key.
    """
    content = _mapping(path)
    for name, value in (changes or {}).items():
        section, _, key = name.partition(".")
        if key not in content.get(section, {}):
            raise ConfigurationError(
                f"--set: unknown parameter. Got {name!r}. Expected one of params.yaml, for example "
                f"recommend.budget_cents."
            )
        content[section][key] = value
    return _record(Params, content, path)


def read_catalogue(folder: Path) -> Catalogue:
    """Read the files of the catalogue."""
    return Catalogue(
        sources=_record(
            SourceCatalogue, _mapping(folder / "sources.yaml"), folder / "sources.yaml"
        ),
        taxonomy=read_taxonomy(folder / "taxonomy.yaml"),
        standing=_standing(folder),
        actions=_record(
            ActionCatalogue, _mapping(folder / "actions.yaml"), folder / "actions.yaml"
        ),
        platforms=_record(
            PlatformCatalogue, _mapping(folder / "platforms.yaml"), folder / "platforms.yaml"
        ),
        custom=read_custom(folder),
        forgotten=read_forgotten(folder),
        sha256=_hash(sorted([*folder.glob("*.yaml"), *folder.glob(FILE)])),
    )


def read_taxonomy(path: Path) -> Taxonomy:
    """Read ``taxonomy.yaml`` alone."""
    return _record(Taxonomy, _mapping(path), path)


def _standing(folder: Path) -> StandingRules:
    stages, levels = _mapping(folder / "stages.yaml"), _mapping(folder / "levels.yaml")
    twice = sorted(stages.keys() & levels.keys())
    if twice:
        raise ConfigurationError(f"levels.yaml, {twice[0]}: is in stages.yaml too. Remove one.")
    try:
        return StandingRules.model_validate({**stages, **levels})
    except ValidationError as error:
        first = [*error.errors()[0]["loc"], "stages"][0]
        file = "levels.yaml" if first in levels or first == "levels" else "stages.yaml"
        raise ConfigurationError(f"{file}, {_first_problem(error)}") from error


def check_references(params: Params, catalogue: Catalogue) -> None:
    """Prove that every feature, channel, event and id that the catalogue names exists.

    Raises
    ------
    ConfigurationError
        Names the file, the entry, what is unknown and what is known.
    """
    known = {feature.name for feature in all_features(catalogue.definitions(params.features))}
    for owner, condition in catalogue.standing.conditions:
        _check_feature("stages.yaml or levels.yaml", owner, condition, known)
    for action in catalogue.actions.actions:
        for condition in action.when.conditions:
            _check_feature("actions.yaml", action.id, condition, known)
    _check_actions(catalogue)
    _check_quiet_period(catalogue)
    _check_platforms(params, catalogue)
    _check_events(catalogue)


def _check_feature(file: str, owner: str, condition: Condition, known: set[str]) -> None:
    if condition.feature not in known:
        near = _nearest(condition.feature, known)
        raise ConfigurationError(
            f"{file}, {owner}: unknown feature. Got {condition.feature!r}. "
            f"Expected a feature, for example {near}. `keepwell features --list` shows all."
        )


def _check_actions(catalogue: Catalogue) -> None:
    channels = set(catalogue.actions.channels)
    ids = [action.id for action in catalogue.actions.actions]
    for action in catalogue.actions.actions:
        if ids.count(action.id) > 1:
            raise ConfigurationError(f"actions.yaml, {action.id}: the id occurs twice. Rename one.")
        unknown = set(action.channels) - channels
        if unknown:
            raise ConfigurationError(
                f"actions.yaml, {action.id}: unknown channel. Got {', '.join(sorted(unknown))}. "
                f"Known: {', '.join(sorted(channels))}. Fix the id or declare the channel."
            )


def _check_quiet_period(catalogue: Catalogue) -> None:
    quiet, events = catalogue.actions.quiet_period, catalogue.taxonomy.events
    for name in quiet.events if quiet else []:
        if name not in events:
            raise ConfigurationError(
                f"actions.yaml, quiet_period: unknown event type. Got {name!r}. "
                f"Expected one of taxonomy.yaml, for example {_nearest(name, set(events))}."
            )


def _check_platforms(params: Params, catalogue: Catalogue) -> None:
    known = catalogue.platforms.platforms
    unknown = [name for name in params.deliver.platforms if name not in known]
    if unknown:
        raise ConfigurationError(
            f"params.yaml, deliver.platforms: unknown platform. Got {', '.join(unknown)}. "
            f"Known: {', '.join(known)}. Fix the id, or declare it in platforms.yaml."
        )


def _check_events(catalogue: Catalogue) -> None:
    events = catalogue.taxonomy.events
    for name in (*events, *catalogue.taxonomy.aliases):
        canonical = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        if name != canonical:
            raise ConfigurationError(
                f"taxonomy.yaml, {name}: names are compared in snake_case, so this one never "
                f"matches. Got {name!r}. Expected {canonical!r}. Rename it."
            )
    for alias, target in catalogue.taxonomy.aliases.items():
        if target not in events:
            raise ConfigurationError(
                f"taxonomy.yaml, aliases, {alias}: unknown event type. Got {target!r}. "
                f"Expected one of `events`, for example {_nearest(target, set(events))}."
            )


def _nearest(name: str, known: set[str]) -> str:
    from difflib import get_close_matches

    return ", ".join(get_close_matches(name, sorted(known), n=3, cutoff=0.3) or sorted(known)[:3])


def _mapping(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputMissingError(
            f"{path.name}: not found. Expected it in {path.parent.name or 'the project folder'}/. "
            f"Run keepwell in a project folder, or name one with --project."
        )
    if path.stat().st_size > MAX_BYTES:
        raise ConfigurationError(f"{path.name}: larger than {MAX_BYTES:,} bytes. Shorten it.")
    try:
        text = path.read_text("utf-8")
        nodes = yaml.compose(text, Loader=yaml.CSafeLoader)
        _refuse_unfolding(path, nodes)
        twice = _repeated_key(nodes)
        loaded = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = str(getattr(error, "problem_mark", "") or "").strip()
        raise ConfigurationError(f"{path.name}: not valid YAML. Got an error {place}.") from error
    if twice:
        raise ConfigurationError(f"{path.name}, {twice}: the key occurs twice. Remove one.")
    if not isinstance(loaded, dict):
        raise ConfigurationError(f"{path.name}: expected a mapping at the top. Got {loaded!r:.40}.")
    return loaded


def _refuse_unfolding(path: Path, root: yaml.Node | None) -> None:
    """A few aliases of aliases unfold into more than any memory holds."""
    nodes = _unfolded(root, {})
    if nodes > MAX_NODES:
        raise ConfigurationError(
            f"{path.name}: its aliases (*name) unfold into too much. Got {nodes:.3g} values. "
            f"Expected at most {MAX_NODES:,}. Write the values themselves."
        )


def _unfolded(node: yaml.Node | None, known: dict[int, int]) -> int:
    """How many values a node stands for, where each alias is a copy."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if id(node) not in known:
        known[id(node)] = MAX_NODES + 1  # of one that holds itself
        pairs = isinstance(node, yaml.MappingNode)
        inside = [part for pair in node.value for part in pair] if pairs else node.value
        known[id(node)] = 1 + sum(_unfolded(part, known) for part in inside)
    return known[id(node)]


def _repeated_key(root: yaml.Node | None) -> str | None:
    """A key that a mapping has twice, with its line: YAML itself lets the last one win."""
    waiting, visited = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) in visited or not isinstance(node, yaml.CollectionNode):
            continue
        visited.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        keys = [str(key.value) for key, _ in node.value]
        for number, (key, value) in enumerate(node.value):
            if keys[number] in keys[:number]:
                return f"{keys[number]} (line {key.start_mark.line + 1})"
            waiting.append(value)
    return None


def _record(record: type[R], content: dict[str, Any], path: Path) -> R:
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError(f"{path.name}, {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    where = ".".join(str(part) for part in first["loc"]) or "top"
    got = "" if first["type"] in ("missing", "value_error") else f" Got {first['input']!r:.60}."
    more = f" ({len(others)} more problems follow.)" if others else ""
    what = first["msg"].removeprefix("Value error, ").rstrip(".")
    if first["type"] == "extra_forbidden":
        what = "unknown key"
    return f"{where}: {what}.{got} Fix the file; `keepwell check` shows the next problem.{more}"


def _hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
