"""A fleet run's temporary directories are removed at its end, or when the next one starts."""

import subprocess
import sys
from contextlib import closing

import pytest

from numerai_predict.fleet.temporary_directory import PREFIX, FleetDirectory, remove_abandoned

MAKE = """
import os, signal
from pathlib import Path
from numerai_predict.fleet.temporary_directory import FleetDirectory
directory = FleetDirectory(Path({parent!r}))
(directory.path / "file").write_text("x")
{end}
"""


def test_it_is_for_this_user_alone_and_is_removed_with_its_content(tmp_path):
    with closing(FleetDirectory(tmp_path)) as directory:
        assert directory.path.stat().st_mode & 0o777 == 0o700
        (directory.path / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_one_in_use_is_not_abandoned(tmp_path):
    with closing(FleetDirectory(tmp_path)) as directory:
        remove_abandoned(tmp_path)
        assert directory.path.is_dir()


def test_what_does_not_belong_to_a_fleet_run_stays(tmp_path):
    (tmp_path / f"{PREFIX}without-lock").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / ".lock").touch()
    remove_abandoned(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.process
@pytest.mark.parametrize(
    ("end", "left"), [("", 0), ("raise KeyboardInterrupt", 0), ("os.kill(os.getpid(), 9)", 1)]
)
def test_it_is_removed_however_its_process_ends(tmp_path, clean_environment, end, left):
    parent = tmp_path / "parent"
    parent.mkdir()
    program = MAKE.format(parent=str(parent), end=end)
    subprocess.run([sys.executable, "-c", program], env=clean_environment, capture_output=True)
    assert len(list(parent.iterdir())) == left
    remove_abandoned(parent)
    assert list(parent.iterdir()) == []
