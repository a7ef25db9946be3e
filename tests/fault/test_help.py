"""Help answers at once and shows how it is done."""

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipelines.cli import commands

NAMES = sorted(get_command(commands).commands)
HEAVY = {"pandas", "polars", "mlflow", "sklearn", "dvc", "scipy", "numpy", "narwhals", "pyarrow"}


@pytest.mark.parametrize("name", NAMES)
def test_help_of_every_command_shows_an_example_that_it_understands(name):
    shown = CliRunner().invoke(commands, [name, "--help"])
    assert shown.exit_code == 0
    example = shown.output.partition("Example: keepwell ")[2].split()
    assert example[0] == name
    for option in (word for word in example if word.startswith("--")):
        assert option in shown.output.partition("Example:")[0]


def test_help_without_a_command_lists_every_command():
    shown = CliRunner().invoke(commands, ["--help"])
    assert [name for name in NAMES if f"  {name} " not in shown.output] == []


def test_nothing_heavy_is_imported_for_the_command_line():
    code = "import sys, pipelines.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()
