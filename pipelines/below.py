"""Paths that the configuration names: they stay below the project's folder, links considered."""

from pathlib import Path

from features.errors import ConfigurationError


def below(root: Path, named: str, where: str) -> Path:
    """The path that a name in a folder means; an absolute one is what it is.

    Parameters
    ----------
    root : Path
        The folder: the project's, or an installed package's.
    named : str
        As the configuration has it.
    where : str
        The key that has it, for the message.

    Raises
    ------
    ConfigurationError
        If a relative path ends outside of the folder, by ``..`` or through a link.
    """
    path = root / named
    if not Path(named).is_absolute() and not path.resolve().is_relative_to(root.resolve()):
        raise ConfigurationError(
            f"{where}: leaves its folder, by `..` or through a link. Got {named!r}. Expected a "
            f"path below the folder, or an absolute one, which says openly where it leads. Fix it."
        )
    return path
