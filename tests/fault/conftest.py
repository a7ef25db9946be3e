"""A tiny project that has delivered, for the tests that spoil it."""

import shutil
from datetime import date

import pytest

from pipelines.project import Project
from pipelines.run import run
from pipelines.settings import with_values
from pipelines.simulate import simulate_project

AS_OF = date(2026, 1, 1)


@pytest.fixture(scope="session")
def delivered_before(tmp_path_factory, request):
    """The folder of a project of forty customers that has delivered; nobody changes it."""
    root = tmp_path_factory.mktemp("tiny") / "shop"
    simulate_project(request.config.rootpath, root, customers=40, seed=7, until=AS_OF, days=400)
    text = (root / "params.yaml").read_text("utf-8")
    small = {"deliver.platforms": ["braze"], "deliver.top_customers": 10}
    (root / "params.yaml").write_text(with_values(text, small), "utf-8")
    run(Project(root), AS_OF, training="never", say=lambda _: None)
    return root


@pytest.fixture
def shop(delivered_before, tmp_path):
    """A copy of it, to be spoiled."""
    return shutil.copytree(delivered_before, tmp_path / "shop", symlinks=True)
