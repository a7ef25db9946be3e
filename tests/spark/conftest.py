"""One simulated company worked through on Polars, and the same files for Spark to begin from."""

import os
import shutil
from datetime import date

import polars as pl
import pytest

from pipelines import steps
from pipelines.champions import KINDS
from pipelines.features import scan_snapshot
from pipelines.project import Project
from pipelines.run import STATE, run
from pipelines.settings import with_values
from pipelines.simulate import simulate_project

AS_OF = date(2026, 1, 1)
FAST = {
    "train.boosting_rounds": 10,
    "train.min_per_class": 20,
    "cutoffs.count": 2,
    "gate.bootstrap_samples": 100,
}
# Rows are few: what costs is compiling, of plans and of Java, and a task for each part of a table.
DEFAULTS = """\
spark.sql.codegen.wholeStage false
spark.sql.shuffle.partitions 2
spark.executor.memory 512m
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


def silent(_):
    return None


def pytest_collection_modifyitems(items):
    """Without Java nothing here can run: it is skipped, and says so."""
    skip = pytest.mark.skip(reason="Spark needs Java: no `java` was found")
    for item in items:
        if "tests/spark" in str(item.path) and not shutil.which("java"):
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def spark_on_loopback(tmp_path_factory):
    """What every Spark process of these tests reads when it starts."""
    folder = tmp_path_factory.mktemp("conf")
    (folder / "spark-defaults.conf").write_text(DEFAULTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(folder))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        yield dict(os.environ)


@pytest.fixture(scope="session")
def on_polars(tmp_path_factory, request):
    """The whole job on Polars, with champions."""
    out = tmp_path_factory.mktemp("company") / "shop"
    simulate_project(request.config.rootpath, out, customers=300, seed=7, until=AS_OF, days=500)
    text = (out / "params.yaml").read_text("utf-8")
    (out / "params.yaml").write_text(with_values(text, FAST), "utf-8")
    project = Project(out)
    run(project, AS_OF, training="always", say=silent)
    for kind in KINDS:  # the gate would not take a model of so few customers
        steps.promote(project, kind, "1")
    run(project, AS_OF, training="never", say=silent)
    return project


@pytest.fixture(scope="session")
def for_spark(on_polars, tmp_path_factory):
    """The same company and champions, with Spark as the engine, and nothing computed."""

    def at(master):
        out = tmp_path_factory.mktemp("spark") / "shop"
        shutil.copytree(on_polars.root, out, symlinks=True)
        for made in ("daily", "features", "labels.parquet", "scores.parquet"):
            path = out / STATE / made
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        text = (out / "params.yaml").read_text("utf-8")
        text = with_values(text, {"engine": "spark", "spark.master": master})
        (out / "params.yaml").write_text(text, "utf-8")
        return Project(out)

    return at


@pytest.fixture(scope="session")
def assert_equal():
    """Integers, text and booleans to the byte, floats within 1e-9 of their size."""

    def compare(ours: pl.DataFrame, theirs: pl.DataFrame):
        assert ours.columns == theirs.columns
        assert ours.height == theirs.height > 0
        wrong = [name for name in ours.columns if not _same(ours[name], theirs[name])]
        assert wrong == []

    return compare


@pytest.fixture(scope="session")
def assert_same_features(assert_equal):
    """Compare every snapshot that a project has with the other engine's."""

    def compare(project, other):
        features = project.paths(STATE).features
        days = sorted(
            date.fromisoformat(f.name.partition("=")[2]) for f in features.glob("as_of=*")
        )
        assert days
        for day in days:
            tables = [
                scan_snapshot(p.paths(STATE).features, day).sort("customer_id").collect()
                for p in (project, other)
            ]
            columns = tables[1].columns
            assert_equal(tables[0].select(columns), tables[1])

    return compare


def _same(one: pl.Series, other: pl.Series) -> bool:
    if one.dtype.is_float() or other.dtype.is_float():
        both = pl.DataFrame({"one": one.cast(pl.Float64), "other": other.cast(pl.Float64)})
        near = (pl.col("one") - pl.col("other")).abs() <= 1e-9 * pl.col("other").abs()
        nulls = pl.col("one").is_null() & pl.col("other").is_null()
        return both.select((near.fill_null(False) | nulls).all()).item()
    return one.cast(other.dtype).equals(other, check_names=False)
