"""The seccomp profile of containers that run models: it allows the namespaces of the model."""

from __future__ import annotations

import functools
import subprocess

from numerai_predict.contract.bootstrap import PACKAGE

_FILE = PACKAGE / "runner/container/seccomp.json"
_QUERY_SECONDS = 20.0
# What engines call their own profile. One that the administrator chose stays in force.
_BUILT_IN = ("name=seccomp,profile=builtin", "name=seccomp,profile=default")


@functools.cache
def model_profile(engine: str) -> str | None:
    """The path of the profile for `--security-opt`; `None` to leave the engine its own.

    It replaces the built-in profile of Docker alone: another engine, or a kernel without seccomp,
    does not report that one. A zipapp has no file that an engine could read.
    """
    command = [engine, "info", "--format", "{{json .SecurityOptions}}"]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_QUERY_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = ended.stdout.decode(errors="replace")
    is_built_in = ended.returncode == 0 and any(name in found for name in _BUILT_IN)
    return str(_FILE) if is_built_in and _FILE.is_file() else None
