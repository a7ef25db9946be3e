"""Every test that docs/reliability.md names is there, and every case names one."""

import ast
import re

import pytest

TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.fixture(scope="module")
def page(request):
    return (request.config.rootpath / "docs" / "reliability.md").read_text("utf-8")


def test_every_test_that_is_named_exists(page, request):
    missing = []
    for path, name in TEST.findall(page):
        file = request.config.rootpath / path
        tree = ast.parse(file.read_text("utf-8")) if file.is_file() else ast.Module([], [])
        known = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        if not file.is_file() or (name and name not in known):
            missing.append(f"{path}::{name}")
    assert missing == []


def test_every_case_is_there_once_and_has_a_test(page):
    rows = [line.split("|") for line in page.splitlines() if re.match(r"\| \d", line)]
    numbers = [int(cells[1]) for cells in rows]
    assert [number for number in numbers if numbers.count(number) > 1] == []
    assert {*numbers} == {*range(1, 67)}
    assert [cells[1] for cells in rows if not TEST.search(cells[4])] == []
