"""The argv and environment that start a worker, in a container or on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from numerai_predict.contract.bootstrap import MOUNTED_PACKAGE_ROOT, bootstrap_argv
from numerai_predict.contract.container_run import (
    BindMount,
    ContainerLimits,
    ContainerRun,
    Privileges,
)
from numerai_predict.contract.limits import HOSTED_MEMORY_BYTES
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.fleet.environments import Environment
from numerai_predict.fleet.worker.messages import OVERHEAD_BYTES
from numerai_predict.resources.cpu_quota import thread_environment
from numerai_predict.runner.container.engine import PACKAGE_MOUNT, Engine
from numerai_predict.runner.supervisor.launch import minimal_environment

LABEL = "numerai-predict-fleet"

_WORKER = "numerai_predict.fleet.worker.router:main"
_FILES, _SCRATCH = "/opt/fleet", "/tmp"  # noqa: S108 - in a container

# What the worker, which is root in its container, needs to give each model process a user of its
# own, to kill it and to delete its files. The model process has no capability.
_PRIVILEGES = ("SETUID", "SETGID", "CHOWN", "KILL", "DAC_OVERRIDE", "DAC_READ_SEARCH")
# To make a user namespace that knows root, as the map of all users does.
_FOR_NAMESPACES = "SETFCAP"
_PROCESSES_PER_SLOT = 2_048


@dataclass(frozen=True)
class WorkerSpec:
    """The environment, files and slots of a worker.

    `folder` holds what the worker may read: the files `dataset` and `benchmarks`, and the models.
    It runs up to `slots` models at once, each within `slot_bytes` of memory, `None` for no limit.
    `engine` is the command of the container engine, for an environment that is an image, `sandbox`
    the isolation of its models.
    """

    environment: Environment
    folder: Path
    dataset: Path
    benchmarks: Path | None
    slots: int
    slot_bytes: int | None = HOSTED_MEMORY_BYTES
    engine: str = "docker"
    sandbox: Sandbox = Sandbox.AUTO


def path_in_worker(spec: WorkerSpec, path: Path) -> str:
    """The path at which the worker sees a file of `spec.folder`."""
    if spec.environment.image is None:
        return str(path)
    return str(PurePosixPath(_FILES, path.relative_to(spec.folder)))


def worker_argv(spec: WorkerSpec, name: str, scratch: Path) -> list[str]:
    """The argv that starts the worker; `scratch` is the only directory that it may write."""
    if spec.environment.image is None:
        return bootstrap_argv(_WORKER)
    return _container(spec, spec.environment.image, name, scratch).argv(spec.engine)


def _container(spec: WorkerSpec, image: str, name: str, scratch: Path) -> ContainerRun:
    python, *arguments = bootstrap_argv(_WORKER, python="python", package_root=MOUNTED_PACKAGE_ROOT)
    profile = Engine(spec.engine).seccomp_profile(spec.sandbox)
    more = () if profile is None else (_FOR_NAMESPACES,)
    return ContainerRun(
        image,
        tuple(arguments),
        entrypoint=python,
        mounts=(
            PACKAGE_MOUNT,
            BindMount(spec.folder, _FILES),
            BindMount(scratch, _SCRATCH, read_only=False),
        ),
        environment={**thread_environment(1), "TMPDIR": _SCRATCH},
        user="0:0",
        limits=_limits(spec),
        privileges=Privileges((*_PRIVILEGES, *more)),
        name=name,
        label=LABEL,
        interactive=True,
        read_only=True,
        keep_log=False,
        seccomp_profile=profile,
    )


def _limits(spec: WorkerSpec) -> ContainerLimits:
    memory = None if spec.slot_bytes is None else spec.slots * spec.slot_bytes + OVERHEAD_BYTES
    return ContainerLimits(
        cpus=min(spec.slots, os.cpu_count() or 1),  # an engine refuses more than there are
        memory_bytes=memory,
        # Shared memory counts as the model's: its limit must be reached before /dev/shm is full.
        shared_memory_bytes=memory,
        processes=spec.slots * _PROCESSES_PER_SLOT,
    )


def worker_environment(
    spec: WorkerSpec, inherited: Mapping[str, str], scratch: Path
) -> dict[str, str]:
    """The environment of the started command.

    The client of a container engine gets all that this process inherited, a local worker an
    allow-list.
    """
    if spec.environment.image is not None:
        return dict(inherited)
    return {**minimal_environment(inherited, threads=1), "TMPDIR": str(scratch)}


def kill_command(spec: WorkerSpec, name: str) -> list[str] | None:
    """The argv that kills the worker's container; `None` for a local worker."""
    return None if spec.environment.image is None else [spec.engine, "kill", name]
