"""Run `keepwell` many times without importing everything anew: a process that forks for each.

The child is the command itself: same code, same arguments, same exit codes. Only start-up is saved.
"""

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import NamedTuple

HEAVY = (
    "IPython.display",
    "alembic.command",
    "cryptography.fernet",
    "git",
    "mlflow.sklearn",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "opentelemetry.sdk.trace",
    "sklearn.ensemble",
    "sqlalchemy.dialects.sqlite",
    "xlsxwriter",
)
PATIENCE_SECONDS = 300
PR_SET_CHILD_SUBREAPER = 36
SIGNALLED = 200  # plus the signal's number: how a starter hands on that its command was killed


class Ended(NamedTuple):
    """How a command ended: negative codes are signals, as in `subprocess`."""

    code: int
    said: str
    seconds: float


class Zygote:
    """A process that has imported everything, and forks a command when it is asked to."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._count = 0
        self._server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self._answer()

    def start(self, *words: object, stopped: bool = False) -> "Running":
        """Begin a command, with a parent of its own; `stopped`: it waits for SIGCONT."""
        self._count += 1
        log = self._scratch / f"said-{os.getpid()}-{self._count}"
        asked = {"words": [str(word) for word in words], "log": str(log), "stopped": stopped}
        assert self._server.stdin
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        pids = self._answer()
        return Running(pids["pid"], pids["parent"], log, time.time())

    def run(self, *words: object) -> Ended:
        """Do a command and wait for its end."""
        return self.start(*words).wait()

    def close(self) -> None:
        """End the process."""
        assert self._server.stdin
        self._server.stdin.close()
        self._server.wait()

    def _answer(self) -> dict[str, int]:
        assert self._server.stdout
        return json.loads(self._server.stdout.readline())


class Running(NamedTuple):
    """A command that was begun."""

    pid: int
    parent: int
    log: Path
    begun: float

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, if it is still there."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def wait(self) -> Ended:
        """Wait for its end."""
        code = self.log.with_suffix(".code")  # written by the guard, after the command's end
        while not code.exists():
            if time.time() - self.begun > PATIENCE_SECONDS:
                self.kill()
                raise TimeoutError(f"a command did not end: {self.log.read_text()[-300:]}")
            time.sleep(0.01)
        seconds = code.stat().st_mtime - self.begun
        ended = Ended(int(code.read_text()), self.log.read_text(), seconds)
        self.log.unlink()
        code.unlink()
        return ended


def serve() -> None:
    """Import everything, then fork a command for each line on standard input."""
    import pipelines

    for module in pkgutil.iter_modules(pipelines.__path__):
        if not module.name.startswith("spark"):
            importlib.import_module(f"pipelines.{module.name}")
    for name in HEAVY:
        importlib.import_module(name)
    print(json.dumps({}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        read, write = os.pipe()
        if os.fork() == 0:
            os.setsid()
            _guard(asked, write)
        os.close(write)
        with os.fdopen(read) as answer:
            command, parent = answer.readline().split()
        print(json.dumps({"pid": int(command), "parent": int(parent)}), flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for guards


def _guard(asked: dict, write: int) -> None:
    """Wait for the command and write down its exit code, whatever becomes of its parent."""
    import ctypes

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    starter = os.fork()
    if starter == 0:
        command = os.fork()
        if command == 0:
            _command(asked)
        os.write(write, f"{command} {os.getpid()}\n".encode())
        os.close(write)
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
        os._exit(code if code >= 0 else SIGNALLED - code)
    os.close(write)
    code = os.waitstatus_to_exitcode(os.waitpid(starter, 0)[1])
    if code < 0:  # the starter was killed: the command is ours now
        code = os.waitstatus_to_exitcode(os.wait()[1])
    elif code > SIGNALLED:
        code = SIGNALLED - code
    done = Path(asked["log"])
    done.with_suffix(".new").write_text(str(code))
    done.with_suffix(".new").replace(done.with_suffix(".code"))
    os._exit(0)


def _command(asked: dict) -> None:
    """Be the command, started as by a scheduler: `nohup`, if we run under it, is not its own."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    out = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    if asked["stopped"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    sys.argv = ["keepwell", *asked["words"]]
    from pipelines.cli import app

    code = 1
    try:
        app()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
