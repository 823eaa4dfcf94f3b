"""What the tests of the documentation share: pages, and a directory to run their commands in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import evidence
import pytest
from doc_pages import fences_of, script_of, setup_of

_MODEL = """
import cloudpickle

FEATURES = [f"feature_sample_{number:04d}" for number in range(42)]


def predict(live_features):
    return live_features[FEATURES].mean(axis=1).rank(pct=True).to_frame("prediction")


with open("my.pkl", "wb") as file:
    cloudpickle.dump(predict, file)
"""
_SETUP = {
    "model": f"python - <<'END'{_MODEL}END",
    "sample": "numerai-predict data sample sample/",
    "practice": 'numerai-predict practice start --port 0\neval "$(numerai-predict practice env)"',
}


@dataclass(frozen=True)
class PageRun:
    """How the commands of a page ended, and what each fence printed, by its line."""

    exit_code: int
    printed: dict[int, str]

    @property
    def last(self) -> str:
        """What the last fence that began printed, with its line."""
        if not self.printed:
            return ""
        line = max(self.printed)
        return f"line {line}:\n{self.printed[line]}"


@pytest.fixture
def page_environment(clean_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The variables of a user with an empty home, and the checkout's programs first."""
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind) for kind in ("STATE", "DATA", "CONFIG")}
    programs = os.pathsep.join([str(Path(sys.executable).parent), clean_environment["PATH"]])
    own = {**homes, "PATH": programs, "HOME": str(tmp_path / "home"), "COLUMNS": "120"}
    (tmp_path / "home").mkdir()
    return {**{k: v for k, v in clean_environment.items() if k != "VIRTUAL_ENV"}, **own}


@pytest.fixture
def run_page(
    contract: object, page_environment: dict[str, str], tmp_path: Path
) -> Callable[..., PageRun]:
    """Run the fences of a page, in order, in one shell and a directory of its own."""

    def run(page: Path, engine: str | None = None) -> PageRun:
        directory, printed = tmp_path / "work", tmp_path / "printed"
        directory.mkdir()
        printed.mkdir()
        fences = [fence for fence in fences_of(page) if engine or not fence.needs_engine]
        setup = [_SETUP[name] for name in setup_of(page)]
        variables = {"PRINTED": str(printed)} | ({"DOCKER": engine} if engine else {})
        script = "\n".join(
            [
                "set -euo pipefail",
                'trap "numerai-predict practice stop >/dev/null 2>&1 || true" EXIT',
                f'exec >"{printed}/0" 2>&1',
                *setup,
                script_of(fences, contract.root),  # type: ignore[attr-defined]
            ]
        )
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=directory,
            env={**page_environment, **variables},
            timeout=110,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        outputs = {int(path.name): path.read_text() for path in printed.iterdir()}
        evidence.record_output(*outputs.values())
        return PageRun(ended.returncode, outputs)

    return run


@pytest.fixture(scope="session")
def engine() -> str | None:
    """A container engine that has the slim image of Python 3.12; none where there is none."""
    name = os.environ.get("DOCKER", "docker")
    if shutil.which(name) is None:
        return None
    image = "numerai_predict_py_3_12:latest-slim"
    found = subprocess.run([name, "image", "inspect", image], capture_output=True)
    return name if found.returncode == 0 else None
