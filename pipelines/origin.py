"""What a run is made of, as hashes: the same hashes give the same bytes."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version as installed
from pathlib import Path

from features.records import Record
from features.schemas import EVENTS
from pipelines.champions import CHAMPIONS
from pipelines.intake.ledger import Entry, read_ledger
from pipelines.project import Paths, Project
from pipelines.tables import present
from pipelines.verify import MANIFEST

LIBRARIES = (
    "keepwell", "polars", "narwhals", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn",
    "lightgbm", "skops", "xlsxwriter",
)  # fmt: skip
PACKAGES = ("features", "models", "actions", "delivery", "pipelines")


class MadeOf(Record):
    """Digests of everything that the files of a delivery follow from.

    Attributes
    ----------
    data : str
        Of the files that were read, but for event files that begin on the as-of date or later.
    catalogue, params : str
        Of the configuration; the as-of date in ``params.yaml`` does not count.
    models : str
        Of the champions: names, versions, digests.
    past : str
        Of the deliveries for earlier dates, which contact rules and measurement read.
    software : str
        Of Keepwell's own code and the versions of the libraries that compute.
    """

    data: str
    catalogue: str
    params: str
    models: str
    past: str
    software: str


def made_of(project: Project, paths: Paths, as_of: date) -> MadeOf:
    """Digests for a date, after its data were read and its champions resolved."""
    settings = project.params.model_dump(mode="json", exclude={"run": {"as_of"}, "spark": True})
    champions = present(paths.evaluation / CHAMPIONS, "champions").read_text("utf-8")
    return MadeOf(
        data=_digest(*(_entry(e) for e in read_ledger(paths.tables).entries if _seen(e, as_of))),
        catalogue=project.catalogue.sha256[:16],
        params=_digest(json.dumps(settings, sort_keys=True)),
        models=_digest(champions),
        past=_digest(*_deliveries(project.outbox, as_of)),
        software=_digest(json.dumps(libraries()), *sources()),
    )


def champions_named(evaluation: Path) -> dict[str, str]:
    """Kind of model -> name and version of the champion, or ``rule``."""
    named = json.loads(present(evaluation / CHAMPIONS, "champions").read_text("utf-8"))
    return {k: f"{f['name']} version {f['version']}" if f else "rule" for k, f in named.items()}


def libraries() -> dict[str, str]:
    """Installed versions of Keepwell and of the libraries that compute."""
    return {name: installed(name) for name in LIBRARIES}


def _seen(entry: Entry, as_of: date) -> bool:
    begins_later = entry.first_on is not None and entry.first_on >= as_of
    return entry.table != EVENTS.name or not begins_later


def _entry(entry: Entry) -> str:
    """The file and its account, which changes where a later file contradicts it."""
    return entry.model_dump_json(exclude={"stamp", "gone", "warnings"})


def _deliveries(outbox: Path, as_of: date) -> list[str]:
    earlier = [
        path
        for path in sorted(outbox.glob("as_of=*"))
        if path.name < f"as_of={as_of.isoformat()}" and (path / MANIFEST).is_file()
    ]
    return [(path / MANIFEST).read_text("utf-8") for path in earlier]


def sources(packages: Sequence[str] = PACKAGES) -> list[str]:
    """SHA-256 of each file of Keepwell's own code."""
    here = Path(__file__).resolve().parent.parent
    files = [p for name in packages for p in sorted((here / name).rglob("*"))]
    read = [p for p in files if p.suffix in (".py", ".html", ".css", ".js")]
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in read]


def _digest(*texts: str) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]
