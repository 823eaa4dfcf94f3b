"""Starting the model's process: what it is given, and nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from numerai_predict.contract.limits import Limits
from numerai_predict.resources.cpu_quota import THREAD_VARIABLES, thread_environment, usable_cpus
from numerai_predict.runner.bootstrap import PACKAGE, bootstrap_argv
from numerai_predict.runner.protocol import ConfineRequest, Request
from numerai_predict.sandbox.apply import SandboxSpec
from numerai_predict.sandbox.identity import Identity, identity_for_model, readable_by
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.scratch import create_scratch, scratch_variables

# What the process keeps of the environment: nothing that could be a secret.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", *THREAD_VARIABLES)

_MODEL_PROCESS = "numerai_predict.runner.child.main:start"


class Process(Protocol):
    """A child process, however it came to be: `subprocess.Popen`, or one that was forked."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; `None` until `poll` or `wait` saw the end."""

    def poll(self) -> int | None:
        """The exit status if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not within that many seconds.
        """


@dataclass(frozen=True)
class ProcessHandle:
    """A running process and the parent's ends of what joins the two.

    `answer` and `printed` are non-blocking descriptors to read from, `scratch` is
    the one folder that the process may call its own, `layers` what it was started with.
    `in_memory` are the paths of data that the process has already read.
    """

    process: Process
    requests: BinaryIO
    answer: int
    printed: int
    scratch: tempfile.TemporaryDirectory[str]
    identity: Identity
    known: frozenset[Path]
    layers: Layers
    in_memory: frozenset[Path] = frozenset()

    def readable(self, path: Path) -> Path:
        """The file, or a copy of it that the process's user can read.

        Raises:
            OSError: the copy cannot be written.
        """
        if path in self.in_memory:
            return path
        return readable_by(self.identity, path, self.known, Path(self.scratch.name))

    def send(self, request: Request) -> None:
        """Send a request. Nobody may be there to take it any more: the answer tells."""
        with contextlib.suppress(OSError):
            self.requests.write(json.dumps(asdict(request)).encode() + b"\n")

    def close(self) -> None:
        """Give everything back, the scratch folder included; the process has ended."""
        self.requests.close()
        os.close(self.answer)
        os.close(self.printed)
        self.scratch.cleanup()


@dataclass(frozen=True)
class LaunchSpec:
    """What a process starts with: its ends of the pipes, its folder and its environment."""

    requests: int
    printed: int
    answer: int
    scratch: str
    environment: Mapping[str, str]


def launch(limits: Limits, readable: Collection[Path], *, confined: bool) -> ProcessHandle:
    """Start the process; it imports pandas and waits for the model.

    It may read what lies at and below `readable`. Unless it is to be `confined`, it has
    its limits and no other bounds.
    """
    identity = identity_for_model(PACKAGE) if confined else Identity()
    environment = minimal_environment(os.environ)
    return launch_with(
        _start_interpreter, limits, readable, identity, environment, confined=confined
    )


def _start_interpreter(start: LaunchSpec) -> Process:
    return subprocess.Popen(
        bootstrap_argv(_MODEL_PROCESS, str(start.answer)),
        stdin=start.requests,
        stdout=start.printed,
        stderr=start.printed,
        pass_fds=(start.answer,),
        start_new_session=True,
        cwd=start.scratch,
        env=start.environment,
    )


def launch_with(
    start_process: Callable[[LaunchSpec], Process],
    limits: Limits,
    readable: Collection[Path],
    identity: Identity,
    environment: Mapping[str, str],
    *,
    confined: bool,
    in_memory: frozenset[Path] = frozenset(),
) -> ProcessHandle:
    """Have a process started with pipes and a folder of its own, and ask it to be confined."""
    scratch = create_scratch(identity)
    environment = {**environment, **scratch_variables(scratch.name)}
    answer, answer_end = os.pipe()
    printed, printed_end = os.pipe()
    requests_end, requests = os.pipe()
    try:
        process = start_process(
            LaunchSpec(requests_end, printed_end, answer_end, scratch.name, environment)
        )
    finally:
        for descriptor in (answer_end, printed_end, requests_end):
            os.close(descriptor)
    os.set_blocking(answer, False)
    os.set_blocking(printed, False)
    launched = ProcessHandle(
        process,
        os.fdopen(requests, "wb", buffering=0),
        answer,
        printed,
        scratch,
        identity,
        frozenset(readable),
        _start_layers(environment),
        in_memory,
    )
    launched.send(ConfineRequest(confined, asdict(_sandbox_spec(launched, limits))))
    return launched


def _start_layers(environment: Mapping[str, str]) -> Layers:
    """What a process is held by from its start on."""
    return Layers(
        {
            "session": "a session of its own; whatever it starts is found and ended",
            "descriptors": "none but the pipes to the runner",
            "environment": f"{len(environment)} variables of an allow-list, none of them a secret",
        }
    )


def _sandbox_spec(launched: ProcessHandle, limits: Limits) -> SandboxSpec:
    """What the process is to be held to, by its own first act."""
    return SandboxSpec(
        package=str(PACKAGE),
        scratch=launched.scratch.name,
        readable=tuple(map(str, launched.known)),
        limits=limits,
        identity=launched.identity,
    )


def minimal_environment(parent: Mapping[str, str], threads: int | None = None) -> dict[str, str]:
    """A short allow-list of the parent's environment, and how many threads libraries may use.

    Left out, `threads` are as many as there are processors.
    """
    kept = {name: parent[name] for name in _KEPT_VARIABLES if name in parent}
    counted = thread_environment(threads or usable_cpus())
    return {**kept, **counted} if threads else {**counted, **kept}
