"""Starts the model process with pipes, a scratch directory and a minimal environment."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from numerai_predict.contract.bootstrap import PACKAGE_FILES, bootstrap_argv
from numerai_predict.contract.errors import ModelCrashed, SaveFailed
from numerai_predict.contract.limits import Limits
from numerai_predict.resources.cpu_quota import THREAD_VARIABLES, thread_environment, usable_cpus
from numerai_predict.resources.model_cgroup import ModelCgroup, create_model_cgroup, describe
from numerai_predict.resources.process_count import process_limit, processes_of_a_run
from numerai_predict.runner.protocol import Request, SandboxRequest, encode_request
from numerai_predict.runner.supervisor.scratch_removal import remove_scratch
from numerai_predict.sandbox.apply import SandboxSpec
from numerai_predict.sandbox.identity import Identity, identity_for_model, readable_by
from numerai_predict.sandbox.layers import Layers
from numerai_predict.sandbox.scratch import create_scratch, scratch_variables

# The only variables that the process inherits: none of them is a secret.
_KEPT_VARIABLES = (
    *("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "NUMERAI_ACCELERATION"),
    *THREAD_VARIABLES,
)

# The model's user may be one that the machine has no name of. Without a C++ compiler, torch.compile
# leaves the model as it is.
_OWN_VARIABLES = {"USER": "model", "LOGNAME": "model", "TORCHDYNAMO_SUPPRESS_ERRORS": "1"}

_MODEL_PROCESS = "numerai_predict.runner.child.main:start"


class Process(Protocol):
    """A started or forked process: the part of `subprocess.Popen` that a supervisor needs."""

    pid: int

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; `None` until `poll` or `wait` saw the exit."""

    def poll(self) -> int | None:
        """The exit status if it has exited."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit; returns the exit status.

        Raises:
            subprocess.TimeoutExpired: it has not exited within that many seconds.
        """


_OPEN_FILES_OF_A_RUN = 64


@dataclass(frozen=True)
class ProcessHandle:
    """A running model process and the supervisor's ends of its pipes.

    `frames` and `output` (the model's stdout and stderr) are non-blocking descriptors to read
    from. `scratch` is the only directory that the process may write, `known` the files and
    directories that it may read, `layers` what isolates it from its start on. `cgroup`
    are the control groups that count and limit it, if the machine allows them; `in_memory` are the
    paths of data that it has already read.
    """

    process: Process
    requests: BinaryIO
    frames: int
    output: int
    scratch: tempfile.TemporaryDirectory[str]
    identity: Identity
    known: frozenset[Path]
    layers: Layers
    cgroup: ModelCgroup
    in_memory: frozenset[Path] = frozenset()

    def readable(self, path: Path) -> Path:
        """The file, or a copy of it that the process's user can read.

        Raises:
            SaveFailed: the copy cannot be written.
        """
        if path in self.in_memory:
            return path
        try:
            return readable_by(self.identity, path, self.known, Path(self.scratch.name))
        except OSError as error:
            raise SaveFailed(
                f"expected to copy {path} for the model's user to {self.scratch.name}, "
                f"found: {error.strerror}",
                "free space there (TMPDIR names the disk), or let all users read the file and its "
                "directories: chmod a+rX",
            ) from error

    def send(self, request: Request) -> None:
        """Send a request. If the process has already exited, reading the response raises."""
        with contextlib.suppress(OSError):
            self.requests.write(encode_request(request))

    def close(self) -> None:
        """Close the pipes and delete the scratch directory; the process has exited."""
        self.requests.close()
        os.close(self.frames)
        os.close(self.output)
        self.cgroup.remove()
        remove_scratch(self.scratch)


@dataclass(frozen=True)
class LaunchSpec:
    """What a process starts with: its ends of the pipes, its directory and its environment."""

    requests: int
    output: int
    frames: int
    scratch: str
    environment: Mapping[str, str]


def launch(limits: Limits, readable: Collection[Path], *, sandboxed: bool) -> ProcessHandle:
    """Start the model process in a new interpreter; it imports pandas and waits for requests.

    It may read files at and below `readable`. Unless `sandboxed`, its limits are its only layer.

    Raises:
        ModelCrashed: the machine or the container allows no more processes.
    """
    _require_processes()
    _require_open_files()
    identity = identity_for_model(PACKAGE_FILES) if sandboxed else Identity()
    environment = minimal_environment(os.environ)
    return launch_with(
        _start_interpreter, limits, readable, identity, environment, sandboxed=sandboxed
    )


