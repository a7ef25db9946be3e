"""A simulated project is complete, reproducible and tells the job nothing of its truth."""

from datetime import date

import polars as pl
import pytest

from features.errors import RefusedError
from pipelines.project import Project
from pipelines.simulate import simulate_project
from pipelines.steps import ingest

UNTIL = date(2026, 1, 1)


@pytest.fixture(scope="module")
def repository(request):
    return request.config.rootpath


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, repository):
    out = tmp_path_factory.mktemp("simulated") / "shop"
    simulate_project(repository, out, customers=60, seed=3, until=UNTIL, days=200)
    return Project(out)


def test_configuration_of_a_simulated_project_is_right(simulated):
    assert simulated.params.run.as_of == UNTIL
    assert simulated.params.recommend.budget_cents == 1200
    assert set(simulated.catalogue.sources.sources) == {
        "events", "customers", "contacts", "consents", "sends",
    }  # fmt: skip


def test_no_row_of_a_simulated_export_is_wrong(simulated):
    for source in ingest(simulated, simulated.paths("state")):
        assert source["duplicates"] == 0
        assert source["accepted"] > 0


def test_every_simulated_event_is_known_to_the_shipped_taxonomy(simulated):
    for source in ingest(simulated, simulated.paths("state")):
        assert source["quarantined"] == 0


def test_same_seed_gives_the_same_files(simulated, tmp_path, repository):
    simulate_project(repository, tmp_path / "b", customers=60, seed=3, until=UNTIL, days=200)
    first = {p.name: p.read_bytes() for p in (simulated.root / "raw").iterdir()}
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "b" / "raw").iterdir()}


def test_job_reads_no_file_that_knows_the_truth(simulated):
    paths = {source.path for source in simulated.catalogue.sources.sources.values()}
    assert all(path.startswith("raw/") for path in paths)
    truth = pl.read_parquet(simulated.root / "truth" / "customers.parquet")
    secret = set(truth.columns) - {"customer_id"}
    for path in paths:
        assert not secret & set(pl.read_csv(simulated.root / path, n_rows=0).columns)


def test_folder_that_exists_is_left_alone(tmp_path, repository):
    with pytest.raises(RefusedError, match="--out: exists already"):
        simulate_project(repository, tmp_path, customers=60, seed=3, until=UNTIL, days=200)
    assert list(tmp_path.iterdir()) == []
