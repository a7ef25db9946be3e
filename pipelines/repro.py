"""``dvc repro`` from within the command line, with the environment's own commands first."""

import os
import subprocess
import sys
from pathlib import Path

from features.errors import KeepwellError


class StepFailedError(KeepwellError):
    """A step of the pipeline failed and has said why."""


def reproduce(folder: Path) -> None:
    """Run every stale step of ``dvc.yaml``.

    Raises
    ------
    StepFailedError
        If one fails; its own message stands above.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=False,
    )
    if done.returncode:
        raise StepFailedError("dvc repro: a step failed; its message stands above. Mend it, rerun.")
