"""Named shared memory of a model is counted and deleted, that of other programs remains."""

import mmap
import os
import secrets
import subprocess
from pathlib import Path

import pytest

from numerai_predict.resources.shared_memory import SharedMemoryFiles
from numerai_predict.sandbox.identity import Identity

NOBODY, GROUP = 65534, 1_900_000_000
MIB = 1024**2


@pytest.fixture
def shared():
    """Make a file of shared memory for a user, with a megabyte in it."""
    made = []

    def make(user, group=GROUP):
        path = Path("/dev/shm", f"test-{secrets.token_hex(4)}")
        path.write_bytes(bytes(MIB))
        made.append(path)
        if user != os.getuid():
            os.chown(path, user, group)
        return path

    yield make
    for path in made:
        path.unlink(missing_ok=True)


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to others")


@needs_root
def test_a_file_that_existed_before_is_not_the_models(shared):
    before = shared(NOBODY)
    files = SharedMemoryFiles(Identity(NOBODY, GROUP), os.getpid())
    assert files.bytes() == 0
    assert files.remove() == []
    assert before.exists()


@needs_root
def test_a_file_of_the_model_is_counted_and_deleted(shared):
    files = SharedMemoryFiles(Identity(NOBODY, GROUP), os.getpid())
    made = shared(NOBODY)
    assert files.bytes() == MIB
    assert files.bytes_of_model([]) == MIB
    assert files.remove() == []
    assert not made.exists()


@needs_root
def test_a_file_of_another_run_is_ignored(shared):
    files = SharedMemoryFiles(Identity(NOBODY, GROUP), os.getpid())
    made = shared(NOBODY, GROUP + 1)
    assert files.bytes() == 0
    files.remove()
    assert made.exists()


@needs_root
def test_a_file_of_another_user_is_ignored(shared):
    files = SharedMemoryFiles(Identity(NOBODY, GROUP), os.getpid())
    made = shared(os.getuid())
    assert files.bytes() == 0
    files.remove()
    assert made.exists()


def test_a_file_that_another_program_has_mapped_is_not_the_models(shared):
    files = SharedMemoryFiles(Identity(), os.getpid())
    made = shared(os.getuid())
    with made.open("r+b") as handle, mmap.mmap(handle.fileno(), MIB):
        assert files.bytes_of_model([]) == 0
        assert files.bytes_of_model([os.getpid()]) == MIB


@pytest.mark.process
def test_a_file_is_deleted_though_other_programs_of_the_user_run(shared):
    files = SharedMemoryFiles(Identity(), os.getpid())
    made = shared(os.getuid())
    with subprocess.Popen(["sleep", "60"]) as other:
        assert files.remove() == []
        other.kill()
    assert not made.exists()


@pytest.mark.process
def test_a_file_that_another_program_has_open_is_kept(shared):
    files = SharedMemoryFiles(Identity(), os.getpid())
    made = shared(os.getuid())
    with made.open() as held, subprocess.Popen(["sleep", "60"], stdin=held) as other:
        assert files.remove() == []
        other.kill()
    assert made.exists()
