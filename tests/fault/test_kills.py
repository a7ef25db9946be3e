"""Some cases of ``benchmarks.faults``: kills at system calls, refused writes, a lost parent."""

import shutil

import pytest

from benchmarks import fault_cases as cases
from benchmarks.fault_points import points_of
from benchmarks.fault_worlds import NIGHT, fresh, make_world
from benchmarks.zygote import Zygote

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    zygote = Zygote(folder)
    world = make_world(folder, zygote)
    project = fresh(world, folder / "traced")
    points = points_of(zygote, project, ("run", "--project", project, *NIGHT))
    yield cases.Bench(zygote, world, points, folder)
    zygote.close()


def at(bench, call, part):
    """Number of a point by its call and a part of its path."""
    found = [n for n, p in enumerate(bench.points) if p.call == call and part in p.target]
    return found[len(found) // 2]


@pytest.mark.parametrize(
    ("call", "part"), [("rename", "/tables/"), ("write", "/features/"), ("rename", "/outbox/")]
)
def test_run_killed_at_a_call_leaves_the_old_or_the_new_and_a_rerun_succeeds(bench, call, part):
    found = cases.kill_at_a_call(bench, at(bench, call, part))
    assert found["fault"] == ""
    assert found["seen"] in ("old", "new")


def test_write_that_is_refused_leaves_the_old_and_nothing_else(bench):
    assert cases.use_up_the_quota(bench, 10)["fault"] == ""


def test_run_whose_parent_was_killed_publishes_nothing(bench):
    assert cases.kill_the_parent(bench, 0)["fault"] == ""
