"""A simulated project is complete, reproducible and tells the job nothing of its truth."""

from datetime import date

import polars as pl
import pytest

from features.errors import InputMissingError, RefusedError
from features.schemas import DECISIONS
from pipelines.intake.people import complete
from pipelines.project import Project
from pipelines.simulate import respond_to, simulate_project
from pipelines.steps import ingest
from pipelines.tables import polars_schema, write

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


def test_a_simulated_company_answers_a_delivery_and_to_ask_again_adds_nothing(tmp_path, repository):
    out = tmp_path / "shop"
    simulate_project(repository, out, customers=60, seed=3, until=UNTIL, days=200)
    delivered = out / "outbox" / "as_of=2026-01-01"
    given = pl.DataFrame(
        {"decision_id": ["a", "b"], "customer_id": ["000001", "000002"], "as_of": [UNTIL] * 2,
         "outcome": ["exported"] * 2, "action_id": ["win_back_offer", "picked_for_you"],
         "channel": ["email", "mail"]}
    )  # fmt: skip
    unused = [pl.col(pl.String).fill_null("-"), pl.col(pl.Int64, pl.Float64).fill_null(0)]
    rows = complete(given, DECISIONS).with_columns(unused)
    write(rows, delivered / "decisions.parquet", DECISIONS)
    before = pl.read_csv(out / "raw" / "events.csv", infer_schema=False)
    assert "2026-01-31" in respond_to(delivered, 30)
    after = pl.read_csv(out / "raw" / "events.csv", infer_schema=False)
    assert after.head(before.height).equals(before)
    assert (after["occurred_at"][before.height :] >= "2026-01-01").all()
    truth = out / "truth" / "as_of=2026-01-01" / "reply.parquet"
    assert pl.read_parquet(truth).height <= 2
    (out / "outbox" / "latest").symlink_to(delivered.name)
    respond_to(out / "outbox" / "latest", 30)
    assert pl.read_csv(out / "raw" / "events.csv", infer_schema=False).equals(after)


def test_company_answers_only_where_it_stood(tmp_path, repository):
    out = tmp_path / "shop"
    simulate_project(repository, out, customers=60, seed=3, until=UNTIL, days=200)
    nothing = pl.DataFrame(schema=polars_schema(DECISIONS))
    delivered = out / "outbox" / "as_of=2026-02-01"
    write(nothing, delivered / "decisions.parquet", DECISIONS)
    with pytest.raises(InputMissingError, match="the simulated company on that day: not found"):
        respond_to(delivered, 30)
