"""Models as files that need no trust: skops with our own list of types, and reproducible bytes."""

import hashlib
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import skops.io

from features.errors import RefusedError
from pipelines.tables import replacing

TRUSTED = (
    "models.churn.ChurnModel",
    "models.lifetime_value.SavedValue",
    "models.preprocessing.signed_log",
    "numpy.dtype",
    "sklearn.compose._column_transformer._RemainderColsList",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
_NUMBERED = re.compile(rb'("__id__": |"file": ")(\d+)')


def save_model(model: Any, path: Path) -> str:
    """Write a model and return the SHA-256 of the file.

    skops names parts by memory address and stamps the time; both are replaced, so that the same
    model has the same bytes.
    """
    content = _reproducible(skops.io.dumps(model))
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def load_model(path: Path, sha256: str) -> Any:
    """Load a model whose digest is known from elsewhere.

    Raises
    ------
    RefusedError
        If the file's digest differs, or it holds a type that is not in our list; nothing of it has
        been run then.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise RefusedError(
            f"model {path.name}: not the file that was registered. Got SHA-256 {digest[:12]}. "
            f"Expected {sha256[:12]}. Train again, or restore the artefact."
        )
    unknown = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    if unknown:
        raise RefusedError(
            f"model {path.name}: holds types that Keepwell does not load. Got {unknown[:3]}. "
            f"Train the model with Keepwell."
        )
    return skops.io.loads(content, trusted=list(TRUSTED))


def _reproducible(content: bytes) -> bytes:
    numbers: dict[bytes, int] = {}

    def renumber(found: re.Match[bytes]) -> bytes:
        number = numbers.setdefault(found[2], len(numbers))
        return found[1] + str(number).encode()

    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(result, "w") as new:
        schema = _NUMBERED.sub(renumber, old.read("schema.json"))
        for name in old.namelist():
            stem, dot, ending = name.partition(".")
            renamed = f"{numbers[stem.encode()]}{dot}{ending}" if stem.isdigit() else name
            body = schema if name == "schema.json" else old.read(name)
            new.writestr(zipfile.ZipInfo(renamed, (1980, 1, 1, 0, 0, 0)), body)
    return result.getvalue()
