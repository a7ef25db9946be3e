"""A project folder: its configuration, and where `keepwell run` keeps its state."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from features.definitions import Definitions
from pipelines.below import below
from pipelines.config import Catalogue, Params, check_references, read_catalogue, read_params


class Paths(NamedTuple):
    """Files of one line of steps; DVC's are under data/, the nightly job's under state/."""

    tables: Path
    daily: Path
    features: Path
    labels: Path
    models: Path
    evaluation: Path
    scores: Path
    effects: Path
    measurement: Path
    decisions: Path
    plan: Path
    monitor: Path
    receipt: Path
    reports: Path


class Project:
    """A folder with ``params.yaml`` and ``catalogue/``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def params(self) -> Params:
        """The parameters, checked."""
        params = read_params(self.root / "params.yaml")
        store = params.tracking.uri.removeprefix("sqlite:///")
        for key, named in (("uri", store), ("artifacts", params.tracking.artifacts)):
            if "://" not in named:
                below(self.root, named, f"params.yaml, tracking.{key}")
        return params

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue, with every reference checked."""
        catalogue = read_catalogue(self.root / "catalogue")
        check_references(self.params, catalogue)
        return catalogue

    @cached_property
    def definitions(self) -> Definitions:
        """What the features are made of."""
        return self.catalogue.definitions(self.params.features)

    @property
    def outbox(self) -> Path:
        """Where deliveries are published."""
        return self.root / "outbox"

    def paths(self, folder: str, reports: str | None = None) -> Paths:
        """The files of a line of steps below `folder`."""
        base = self.root / folder
        return Paths(
            tables=base / "tables",
            daily=base / "daily",
            features=base / "features",
            labels=base / "labels.parquet",
            models=base / "models",
            evaluation=base / "evaluation",
            scores=base / "scores.parquet",
            effects=base / "effects.parquet",
            measurement=base / "measurement",
            decisions=base / "decisions.parquet",
            plan=base / "plan",
            monitor=base / "monitor",
            receipt=base / "delivered.json",
            reports=self.root / reports if reports else base / "reports",
        )
