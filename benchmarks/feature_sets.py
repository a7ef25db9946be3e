"""The two sets of `benchmarks.scope`, as the project's own definitions.

``python -m benchmarks.feature_sets`` prints how many features each has.
"""

import json
from pathlib import Path
from typing import NamedTuple

from benchmarks import scope
from features.definitions import Definitions, all_features
from features.dimensions import Dimensions, Kind
from features.params import FeatureParams
from features.rules import Condition, NamedRule
from features.standing import StandingRules
from pipelines.config import read_catalogue, read_params

ROOT = Path(__file__).resolve().parent.parent


class FeatureSet(NamedTuple):
    """What `pipelines.features.build_features` makes, apart from the data."""

    definitions: Definitions
    standing: StandingRules


def main() -> None:
    """Print the number of features of each set."""
    counts = {name: len(all_features(feature_set(name).definitions)) for name in scope.CHANNELS}
    print(json.dumps(counts))


def feature_set(name: str) -> FeatureSet:
    """``matched`` or ``default``."""
    params = read_params(ROOT / "params.yaml").features
    standing = read_catalogue(ROOT / "catalogue").standing
    dimensions = Dimensions(tuple(Kind(*kind) for kind in scope.KINDS), scope.CHANNELS[name])
    if name == "default":
        return FeatureSet(Definitions(params, dimensions), standing)
    fewer = {
        "windows_days": list(scope.WINDOWS_DAYS),
        "half_lives_days": [scope.HALF_LIFE_DAYS],
        "history_days": scope.HISTORY_DAYS,
    }
    matched = FeatureParams.model_validate({**params.model_dump(), **fewer})
    return FeatureSet(Definitions(matched, dimensions), _with_matched_windows(standing))


def _with_matched_windows(standing: StandingRules) -> StandingRules:
    """The rules, reading the next longer window where the matched set lacks theirs."""
    kinds = {"stages": standing.stages, "levels": standing.levels}
    changed = {name: [_rule(rule) for rule in rules] for name, rules in kinds.items()}
    return standing.model_copy(update=changed)


def _rule(rule: NamedRule) -> NamedRule:
    update = {"all": tuple(map(_condition, rule.all)), "any": tuple(map(_condition, rule.any))}
    return rule.model_copy(update=update)


def _condition(condition: Condition) -> Condition:
    stem, _, days = condition.feature.removesuffix("d").rpartition("_")
    if not stem.endswith("_events") or not days.isdigit() or int(days) in scope.WINDOWS_DAYS:
        return condition
    longer = next(w for w in scope.WINDOWS_DAYS if w > int(days))
    return condition.model_copy(update={"feature": f"{stem}_{longer}d"})


if __name__ == "__main__":
    main()
