"""One simulated company for all tests of this folder, and one run of the whole job on it."""

from datetime import date
from typing import NamedTuple

import pytest

from pipelines import steps
from pipelines.project import Project
from pipelines.run import STATE, Outcome, run
from pipelines.settings import with_values
from pipelines.simulate import simulate_project

AS_OF = date(2026, 1, 1)
PLATFORMS = [
    "braze", "klaviyo", "hubspot", "mailchimp", "salesforce_mc", "customer_io", "iterable",
    "google_customer_match", "meta", "linkedin",
]  # fmt: skip
FAST = {
    "train.boosting_rounds": 20,
    "cutoffs.count": 4,
    "gate.bootstrap_samples": 100,
    "deliver.platforms": PLATFORMS,
}


class Done(NamedTuple):
    """A project and what its run made."""

    project: Project
    outcome: Outcome


def silent(_):
    return None


@pytest.fixture(scope="session")
def repository(request):
    return request.config.rootpath


@pytest.fixture(scope="session")
def new_project(tmp_path_factory, repository):
    """A fresh folder of the same simulated company each time."""

    def make(**values):
        out = tmp_path_factory.mktemp("simulated") / "shop"
        simulate_project(repository, out, customers=700, seed=7, until=AS_OF, days=730)
        text = (out / "params.yaml").read_text("utf-8")
        (out / "params.yaml").write_text(with_values(text, FAST | values), "utf-8")
        return Project(out)

    return make


@pytest.fixture(scope="session")
def run_job():
    """Run every step for a date, without a word."""

    def run_for(project, as_of=AS_OF, training="always"):
        return Done(project, run(project, as_of, training=training, say=silent))

    return run_for


@pytest.fixture(scope="session")
def trained():
    """Do the steps up to training, for tests that look between the steps; returns the paths."""

    def steps_of(project, as_of):
        paths = project.paths(STATE)
        steps.ingest(project, paths)
        steps.features(project, paths, as_of)
        steps.labels(project, paths)
        steps.train(project, paths)
        return paths

    return steps_of


@pytest.fixture(scope="session")
def done(new_project, run_job):
    """The run that most tests look at; they change nothing in its folder."""
    return run_job(new_project())
