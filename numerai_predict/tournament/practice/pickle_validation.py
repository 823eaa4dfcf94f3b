"""Hosted models of the practice tournament: which images there are, and trying a pickle out."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
import threading
import uuid
from pathlib import Path
from typing import Any

from numerai_predict.contract.errors import InvalidPickle
from numerai_predict.inspection.images import supported_pythons
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.bootstrap import bootstrap_argv
from numerai_predict.tournament.practice.service import PracticeService

PENDING, RUNNING, SUCCESS, FAILED = "pending", "running", "success", "failed"

_NAMES = uuid.UUID("5a32b827-cd9a-40a9-a99d-e58401120a0b")  # of which ours are made
_DEFAULT_PYTHON = "3.12"
_RUNNER = "numerai_predict.runner.entrypoint:main"
_LONGEST_SECONDS = 900
_MOST_LINES = 200


def docker_images() -> list[dict[str, Any]]:
    """The images, one a Python, as the API lists them."""
    return [
        {
            "id": str(uuid.uuid5(_NAMES, python)),
            "name": f"Python {python}",
            "image": f"numerai_predict_py_{python.replace('.', '_')}",
            "tag": "stable",
            "default": python == _DEFAULT_PYTHON,
        }
        for python in supported_pythons()
    ]


def data_versions(practice: PracticeService) -> list[dict[str, Any]]:
    """The versions of the data, as the API lists them."""
    names = list(practice.datasets.versions)
    return [
        {"id": str(uuid.uuid5(_NAMES, name)), "name": name, "default": name == names[0]}
        for name in names
    ]


def start_validation(practice: PracticeService, identity: str) -> None:
    """Try a pickle out beside everything else."""
    threading.Thread(target=validate_pickle, args=(practice, identity), daemon=True).start()


def validate_pickle(practice: PracticeService, identity: str) -> None:
    """Try the pickle out on the current live data and keep how that went."""
    found = practice.store.row("SELECT * FROM pickles WHERE id = ?", identity)
    if found is None:
        return
    _tell(practice, identity, RUNNING, "inspecting the pickle")
    try:
        success, lines = _try(practice, found)
    except Exception as error:  # whatever it is, it must not stay pending for ever
        success, lines = False, [f"{type(error).__name__}: {error}"]
    for line in lines[-_MOST_LINES:]:
        _tell(practice, identity, RUNNING, line)
    _tell(practice, identity, SUCCESS if success else FAILED, "validated" if success else "failed")


def _try(practice: PracticeService, pickle: dict[str, Any]) -> tuple[bool, list[str]]:
    path = practice.upload_path(pickle["filename"])
    python = pickle["image"].removeprefix("Python ")
    try:
        inspection = inspect_pickle(path)
    except InvalidPickle as error:
        return False, [error.message]
    if inspection.pythons.exclude(python):
        return False, [f"version mismatch: made by {inspection.pythons}, to run on Python {python}"]
    if not platform.python_version().startswith(f"{python}."):
        return True, [f"there is no Python {python} here: the pickle was inspected, not run"]
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
    words = bootstrap_argv(_RUNNER, "--model", str(path))
    for option, file in data.items():
        words += [option, str(file)]
    with tempfile.TemporaryDirectory(prefix="practice-") as folder:
        ended = subprocess.run(
            [*words, "--output_dir", folder],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            env={name: word for name, word in os.environ.items() if "NUMERAI" not in name},
        )
    return ended.returncode == 0, ended.stderr.splitlines()


def _tell(practice: PracticeService, identity: str, status: str, description: str) -> None:
    with practice.store.transaction():
        practice.store.insert(
            "pickle_log",
            pickle=identity,
            status=status,
            description=description,
            inserted=practice.now().isoformat(),
        )
        practice.store.rows("UPDATE pickles SET status = ? WHERE id = ?", status, identity)
