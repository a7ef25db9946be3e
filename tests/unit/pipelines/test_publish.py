"""A reader of the outbox sees the whole old folder or the whole new one."""

import os
import subprocess
import sys

import pytest

from features.errors import BusyError
from pipelines.lock import locked
from pipelines.publish import publish

MAY, JUNE = "as_of=2026-05-01", "as_of=2026-06-01"
FILES = {"actions.csv": b"a\n1\n", "manifest.json": b"{}\n"}
HOLDER = """
import sys, pathlib
from pipelines.lock import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def outbox(tmp_path):
    return tmp_path / "outbox"


@pytest.fixture
def holder(outbox):
    """Another process that holds the lock until it is told to end."""
    command = [sys.executable, "-c", HOLDER, str(outbox)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def visible(outbox):
    return sorted(path.name for path in outbox.iterdir() if not path.name.startswith("."))


def test_published_folder_holds_the_files_under_its_name_and_under_latest(outbox):
    assert publish(FILES, outbox, name=MAY, version="1") == outbox / MAY
    assert contents(outbox / MAY) == FILES
    assert contents(outbox / "latest") == FILES
    assert visible(outbox) == [MAY, "latest"]


def test_same_version_again_changes_nothing(outbox):
    publish(FILES, outbox, name=MAY, version="1")
    file = outbox / MAY / "actions.csv"
    before = (file.resolve(), file.stat().st_ino, file.stat().st_mtime_ns)
    publish(FILES, outbox, name=MAY, version="1")
    assert (file.resolve(), file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_new_version_takes_the_name_and_the_old_one_is_kept(outbox):
    publish(FILES, outbox, name=MAY, version="1")
    old = (outbox / MAY).resolve()
    publish({"actions.csv": b"new"}, outbox, name=MAY, version="2")
    assert contents(outbox / MAY) == {"actions.csv": b"new"}
    assert contents(old) == FILES


@pytest.mark.parametrize("order", [(MAY, JUNE), (JUNE, MAY)])
def test_latest_is_the_newest_date_and_not_the_newest_run(outbox, order):
    for name in order:
        publish({"actions.csv": name.encode()}, outbox, name=name, version=name[-5:])
    assert contents(outbox / "latest") == {"actions.csv": JUNE.encode()}


def test_links_are_relative_so_that_the_outbox_may_be_moved(outbox, tmp_path):
    publish(FILES, outbox, name=MAY, version="1")
    outbox.rename(tmp_path / "elsewhere")
    assert contents(tmp_path / "elsewhere" / "latest") == FILES


def test_what_a_killed_run_left_is_cleared(outbox):
    (outbox / ".unfinished-abc").mkdir(parents=True)
    (outbox / ".unfinished-abc" / "actions.csv").write_bytes(b"half")
    (outbox / ".unfinished-latest").symlink_to("nowhere")
    publish(FILES, outbox, name=MAY, version="1")
    assert list(outbox.glob(".unfinished*")) == []
    assert contents(outbox / "latest") == FILES


def test_write_that_fails_leaves_the_old_folder_in_place(outbox):
    publish(FILES, outbox, name=MAY, version="1")
    with pytest.raises(FileNotFoundError):
        publish({"actions.csv": b"new", "no/such/folder": b""}, outbox, name=MAY, version="2")
    assert contents(outbox / MAY) == FILES
    assert [path.name for path in (outbox / ".versions").iterdir()] == [f"{MAY}.1"]


def test_second_publisher_is_told_who_is_writing(outbox, holder):
    message = rf"outbox: another run is writing\. Got process {holder.pid} on "
    with pytest.raises(BusyError, match=message):
        publish(FILES, outbox, name=MAY, version="1")
    assert visible(outbox) == []


def test_lock_ends_with_its_process_however_it_ends(outbox, holder):
    holder.kill()
    holder.wait()
    with locked(outbox):
        assert visible(outbox) == []


def test_only_the_owner_may_read_whatever_the_umask_says(outbox):
    before = os.umask(0o000)
    try:
        publish(FILES, outbox, name=MAY, version="1")
    finally:
        os.umask(before)
    folder = (outbox / MAY).resolve()
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (outbox, folder, folder.parent)} == {0o700}
