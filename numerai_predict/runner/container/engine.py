"""A Docker-compatible container engine: finds it, queries its images, runs models in containers."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from numerai_predict.contract.bootstrap import (
    MOUNTED_PACKAGE_ROOT,
    PACKAGE_FILES,
    PACKAGE_ROOT,
    bootstrap_argv,
    script_argv,
)
from numerai_predict.contract.container_run import BindMount, ContainerRun
from numerai_predict.contract.job import Job
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.trained_eras import MANIFEST
from numerai_predict.runner import acceleration_option
from numerai_predict.runner.container.seccomp_profile import model_profile
from numerai_predict.runner.options import job_to_argv
from numerai_predict.storage.files import resolve_links
from numerai_predict.storage.named_data import is_local_file
from numerai_predict.storage.transfer import size_limits

_QUERY_SECONDS = 20.0
_TIMEOUT_STATUS = 124  # as of timeout(1)
_RUNNER = "numerai_predict.runner.entrypoint:main"
_BATCH_SERVER = "numerai_predict.runner.container.batch_server:main"

# Both sides run the same version of the package, whatever the image was built from.
PACKAGE_MOUNT = BindMount(
    PACKAGE_FILES, Path(MOUNTED_PACKAGE_ROOT, PACKAGE_FILES.relative_to(PACKAGE_ROOT))
)


@dataclass(frozen=True)
class Engine:
    """A container engine; `command` is its executable, like `docker`."""

    command: str

    @classmethod
    def detect(cls, environment: Mapping[str, str]) -> Engine | None:
        """The engine that the variable DOCKER names, else `docker`; `None` if it does not work."""
        engine = cls(environment.get("DOCKER") or "docker")
        if shutil.which(engine.command) is None:
            return None
        return engine if engine._succeeds("info") else None

    def has_image(self, image: str) -> bool:
        """Whether the engine has the image locally."""
        return self._succeeds("image", "inspect", image)

    def image_id(self, image: str) -> str | None:
        """The id of the content of a local image, which a new build changes; `None` without it."""
        command = [self.command, "image", "inspect", "--format", "{{.Id}}", image]
        try:
            ended = subprocess.run(command, capture_output=True, timeout=_QUERY_SECONDS)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return ended.stdout.decode(errors="replace").strip() if ended.returncode == 0 else None

    def run_job(self, image: str, job: Job) -> int:
        """Run the job's `predict.py` in the image, as the current user; returns its exit code.

        The job's files must have absolute paths, which are the same in the container. The container
        ends with this call, also after Ctrl-C and `Terminated`.
        """
        container = job_container(image, job, self.seccomp_profile(job.sandbox))
        container = replace(container, name=f"numerai-run-{secrets.token_hex(8)}")
        try:
            return subprocess.run(container.argv(self.command)).returncode
        except KeyboardInterrupt:
            self.kill_container(str(container.name))
            raise

    def seccomp_profile(self, sandbox: Sandbox) -> str | None:
        """The profile of a container that runs models; `None` for the engine's own.

        Without the sandbox, nothing would deny the namespaces to the model itself.
        """
        return None if sandbox is Sandbox.OFF else model_profile(self.command)

    def kill_container(self, name: str) -> None:
        """Kill a container, if it still runs."""
        self._succeeds("kill", name)

    def run_script(
        self, image: str, script: Sequence[str], folder: Path, seconds: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a script with its arguments in the image's isolated Python, as this user.

        There is no network. `folder` is mounted writable under its own path. The exit status is
        124 after a time-out.
        """
        python, *arguments = script_argv(*script, python="python")
        container = ContainerRun(
            image,
            tuple(arguments),
            entrypoint=python,
            mounts=(BindMount(folder, read_only=False),),
            user=current_user(),
            name=f"numerai-predict-{secrets.token_hex(8)}",
        )
        argv = container.argv(self.command)
        try:
            return subprocess.run(argv, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            self._succeeds("rm", "--force", str(container.name))
            message = f"timed out after {seconds:g} s".encode()
            return subprocess.CompletedProcess(argv, _TIMEOUT_STATUS, b"", message)

    def _succeeds(self, *arguments: str) -> bool:
        try:
            ended = subprocess.run(
                [self.command, *arguments], capture_output=True, timeout=_QUERY_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return ended.returncode == 0


def job_container(image: str, job: Job, seccomp_profile: str | None = None) -> ContainerRun:
    """The container of a job: its files are mounted, and it has a network only if it needs one.

    It runs this version of the package, as `batch_container` does.
    """
    files = list(filter(is_local_file, (job.model, job.dataset, job.benchmarks)))
    outputs = [] if job.check else [job.output_dir]  # a check saves nothing
    folders = sorted({*outputs, *([job.result.parent] if job.result else [])})
    is_local = len(files) == 3 and job.post is None and job.output_url is None
    python, *arguments = bootstrap_argv(
        _RUNNER, *job_to_argv(job), python="python", package_root=MOUNTED_PACKAGE_ROOT
    )
    environment = _forwarded(*size_limits.VARIABLES, acceleration_option.VARIABLE)
    if job.output_url is not None and outputs:  # what is saved first must outlive the container
        environment["TMPDIR"] = str(job.output_dir)
    if any(argument.lower().startswith("s3://") for argument in arguments):
        environment |= dict.fromkeys(sorted(name for name in os.environ if name.startswith("AWS_")))
    return ContainerRun(
        image,
        tuple(arguments),
        entrypoint=python,
        mounts=(
            *map(BindMount, files),
            PACKAGE_MOUNT,
            *_manifest_mounts(job.model),
            *(BindMount(folder, read_only=False) for folder in folders),
        ),
        environment=environment,
        user=current_user(),
        network=not is_local,
        seccomp_profile=seccomp_profile,
    )


def _forwarded(*names: str) -> dict[str, str | None]:
    """The variables of this process that a container gets as they are."""
    return {name: None for name in names if name in os.environ}


def _manifest_mounts(model: str) -> list[BindMount]:
    """The manifest of a bundle, which the run in the container compares with its pickle.

    Beside the target of a link it is mounted beside the link, which is a file in the container.
    """
    if not is_local_file(model):
        return []
    path = Path(model)
    for directory in (path.parent, resolve_links(path).parent):
        if (directory / MANIFEST).is_file():
            return [BindMount(directory / MANIFEST, path.parent / MANIFEST)]
    return []


def batch_container(
    image: str, name: str, readable: Sequence[Path], seccomp_profile: str | None = None
) -> ContainerRun:
    """The container that serves batch calls (`batch_server`) on standard input and output.

    The `readable` files and directories have the same paths inside. There is no network.
    """
    python, *arguments = bootstrap_argv(
        _BATCH_SERVER, python="python", package_root=MOUNTED_PACKAGE_ROOT
    )
    return ContainerRun(
        image,
        tuple(arguments),
        entrypoint=python,
        mounts=(*map(BindMount, readable), PACKAGE_MOUNT),
        environment=_forwarded(acceleration_option.VARIABLE),
        user=current_user(),
        name=name,
        interactive=True,
        keep_log=False,
        seccomp_profile=seccomp_profile,
    )


def current_user() -> str:
    """This process's `UID:GID`: files that a container writes belong to its caller."""
    return f"{os.getuid()}:{os.getgid()}"
