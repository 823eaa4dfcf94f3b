"""How a worker is started: in a container that has nothing but its files, or on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from numerai_predict.contract.limits import HOSTED_MEMORY_BYTES
from numerai_predict.fleet.environments import Environment
from numerai_predict.resources.cpu_quota import thread_environment
from numerai_predict.runner.bootstrap import MOUNTED_PACKAGE_ROOT, PACKAGE, bootstrap_argv
from numerai_predict.runner.supervisor.launch import minimal_environment

# What a worker takes beside its models: libraries and data, once.
OVERHEAD_BYTES = 2 * 1024**3
LABEL = "numerai-predict-fleet"

_WORKER = "numerai_predict.fleet.worker.router:main"
_FILES, _SCRATCH = "/opt/fleet", "/tmp"  # noqa: S108 - in a container

# Root in a container that has lost all but these: enough to give each model a user of its own,
# to end it and to tidy up after it. The model's process has none of them.
_CAPABILITIES = ("SETUID", "SETGID", "CHOWN", "KILL", "DAC_OVERRIDE", "DAC_READ_SEARCH")
_PROCESSES_A_SLOT = 2_048


@dataclass(frozen=True)
class WorkerSpec:
    """Where a worker runs and what it gets.

    `folder` holds the files of the round, which it may read: `dataset`, `benchmarks` and the
    models. `slots` is how many models it runs at once, each of `slot_bytes`, `None` for no
    limit. `engine` is the command of the engine for a place that is an image.
    """

    place: Environment
    folder: Path
    dataset: Path
    benchmarks: Path | None
    slots: int
    slot_bytes: int | None = HOSTED_MEMORY_BYTES
    engine: str = "docker"


def path_in_worker(site: WorkerSpec, path: Path) -> str:
    """The path of a file of the round as the worker sees it."""
    if site.place.image is None:
        return str(path)
    return str(PurePosixPath(_FILES, path.relative_to(site.folder)))


def worker_argv(site: WorkerSpec, name: str, scratch: Path) -> list[str]:
    """The words that start the worker; `scratch` is the one folder that it may write to."""
    if site.place.image is None:
        return bootstrap_argv(_WORKER)
    words = [site.engine, "run", "--interactive", "--rm", "--name", name, "--label", LABEL]
    words += ["--network", "none", "--read-only", "--user", "0:0", "--cap-drop", "ALL"]
    for capability in _CAPABILITIES:
        words += ["--cap-add", capability]
    words += ["--security-opt", "no-new-privileges", "--log-driver", "none"]
    cpus = min(site.slots, os.cpu_count() or 1)  # an engine refuses more than there are
    words += ["--cpus", str(cpus), "--pids-limit", str(site.slots * _PROCESSES_A_SLOT)]
    if site.slot_bytes is not None:
        memory = str(site.slots * site.slot_bytes + OVERHEAD_BYTES)
        # Shared memory counts as a model's own: its limit ends the model, not a small disk.
        words += ["--memory", memory, "--memory-swap", memory, "--shm-size", memory]
    mounts = {
        PACKAGE: f"{MOUNTED_PACKAGE_ROOT}/{PACKAGE.name}:ro",
        site.folder: f"{_FILES}:ro",
        scratch: _SCRATCH,
    }
    for path, target in mounts.items():
        words += ["--volume", f"{path}:{target}"]
    for variable, value in {**thread_environment(1), "TMPDIR": _SCRATCH}.items():
        words += ["--env", f"{variable}={value}"]
    program = bootstrap_argv(_WORKER, python="python", package_root=MOUNTED_PACKAGE_ROOT)
    return [*words, "--entrypoint", program[0], site.place.image, *program[1:]]


def worker_environment(
    site: WorkerSpec, parent: Mapping[str, str], scratch: Path
) -> dict[str, str]:
    """The environment of the command: the engine's client needs ours, a worker almost nothing."""
    if site.place.image is not None:
        return dict(parent)
    return {**minimal_environment(parent, threads=1), "TMPDIR": str(scratch)}


def kill_command(site: WorkerSpec, name: str) -> list[str] | None:
    """The words that end the container, where there is one."""
    return None if site.place.image is None else [site.engine, "kill", name]
