"""The messages of `make build_...` when it cannot build."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.process


def build(*arguments, docker):
    return subprocess.run(
        [ROOT / "images" / "build", *arguments],
        env={**os.environ, "DOCKER": str(docker)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def last_line(run):
    assert run.returncode != 0
    return run.stderr.strip().splitlines()[-1]


def failing_engine(tmp_path, message):
    """A container engine whose builds fail with the message."""
    engine = tmp_path / "docker"
    engine.write_text(f'#!/bin/sh\n[ "$1" = info ] && exit 0\necho "{message}" >&2\nexit 1\n')
    engine.chmod(0o755)
    return engine


def test_an_unknown_python_is_refused_with_the_command_that_adds_it():
    line = last_line(build("3.99", "slim", docker="/bin/true"))
    assert "found 3.99" in line
    assert "make add_python VERSION=3.99" in line


def test_an_engine_that_does_not_run_is_reported():
    line = last_line(build("3.12", "slim", docker="/bin/false"))
    assert "no container engine is available" in line
    assert "DOCKER=" in line


def test_a_full_disk_is_reported_with_the_command_that_frees_space(tmp_path):
    engine = failing_engine(tmp_path, "write /layer.tar: no space left on device")
    line = last_line(build("3.12", "full", docker=engine))
    assert "the disk is full" in line
    assert "image prune" in line


def test_another_failure_shows_the_output_of_the_engine(tmp_path):
    run = build("3.12", "full", docker=failing_engine(tmp_path, "THE REASON"))
    assert "THE REASON" in run.stderr
    assert "was not built" in last_line(run)
