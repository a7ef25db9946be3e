"""Prove that a delivered folder is what its run wrote, and that a platform would take a file."""

import hashlib
import json
from datetime import date
from pathlib import Path

from delivery.checks import Finding, check_file
from delivery.platforms import PlatformCatalogue
from features.errors import DataError, UsageError
from pipelines.tables import present

MANIFEST = "manifest.json"


def verify(folder: Path) -> int:
    """Number of files, each with the size and SHA-256 that the manifest says, and no other.

    Raises
    ------
    InputMissingError
        If there is no manifest.
    DataError
        If a file is missing, changed or not in the manifest; names the files.
    """
    entries = json.loads(present(folder / MANIFEST, "manifest").read_text("utf-8"))["files"]
    found = {path.name for path in folder.iterdir()} - {MANIFEST}
    missing, extra = sorted(entries.keys() - found), sorted(found - entries.keys())
    changed = [name for name in sorted(found & entries.keys()) if not _same(folder / name, entries)]
    if missing or extra or changed:
        raise DataError(
            f"{folder.name}: not what the run wrote. Got missing: {_listed(missing)}; changed: "
            f"{_listed(changed)}; not in the manifest: {_listed(extra)}. Expected the files of "
            f"{MANIFEST}. Deliver again."
        )
    return len(entries)


def check_export(
    file: Path, platform: str, catalogue: PlatformCatalogue, today: date
) -> list[Finding]:
    """What a platform would refuse a file for.

    Raises
    ------
    InputMissingError
        If there is no such file.
    UsageError
        If the platform is unknown.
    """
    if platform not in catalogue.platforms:
        known = ", ".join(catalogue.platforms)
        raise UsageError(f"--platform: unknown. Got {platform!r}. Known: {known}.")
    content = present(file, "file").read_bytes()
    return check_file(file.name, content, catalogue.platforms[platform], catalogue, today)


def verdict(
    file: Path, platform: str, catalogue: PlatformCatalogue, today: date, *, as_json: bool
) -> tuple[str, int]:
    """What to print about a file, and the exit code: that of broken data where it is refused."""
    findings = check_export(file, platform, catalogue, today)
    code = DataError.exit_code if findings else 0
    if as_json:
        return json.dumps([finding._asdict() for finding in findings]), code
    name = catalogue.platforms[platform].name
    if not findings:
        return f"ok: {name} takes {file.name}", code
    lines = [f"{name} would refuse {file.name}:", *(f"  {one.sentence}" for one in findings)]
    return "\n".join(lines), code


def _same(path: Path, entries: dict[str, dict[str, object]]) -> bool:
    content, entry = path.read_bytes(), entries[path.name]
    digest = hashlib.sha256(content).hexdigest()
    return (digest, len(content)) == (entry["sha256"], entry["bytes"])


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
