"""The entry point: one program of the commands in ``pipelines/commands``."""

import os
import sys

import typer

from features.errors import KeepwellError, one_line
from pipelines.commands import nightly, start, steps, studies
from pipelines.ending import stop_cleanly_on_sigterm, storage_error

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DVC_NO_ANALYTICS="1")
# Polars' allocator: threads reuse one arena, which saves a quarter of the features' CPU time.
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:10000")
# OpenMP threads that wait sleep: where cores are shared, spinning tripled the time of training.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

commands = typer.Typer(
    name="keepwell",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Which stage each customer is in, who is about to leave, and what to do about it.",
    epilog="Example: keepwell demo",
)
for group in (start, nightly, steps, studies):
    commands.add_typer(group.commands)


def app() -> None:
    """Entry point: an error that a user can mend is one line and a stable exit code."""
    os.umask(0o077)
    stop_cleanly_on_sigterm()
    try:
        commands()
    except Exception as error:
        told = error if isinstance(error, KeepwellError) else storage_error(error)
        if told is None:
            raise
        typer.echo(f"keepwell: {one_line(str(told))}", err=True)
        sys.exit(told.exit_code)
