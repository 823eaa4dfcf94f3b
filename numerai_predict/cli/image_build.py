"""Builds an image in a checkout, and shows the step of the build and the time that it has taken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numerai_predict
from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.limits import format_clock
from numerai_predict.inspection.images import Image
from numerai_predict.runner.run_log import stderr_terminal
from numerai_predict.storage.progress_line import ProgressLine

# In a checkout; an installed package cannot build images.
BUILD_SCRIPT = Path(numerai_predict.__file__).parents[1] / "images" / "build"

_LINE_SECONDS, _POLL_SECONDS = 10.0, 0.2
_TAIL_BYTES = 64 * 1024
_MAX_INSTRUCTION = 50
# A step in the log of BuildKit, `#7 [base 3/9] RUN ...`, and in that of the older builder.
_STEP = re.compile(
    r"^(?:#\d+ \[(?:[^\]\s]+ )?|Step )(?P<number>\d+)/(?P<total>\d+)(?:\]| :) (?P<text>.*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class BuildStep:
    """An instruction of a Dockerfile: its number in its stage, and the text."""

    number: int
    total: int
    text: str

    def __str__(self) -> str:
        return f"step {self.number} of {self.total}: {brief(self.text, _MAX_INSTRUCTION)}"


def latest_step(log: str) -> BuildStep | None:
    """The last step that the log of a build names."""
    steps = list(_STEP.finditer(log))
    if not steps:
        return None
    last = steps[-1]
    return BuildStep(int(last["number"]), int(last["total"]), last["text"])


def build_image(image: Image) -> bool:
    """Build the image with the script of the checkout; whether that succeeded."""
    if not BUILD_SCRIPT.is_file():
        return False
    _say(f"The image {image.name} is missing: building it takes some minutes, once")
    with tempfile.NamedTemporaryFile(prefix="numerai-build-") as log:
        process = subprocess.Popen(
            [BUILD_SCRIPT, image.python, image.flavour],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "BUILD_LOG": log.name},
        )
        try:
            built = _watch(process, Path(log.name)) == 0
            # What the script prints comes after the progress, which would draw over it.
            _say(process.communicate()[0].decode(errors="replace").rstrip())
            return built
        finally:
            process.kill()  # nothing, once it has ended
            process.wait()


def _watch(process: subprocess.Popen[bytes], log: Path) -> int:
    """Show the progress of the build until it ends; returns its exit code."""
    line = ProgressLine(_say, stderr_terminal(), _LINE_SECONDS)
    try:
        while True:
            try:
                return process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if line.due():
                    step = latest_step(_tail(log)) or "starting"
                    line.show(f"Building the image, {step}, {format_clock(line.elapsed)} so far")
    finally:
        line.end()


def _tail(log: Path) -> str:
    with open(log, "rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - _TAIL_BYTES, 0))
        return file.read().decode(errors="replace")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
