"""Run a command on a machine whose only network is loopback, and fail if anything tried to leave.

``python tests/offline.py pytest ...`` gives the command, and all that it starts, an empty network
name space of its own. Whatever tries to reach another machine fails at once, and the kernel counts
it: a packet or connection that has no route. Where name spaces are not permitted (containers
without the right, other systems than Linux) it says so, and runs the command all the same.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

INSIDE = "--inside"
# Chromium asks the kernel for a way to this address, to learn whether IPv6 works; it sends nothing.
# A route that says no is not counted as one that is missing.
PROBED = "2001:4860:4860::8888/128"
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1  # of ioctl, for network interfaces


def main() -> None:
    """Go into the name space, or run the command there."""
    if sys.argv[1] == INSIDE:
        user, group, *words = sys.argv[2:]
        sys.exit(watched(words, int(user), int(group)))
    command, entrance = sys.argv[1:], way_in()
    if entrance is None:
        print("offline: no network name space here: not checked that nothing leaves this machine",
              file=sys.stderr)  # fmt: skip
        os.execvp(command[0], command)
    who = (str(os.geteuid()), str(os.getegid()))
    os.execvp(entrance[0], [*entrance, sys.executable, __file__, INSIDE, *who, *command])


def way_in() -> list[str] | None:
    """The words before a command that give it a network of its own, if that is permitted."""
    words = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if not shutil.which(words[0]):
        return None
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried.returncode == 0 else None


def watched(command: list[str], user: int, group: int) -> int:
    """Run a command as the user who asked; its exit code, or 1 if something tried to leave."""
    loopback_up()
    if shutil.which("ip"):
        subprocess.run(["ip", "-6", "route", "add", "prohibit", PROBED], check=False)
    before = without_a_route()
    again = ["unshare", f"--map-user={user}", f"--map-group={group}"] if user else []
    code = subprocess.run([*again, *command], check=False).returncode
    tries = without_a_route() - before
    if tries:
        print(f"offline: {tries} tries to reach another machine. Expected none. Find them with "
              f"strace --follow-forks --trace=connect,sendto.", file=sys.stderr)  # fmt: skip
    else:
        print("offline: nothing tried to reach another machine", file=sys.stderr)
    return code or int(tries > 0)


def loopback_up() -> None:
    """Switch loopback on, which is off in a new name space."""
    with socket.socket() as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(any_socket, GET_FLAGS, asked), 16)
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sH14x", b"lo", flags | UP))


def without_a_route() -> int:
    """How often this name space had no route for a connection or packet, IPv4 and IPv6."""
    names, values = (
        line.split()
        for line in Path("/proc/net/snmp").read_text("ascii").splitlines()
        if line.startswith("Ip:")
    )
    four = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    six = Path("/proc/net/snmp6")  # not there where IPv6 is switched off
    lines = six.read_text("ascii").splitlines() if six.exists() else []
    return four + sum(int(n) for name, n in map(str.split, lines) if name == "Ip6OutNoRoutes")


if __name__ == "__main__":
    main()
