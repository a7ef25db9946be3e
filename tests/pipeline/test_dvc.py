"""dvc.yaml says what the steps do: their commands, what they read, what they make."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from pipelines.cli import commands
from pipelines.config import Params
from pipelines.settings import with_values

CODE = ("actions", "catalogue", "delivery", "features", "models", "pipelines", "simulation")
# What only reads, writes or keeps order: no value of a step depends on it.
PLUMBING = {
    "champions",
    "config",
    "ending",
    "leftovers",
    "lock",
    "origin",
    "params",
    "progress",
    "tables",
    "tracking",
}
CONFIGURATION = ("dvc.yaml", ".dvcignore", ".gitignore", ".dvc/config", ".dvc/.gitignore")


@pytest.fixture(scope="module")
def stages(repository):
    """The steps of the job."""
    return yaml.safe_load((repository / "dvc.yaml").read_text("utf-8"))["stages"]


@pytest.fixture(scope="module")
def every(stages, repository):
    """The steps, and after them the studies that are run by name alone."""
    studies = yaml.safe_load((repository / "studies" / "dvc.yaml").read_text("utf-8"))["stages"]
    assert [name for name, study in studies.items() if study["wdir"] != ".."] == []
    return {**stages, **studies}


def parameters_read(function):
    """Paths such as ``run.seed`` that a function reads from ``params`` or ``project.params``."""
    read = set()
    for node in ast.walk(function):
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id == "project" and parts == ["definitions"]:
            read.add("features")  # what the features are made of
        if isinstance(node, ast.Name) and node.id in ("params", "project"):
            names = [node.id, *reversed(parts)]
            after = names[names.index("params") + 1 :] if "params" in names else []
            if after and after[0] in Params.model_fields:
                read.add(".".join(after[:2]))
    longest = {path for path in read if not any(p.startswith(f"{path}.") for p in read)}
    return {path if is_key(path) else path.partition(".")[0] for path in longest}


def is_key(path):
    section, _, key = path.partition(".")
    return key in getattr(Params.model_fields[section].annotation, "model_fields", {})


@pytest.fixture(scope="module")
def reads(repository):
    """Step -> parameters that pipelines/steps.py gives it."""
    tree = ast.parse((repository / "pipelines" / "steps.py").read_text("utf-8"))
    found = {f.name: parameters_read(f) for f in tree.body if isinstance(f, ast.FunctionDef)}
    for name in ("deliver", "delivery_inputs"):  # they are given all parameters
        whole = ast.parse((repository / "pipelines" / f"{name}.py").read_text("utf-8"))
        found["deliver"] |= {path.partition(".")[0] for path in parameters_read(whole)}
    found["features"] |= {"run.as_of"}  # by the command line, unless --as-of is given
    for name in ("backtest", "tune"):
        found[name] |= found["_made_with"]
    return found


def outputs(stage):
    """Paths that a step makes; one with settings of its own is a mapping."""
    made = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])]
    return [path for out in made for path in ([out] if isinstance(out, str) else out)]


def covers(listed, path):
    return path == listed or path.startswith(f"{listed}.")


def test_every_step_is_the_command_of_its_name(every):
    known = get_command(commands).commands
    assert [name for name, stage in every.items() if stage["cmd"] != f"keepwell {name}"] == []
    assert [name for name in every if name not in known] == []


def test_every_dependency_is_in_the_repository_or_made_by_an_earlier_step(every, repository):
    made, missing = set(), []
    for name, stage in every.items():
        missing += [
            (name, path)
            for path in stage["deps"]
            if path not in made and not (repository / path).exists()
        ]
        made |= set(outputs(stage))
    assert missing == []


def test_parameters_that_a_step_reads_are_those_that_dvc_watches(every, reads):
    for name, stage in every.items():
        unwatched = {r for r in reads[name] if not any(covers(p, r) for p in stage["params"])}
        needless = {
            p for p in stage["params"] if not any(covers(p, r) or covers(r, p) for r in reads[name])
        }
        assert (name, unwatched, needless) == (name, set(), set())


def pipeline_modules(path):
    """Modules of ``pipelines`` that a module imports, as paths of files or sub-packages."""
    tree = ast.parse(path.read_text("utf-8"))
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    named = {node.module for node in froms if node.module.startswith("pipelines.")}
    named |= {
        f"pipelines.{a.name}" for node in froms if node.module == "pipelines" for a in node.names
    }
    first = {name.split(".")[1] for name in named}
    return {name if (path.parent / name).is_dir() else f"{name}.py" for name in first}


def test_code_of_every_step_is_watched(stages, every, repository):
    """Its own module and what that imports; what other steps made is watched as their output."""
    others = {f"{name}.py" for name in {*stages, *PLUMBING}}
    for name, stage in every.items():
        needed, unread = set(), {f"{name}.py"}
        while unread:
            needed |= unread
            files = [repository / "pipelines" / path for path in unread if path.endswith(".py")]
            unread = {path for file in files for path in pipeline_modules(file)} - others - needed
        unwatched = {f"pipelines/{path}" for path in needed} - set(stage["deps"])
        assert (name, unwatched) == (name, set())


def test_no_delivery_is_an_output_of_dvc(every):
    outs = [path for stage in every.values() for path in outputs(stage)]
    assert [path for path in outs if path.startswith("outbox")] == []
    assert len(outs) == len(set(outs))


@pytest.fixture(scope="module")
def clone(new_project, repository, tmp_path_factory):
    """A clone of the repository, its sources being those of a small simulated company."""
    root = tmp_path_factory.mktemp("clone") / "shop"
    shutil.copytree(new_project().root, root)
    for name in CODE:
        if name != "catalogue":
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(repository / name, root / name, ignore=ignored)
    for name in CONFIGURATION:
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(repository / name, root / name)
    for words in (("init", "-q"), ("add", "."), ("commit", "-qm", "Begin")):
        author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        subprocess.run(["git", *author, *words], cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def dvc(clone):
    binaries = Path(sys.executable).parent

    def call(*words):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=clone,
            env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.mark.slow
def test_dvc_does_every_step_once_and_then_nothing(dvc, clone, stages):
    first = dvc("repro")
    assert [name for name in stages if f"Running stage '{name}'" not in first] == []
    assert (clone / "outbox" / "latest" / "actions.csv").is_file()
    second = dvc("repro")
    assert "Running stage" not in second
    assert "Data and pipelines are up to date." in second
    shown = dvc("metrics", "show")
    assert "reports" in shown
    assert "churn.keepwell.auc" in shown
    dvc("plots", "show")
    page = (clone / "dvc_plots" / "index.html").read_text("utf-8")
    assert "predicted" in page
    assert "log_loss" in page
    params = clone / "params.yaml"
    changed = with_values(params.read_text("utf-8"), {"gate.max_ece": 0.5})
    params.write_text(changed, "utf-8")
    assert "gate.max_ece" in dvc("params", "diff")
    assert dvc("status").split(":")[0].strip() == "evaluate"
