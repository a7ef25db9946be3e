"""What Spark needs, and what is said where it is not there."""

import socket
import sys

import pytest

from features.errors import ConfigurationError
from pipelines.params import SparkParams
from pipelines.spark import session


@pytest.fixture
def some_java(tmp_path, monkeypatch):
    """A program of that name, enough to be found."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))


def refused(master):
    with pytest.raises(ConfigurationError) as caught, session(SparkParams(master=master)):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_java_is_said_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "Spark needs Java. Got no `java` in JAVA_HOME" in refused("local[2]")
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Spark needs Java. Got no `java` in PATH" in refused("local[2]")


def test_without_pyspark_the_extra_is_named(some_java, monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] in ("pyspark", "py4j")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "py4j", None)
    assert "`pip install 'keepwell[spark]'`" in refused("local[2]")


def test_master_that_does_not_answer_is_named(some_java):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        assert f"spark.master: no answer. Got {master}" in refused(master)
