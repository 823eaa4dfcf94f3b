"""Starting the model's process: what it is given, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numerai_predict
from numerai_predict.runner.cpus import THREAD_VARIABLES, processors, thread_environment
from numerai_predict.runner.identity import Identity, identity_for_model, readable_by

PACKAGE = Path(numerai_predict.__file__).parent

# What the process keeps of the environment: nothing that could be a secret.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", *THREAD_VARIABLES)

# The folder that the package lies in goes last on the path: nothing beside it may
# stand in for a library of the model's.
_BOOT = """\
import sys
sys.path.append(sys.argv[1])
from numerai_predict.runner.child.main import main
main(int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Launched:
    """A running process and the parent's ends of what joins the two.

    `answer` and `printed` are non-blocking descriptors to read from, `scratch` is
    the one folder that the process may call its own.
    """

    process: subprocess.Popen[bytes]
    requests: BinaryIO
    answer: int
    printed: int
    scratch: tempfile.TemporaryDirectory[str]
    identity: Identity

    def readable(self, path: Path) -> Path:
        """The file, or a copy of it that the process's user can read.

        Raises:
            OSError: the copy cannot be written.
        """
        return readable_by(self.identity, path, Path(self.scratch.name))

    def close(self) -> None:
        """Give everything back, the scratch folder included; the process has ended."""
        self.requests.close()
        os.close(self.answer)
        os.close(self.printed)
        self.scratch.cleanup()


def launch() -> Launched:
    """Start the process; it imports pandas and waits for its first request."""
    identity = identity_for_model(PACKAGE)
    scratch = tempfile.TemporaryDirectory(prefix="numerai-model-", ignore_cleanup_errors=True)
    if identity.user is not None:
        os.chown(scratch.name, identity.user, identity.user)
    answer, answer_end = os.pipe()
    printed, printed_end = os.pipe()
    requests_end, requests = os.pipe()
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-c", _BOOT, str(PACKAGE.parent), str(answer_end)],
            stdin=requests_end,
            stdout=printed_end,
            stderr=printed_end,
            pass_fds=(answer_end,),
            start_new_session=True,
            cwd=scratch.name,
            env=_environment(os.environ, scratch.name),
            user=identity.user,
            group=identity.user,
            extra_groups=None if identity.user is None else (),
        )
    finally:
        for descriptor in (answer_end, printed_end, requests_end):
            os.close(descriptor)
    os.set_blocking(answer, False)
    os.set_blocking(printed, False)
    return Launched(process, open(requests, "wb", buffering=0), answer, printed, scratch, identity)


def _environment(parent: Mapping[str, str], scratch: str) -> dict[str, str]:
    """The process's environment: a short allow-list, and the scratch folder as its home."""
    kept = {name: parent[name] for name in _KEPT_VARIABLES if name in parent}
    return {**thread_environment(processors()), **kept, "HOME": scratch, "TMPDIR": scratch}
