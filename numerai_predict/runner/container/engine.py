"""Docker, where an engine answers: which images it has, and running a model in one."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.job import Job
from numerai_predict.runner.bootstrap import MOUNTED_PACKAGE_ROOT, PACKAGE, bootstrap_argv
from numerai_predict.runner.options import job_to_argv

_PATIENCE_SECONDS = 20.0

_BATCH_SERVER = "numerai_predict.runner.container.batch_server:main"


@dataclass(frozen=True)
class Engine:
    """An engine that answers to a command like `docker`."""

    command: str

    @classmethod
    def found(cls, environment: Mapping[str, str]) -> Engine | None:
        """The engine that the variable DOCKER names, else `docker`; `None` if none answers."""
        engine = cls(environment.get("DOCKER") or "docker")
        if shutil.which(engine.command) is None:
            return None
        return engine if engine._succeeds("info") else None

    def has(self, image: str) -> bool:
        """Whether the image is here."""
        return self._succeeds("image", "inspect", image)

    def run(self, image: str, job: Job) -> int:
        """Do the job in the image, as the user that asks for it; the container's exit code.

        Every file of the job has the same path inside; there is a network only where
        something has to be fetched or uploaded.
        """
        command = [self.command, "run", "--rm", "--user", f"{os.getuid()}:{os.getgid()}"]
        files = [path for path in (job.model, job.dataset, job.benchmarks) if Path(path).is_file()]
        for path in files:
            command += ["--volume", f"{path}:{path}:ro"]
        folders = {job.output_dir, *([job.result.parent] if job.result else [])}
        for folder in sorted(folders):
            command += ["--volume", f"{folder}:{folder}"]
        if len(files) == 3 and job.post is None and job.output_url is None:
            command += ["--network", "none"]
        if job.output_url is not None:  # what is saved first must outlive the container
            command += ["--env", f"TMPDIR={job.output_dir}"]
        if any(word.lower().startswith("s3://") for word in job_to_argv(job)):
            for name in sorted(name for name in os.environ if name.startswith("AWS_")):
                command += ["--env", name]  # the name alone: the engine takes the value itself
        return subprocess.run([*command, image, *job_to_argv(job)]).returncode

    def serve_command(self, image: str, name: str, mounts: Sequence[Path]) -> list[str]:
        """The words that start `served.py` of this package in the image, as the user that asks.

        It reads `mounts`, files and folders, under the same paths, and has no network.
        """
        words = [self.command, "run", "--interactive", "--rm", "--name", name, "--network", "none"]
        words += ["--user", f"{os.getuid()}:{os.getgid()}", "--log-driver", "none"]
        for path in mounts:
            words += ["--volume", f"{path}:{path}:ro"]
        # Both sides are of one version, whatever the image was built from.
        words += ["--volume", f"{PACKAGE}:{MOUNTED_PACKAGE_ROOT}/{PACKAGE.name}:ro"]
        program = bootstrap_argv(_BATCH_SERVER, python="python", package_root=MOUNTED_PACKAGE_ROOT)
        return [*words, "--entrypoint", program[0], image, *program[1:]]

    def kill(self, name: str) -> None:
        """End a container."""
        self._succeeds("kill", name)

    def run_script(
        self, image: str, words: Sequence[str], folder: Path, seconds: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a Python program of ours in the image, with the folder and no network.

        It gets the folder under its own path, which the words name; 124 where it takes too long.
        """
        name = f"numerai-predict-{secrets.token_hex(8)}"
        command = [self.command, "run", "--rm", "--name", name, "--network", "none"]
        command += ["--user", f"{os.getuid()}:{os.getgid()}", "--volume", f"{folder}:{folder}"]
        command += ["--entrypoint", "python", image, "-I", *words]
        try:
            return subprocess.run(command, capture_output=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            self._succeeds("rm", "--force", name)
            return subprocess.CompletedProcess(command, 124, b"", b"it took too long")

    def _succeeds(self, *words: str) -> bool:
        try:
            asked = subprocess.run(
                [self.command, *words], capture_output=True, timeout=_PATIENCE_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return asked.returncode == 0
