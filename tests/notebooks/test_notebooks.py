"""The notebooks run on the demo's data, define nothing, and carry no output into git."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def code_cells(notebook):
    read = nbformat.read(notebook, as_version=4)
    return [cell for cell in read.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_carries_no_output(notebook):
    kept = [cell for cell in code_cells(notebook) if cell.outputs or cell.execution_count]
    assert not kept, "strip it: `make fix`"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing(notebook):
    for cell in code_cells(notebook):
        assert not [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, DEFINITIONS)]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_demo(notebook, demo):
    opened = nbformat.read(notebook, as_version=4)
    place = {"metadata": {"path": str(demo / "notebooks")}}
    done = NotebookClient(opened, timeout=120, kernel_name="python3", resources=place).execute()
    drawn = [o for cell in done.cells for o in cell.get("outputs", []) if "image/svg+xml" in str(o)]
    assert drawn
