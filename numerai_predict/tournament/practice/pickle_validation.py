"""Hosted models of the practice server: container images, and the validation of pickles."""

from __future__ import annotations

import os
import subprocess
import threading
import uuid
from enum import Enum
from pathlib import Path
from typing import Any

from numerai_predict.contract.bootstrap import bootstrap_argv
from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.contract.job import Job
from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.inspection.images import supported_pythons
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.container.engine import job_container
from numerai_predict.runner.container.target import ContainerImage, image_of_python
from numerai_predict.runner.options import job_to_argv
from numerai_predict.tournament.practice.service import PracticeService


class PickleStatus(Enum):
    """The validation status of a pickle, by its name in the API."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


_NAMESPACE = uuid.UUID("5a32b827-cd9a-40a9-a99d-e58401120a0b")
_DEFAULT_PYTHON = "3.12"
_RUNNER = "numerai_predict.runner.entrypoint:main"
_LONGEST_SECONDS = 900
_MOST_LINES = 200


def docker_images() -> list[dict[str, Any]]:
    """The container images, one per Python version, as the API lists them."""
    return [
        {
            "id": str(uuid.uuid5(_NAMESPACE, python)),
            "name": f"Python {python}",
            "image": f"numerai_predict_py_{python.replace('.', '_')}",
            "tag": "stable",
            "default": python == _DEFAULT_PYTHON,
        }
        for python in supported_pythons()
    ]


def data_versions(practice: PracticeService) -> list[dict[str, Any]]:
    """The data versions, as the API lists them."""
    names = list(practice.datasets.versions)
    return [
        {"id": str(uuid.uuid5(_NAMESPACE, name)), "name": name, "default": name == names[0]}
        for name in names
    ]


def start_validation(practice: PracticeService, identity: str) -> None:
    """Validate a pickle in a thread."""
    threading.Thread(target=validate_pickle, args=(practice, identity), daemon=True).start()


def validate_pickle(practice: PracticeService, identity: str) -> None:
    """Validate the pickle on the current live data, and record its status and log."""
    found = practice.store.row("SELECT * FROM pickles WHERE id = ?", identity)
    if found is None:
        return
    _record(practice, identity, PickleStatus.RUNNING, "inspecting the pickle")
    try:
        success, lines = _validate(practice, found)
    except Exception as error:  # the pickle must not stay pending forever
        success, lines = False, [f"{type(error).__name__}: {error}"]
    for line in lines[-_MOST_LINES:]:
        _record(practice, identity, PickleStatus.RUNNING, line)
    if success:
        _record(practice, identity, PickleStatus.SUCCESS, "validated")
    else:
        _record(practice, identity, PickleStatus.FAILED, "failed")


def _validate(practice: PracticeService, pickle: dict[str, Any]) -> tuple[bool, list[str]]:
    path = practice.upload_path(pickle["filename"])
    python = pickle["image"].removeprefix("Python ")
    try:
        inspection = inspect_pickle(path)
    except InvalidPickle as error:
        return False, [error.message]
    if inspection.pythons.exclude(python):
        return False, [f"version mismatch: made by {inspection.pythons}, to run on Python {python}"]
    image = None if python == RUNNING_PYTHON else image_of_python(inspection, python)
    if image is None and python != RUNNING_PYTHON:
        extent = inspection.partial or "inspected"
        return True, [f"Python {python} is not installed here: the pickle was {extent}, not run"]
    return _run(practice, path, pickle["version"], image)


def _run(
    practice: PracticeService, path: Path, version: str, image: ContainerImage | None
) -> tuple[bool, list[str]]:
    """Run the pickle as hosted compute does, in the image or in the running Python."""
    number = practice.current_round().number
    files = ("live.parquet", "live_benchmark_models.parquet")
    live, benchmarks = (practice.datasets.path(f"{version}/{name}", number) for name in files)
    with temporary_directory("practice-") as folder:
        job = Job(str(path), str(live), str(benchmarks), Path(folder), hosted=True)
        if image is None:
            argv = bootstrap_argv(_RUNNER, *job_to_argv(job))
        else:
            profile = image.engine.seccomp_profile(job.sandbox)
            argv = job_container(image.image.name, job, profile).argv(image.engine.command)
        ended = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            env={name: value for name, value in os.environ.items() if "NUMERAI" not in name},
        )
    where = [f"running in {image}"] if image else []
    return ended.returncode == 0, [*where, *ended.stderr.splitlines()]


def _record(
    practice: PracticeService, identity: str, status: PickleStatus, description: str
) -> None:
    with practice.store.transaction():
        practice.store.insert(
            "pickle_log",
            pickle=identity,
            status=status.value,
            description=description,
            inserted=practice.to_client_time(practice.now()),
        )
        practice.store.rows("UPDATE pickles SET status = ? WHERE id = ?", status.value, identity)
