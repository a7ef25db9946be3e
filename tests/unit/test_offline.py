"""The suite runs without a network, and whatever tries to leave the machine is noticed."""

import subprocess
import sys
from pathlib import Path

import pytest

OFFLINE = Path(__file__).parents[1] / "offline.py"
LOOPBACK = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    socket.create_connection(server.getsockname()).close()
"""
TRIES = {
    "connection": 'socket.create_connection(("192.0.2.1", 80))',
    "datagram": 'socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53))',
    "IPv6": 'socket.create_connection(("2001:db8::1", 80))',
    "of a child": (
        'subprocess.run([sys.executable, "-c", "import socket; '
        "socket.create_connection((\\'192.0.2.1\\', 80))\"])"
    ),
}
REFUSED = """
import contextlib, socket, subprocess, sys
with contextlib.suppress(OSError):
    {}
"""


def offline(code):
    command = [sys.executable, OFFLINE, sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "no network name space here" in done.stderr:
        pytest.skip("network name spaces are not permitted here")
    return done


def test_loopback_is_there_and_counts_for_nothing():
    done = offline(LOOPBACK)
    assert (done.returncode, done.stderr) == (
        0,
        "offline: nothing tried to reach another machine\n",
    )


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES)
def test_try_to_reach_another_machine_fails_the_command_though_it_hides_the_error(attempt):
    done = offline(REFUSED.format(attempt))
    assert done.returncode == 1
    assert "offline: 1 tries to reach another machine. Expected none." in done.stderr


def test_exit_code_of_the_command_is_handed_on():
    assert offline("raise SystemExit(5)").returncode == 5
