"""The recipes of docs/deployment say what the commands and the repository really have."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import commands

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "deployment"
COMMAND = "/srv/keepwell/.venv/bin/keepwell"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_units_are_valid(tmp_path):
    for name in ("keepwell.service", "keepwell.timer"):
        text = (RECIPES / name).read_text("utf-8").replace(COMMAND, "/bin/true")
        (tmp_path / name).write_text(text, "utf-8")
    units = [tmp_path / "keepwell.service", tmp_path / "keepwell.timer"]
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["keepwell.cron", "keepwell.service", "airflow_dag.py", "dagster_job.py"]
)
def test_recipe_uses_commands_and_options_that_there_are(name):
    text = (RECIPES / name).read_text("utf-8")
    helps = {
        command: CliRunner().invoke(commands, [command, "--help"]).output
        for command in ("run", "monitor")
    }
    assert {"run", "monitor"} <= set(re.findall(r"\b(run|monitor)\b", text))
    for option in re.findall(r"--(?:as-of|wait|project)\b", text):
        assert option in helps["run"]


def test_container_copies_what_the_package_needs():
    text = (RECIPES / "Containerfile").read_text("utf-8")
    copied = {
        word.rstrip("/")
        for line in re.findall(r"^COPY (.+) \S+$", text, flags=re.MULTILINE)
        for word in line.split()
    }
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = built["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"]} <= copied
    assert all((ROOT / name).exists() for name in copied)
    assert re.search(r"^USER keepwell$", text, flags=re.MULTILINE)
