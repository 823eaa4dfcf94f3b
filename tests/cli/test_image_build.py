"""The build of an image shows its steps and its time, and ends with its result."""

import re

import pytest

from numerai_predict.cli import image_build
from numerai_predict.inspection.images import supported_images

BUILDKIT = """#5 [1/4] FROM docker.io/library/python:3.12-slim
#6 CACHED
#7 [base 2/4] RUN pip install --require-hashes numpy pandas
#7 12.3 Collecting numpy
"""
LEGACY = "Step 2/9 : FROM python\nStep 3/9 : RUN pip install x\n ---> Running in 1\n"


@pytest.mark.parametrize(
    ("log", "step"),
    [
        (BUILDKIT, "step 2 of 4: RUN pip install --require-hashes numpy pandas"),
        (LEGACY, "step 3 of 9: RUN pip install x"),
        ("#7 [2/4] RUN " + "x" * 100 + "\n", "step 2 of 4: RUN " + "x" * 42 + " ..."),
    ],
)
def test_the_last_step_of_a_log_is_shown(log, step):
    assert str(image_build.latest_step(log)) == step


@pytest.mark.parametrize("log", ["", "#1 [internal] load build definition\n", "Step by step\n"])
def test_a_log_may_have_no_step_yet(log):
    assert image_build.latest_step(log) is None


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Replaces the script that builds images."""

    def replace(text):
        path = tmp_path / "build"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setattr(image_build, "BUILD_SCRIPT", path)
        monkeypatch.setattr(image_build, "_LINE_SECONDS", 0.5)

    return replace


@pytest.mark.process
@pytest.mark.parametrize(("status", "built"), [(0, True), (3, False)])
def test_a_build_shows_its_step_and_the_time(script, capfd, status, built):
    script(f'echo "#7 [2/4] RUN pip install x" > "$BUILD_LOG"; sleep 1; echo done; exit {status}')
    assert image_build.build_image(supported_images()[0]) is built
    printed = capfd.readouterr()
    assert printed.out == ""
    assert re.search(
        r"^Building the image, step 2 of 4: RUN pip install x, 0:0\d so far$",
        printed.err,
        re.MULTILINE,
    )
    assert "done" in printed.err


def test_an_installed_package_builds_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(image_build, "BUILD_SCRIPT", tmp_path / "gone")
    assert image_build.build_image(supported_images()[0]) is False
    assert capfd.readouterr().err == ""
