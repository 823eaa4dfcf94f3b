"""Hosted models of the practice server: container images, and the validation of pickles."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import threading
import uuid
from enum import Enum
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.images import supported_pythons
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.bootstrap import bootstrap_argv
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
    if not platform.python_version().startswith(f"{python}."):
        extent = inspection.partial or "inspected"
        return True, [f"Python {python} is not installed here: the pickle was {extent}, not run"]
    return _run(practice, path, pickle["version"])


def _run(practice: PracticeService, path: Path, version: str) -> tuple[bool, list[str]]:
    number = practice.current_round().number
    data = {
        option: practice.datasets.path(f"{version}/{name}", number)
        for option, name in (
            ("--dataset", "live.parquet"),
            ("--benchmarks", "live_benchmark_models.parquet"),
        )
    }
    argv = bootstrap_argv(_RUNNER, "--hosted", "--model", str(path))
    for option, file in data.items():
        argv += [option, str(file)]
    with tempfile.TemporaryDirectory(prefix="practice-") as folder:
        ended = subprocess.run(
            [*argv, "--output_dir", folder],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            env={name: value for name, value in os.environ.items() if "NUMERAI" not in name},
        )
    return ended.returncode == 0, ended.stderr.splitlines()


def _record(
    practice: PracticeService, identity: str, status: PickleStatus, description: str
) -> None:
    with practice.store.transaction():
        practice.store.insert(
            "pickle_log",
            pickle=identity,
            status=status.value,
            description=description,
            inserted=practice.now().isoformat(),
        )
        practice.store.rows("UPDATE pickles SET status = ? WHERE id = ?", status.value, identity)
