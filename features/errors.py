"""The errors that a user can mend, each with a stable exit code (see docs/errors.md)."""


class KeepwellError(Exception):
    """One clear line that says where, what is wrong, got, expected, and what to do.

    Anything that is not a KeepwellError is a bug and keeps its traceback.
    """

    exit_code = 1


def one_line(message: str) -> str:
    """The message with line breaks and other control characters escaped.

    Names of files and columns come from outside: they must not forge a line of a log, nor move a
    terminal's cursor.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message)


class DataError(KeepwellError):
    """The data break their declared contract."""

    exit_code = 65


class InputMissingError(KeepwellError):
    """A file, table or column that was named does not exist."""

    exit_code = 66


class NoChampionError(KeepwellError):
    """No model carries the alias ``champion``."""

    exit_code = 69


class StorageError(KeepwellError):
    """Disk, quota or permissions."""

    exit_code = 74


class BusyError(KeepwellError):
    """Another run holds the lock."""

    exit_code = 75


class OrphanedError(BusyError):
    """The process that started the run has ended, so another may have been started."""


class RefusedError(KeepwellError):
    """Refused for safety or consent."""

    exit_code = 77


class ConfigurationError(KeepwellError):
    """``params.yaml`` or a catalogue file is wrong."""

    exit_code = 78


class UsageError(KeepwellError):
    """The command's words are wrong."""

    exit_code = 2
