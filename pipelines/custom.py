"""A company's own features, from ``catalogue/custom_features.py``."""

import runpy
from pathlib import Path
from typing import cast

from features.definitions import Compute, CustomFeatures
from features.errors import ConfigurationError
from features.feature import Feature

FILE = "custom_features.py"


def read_custom(catalogue: Path) -> CustomFeatures | None:
    """The company's own features; None where there is no such file.

    Raises
    ------
    ConfigurationError
        If the file does not define ``DECLARED`` and ``compute``, or declares something else than
        features of the layer ``custom``.
    """
    path = catalogue / FILE
    if not path.is_file():
        return None
    found = runpy.run_path(str(path), run_name="custom_features")
    declared, compute = found.get("DECLARED"), cast("Compute", found.get("compute"))
    if not declared or not callable(compute):
        raise ConfigurationError(
            f"{FILE}: Got {'no DECLARED' if not declared else 'no function compute'}. Expected a "
            "list DECLARED of features and a function compute(days). See CONTRIBUTING.md."
        )
    strange = [str(f)[:60] for f in declared if not _is_custom(f)]
    if strange:
        raise ConfigurationError(
            f"{FILE}, DECLARED: Got {strange[0]}. Expected features of the layer 'custom', without "
            "an expression. See CONTRIBUTING.md."
        )
    return CustomFeatures(tuple(declared), compute, path.read_text("utf-8"))


def _is_custom(feature: object) -> bool:
    return isinstance(feature, Feature) and feature.layer == "custom" and feature.expression is None