def _start_interpreter(spec: LaunchSpec) -> Process:
    try:
        return subprocess.Popen(
            bootstrap_argv(_MODEL_PROCESS, str(spec.frames)),
            stdin=spec.requests,
            stdout=spec.output,
            stderr=spec.output,
            pass_fds=(spec.frames,),
            start_new_session=True,
            cwd=spec.scratch,
            env=spec.environment,
        )
    except BlockingIOError as error:
        raise _too_few_processes("no more processes are allowed to start") from error


def _require_processes() -> None:
    """Require that a run's processes and threads may start: libraries crash where they may not.

    Raises:
        ModelCrashed: the limit is too low.
    """
    limit, needed = process_limit(), processes_of_a_run()
    if limit is not None and limit.free < needed:
        raise _too_few_processes(
            f"a limit of {limit.limit} processes and threads, of which {limit.used} are in use; a "
            f"run starts about {needed}"
        )


def _require_open_files() -> None:
    """Require that the process may open what its layers and its libraries open.

    Raises:
        ModelCrashed: the limit is too low.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _OPEN_FILES_OF_A_RUN:
        raise ModelCrashed(
            f"expected to start the model process, found a limit of {hard} open files; a run needs "
            f"about {_OPEN_FILES_OF_A_RUN}",
            "raise the limit: of a container with --ulimit nofile=1024, of a user with ulimit -n",
        )


def _too_few_processes(found: str) -> ModelCrashed:
    return ModelCrashed(
        f"expected to start the model process, found {found}",
        "raise the limit: of a container with --pids-limit 256, of a user with ulimit -u",
    )


def launch_with(
    start_process: Callable[[LaunchSpec], Process],
    limits: Limits,
    readable: Collection[Path],
    identity: Identity,
    environment: Mapping[str, str],
    *,
    sandboxed: bool,
    in_memory: frozenset[Path] = frozenset(),
) -> ProcessHandle:
    """Start a process with pipes and a scratch directory, and request its sandbox."""
    scratch = create_scratch(identity)
    environment = {**environment, **_OWN_VARIABLES, **scratch_variables(scratch.name)}
    frames, frames_end = os.pipe()
    output, output_end = _output_pipe(identity)
    requests_end, requests = os.pipe()
    try:
        process = start_process(
            LaunchSpec(requests_end, output_end, frames_end, scratch.name, environment)
        )
    finally:
        for descriptor in (frames_end, output_end, requests_end):
            os.close(descriptor)
    os.set_blocking(frames, False)
    os.set_blocking(output, False)
    cgroup = create_model_cgroup(limits, usable_cpus(), process.pid)
    handle = ProcessHandle(
        process,
        os.fdopen(requests, "wb", buffering=0),
        frames,
        output,
        scratch,
        identity,
        frozenset(readable),
        _initial_layers(environment, describe(cgroup, limits)),
        cgroup,
        in_memory,
    )
    handle.send(SandboxRequest(sandboxed, asdict(_sandbox_spec(handle, limits))))
    return handle


def _output_pipe(identity: Identity) -> tuple[int, int]:
    """A pipe whose end to write to belongs to the model's user, so that it can open /dev/stdout."""
    output, output_end = os.pipe()
    if identity.user is not None and identity.group is not None:
        os.fchown(output_end, identity.user, identity.group)
    return output, output_end


def _initial_layers(environment: Mapping[str, str], memory: str) -> Layers:
    """What isolates a process from its start on."""
    return Layers(
        {
            "session": "a session of its own; whatever it starts is found and ended",
            "descriptors": "none but the pipes to the runner",
            "environment": f"{len(environment)} variables of an allow-list, none of them a secret",
            "memory": memory,
        }
    )


def _sandbox_spec(handle: ProcessHandle, limits: Limits) -> SandboxSpec:
    """What the process applies to itself as its first act."""
    return SandboxSpec(
        package=str(PACKAGE_FILES),
        scratch=handle.scratch.name,
        readable=tuple(map(str, handle.known)),
        limits=limits,
        identity=handle.identity,
    )


def minimal_environment(parent: Mapping[str, str], threads: int | None = None) -> dict[str, str]:
    """The allow-listed variables of `parent`, and the number of threads that libraries may use.

    `threads` defaults to the number of usable CPUs.
    """
    kept = {name: parent[name] for name in _KEPT_VARIABLES if name in parent}
    counted = thread_environment(threads or usable_cpus())
    return {**kept, **counted} if threads else {**counted, **kept}
