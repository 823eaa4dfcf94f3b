"""One holder at a time; a killed process holds nothing."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import filelock
import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.storage.file_lock import LockHeld, LockUnsupported, file_lock

HOLD = """
import sys, time
from pathlib import Path
from numerai_predict.contract.deadline import Deadline
from numerai_predict.storage.file_lock import file_lock
with file_lock(Path(sys.argv[1]), Deadline()):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".lock"


@pytest.fixture
def holder(path):
    """A process that holds the lock until it is killed or its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


def is_free(path):
    try:
        with file_lock(path):
            return True
    except LockHeld:
        return False


@pytest.mark.process
def test_a_second_process_is_refused_at_once(path, holder):
    started = time.monotonic()
    with pytest.raises(LockHeld, match=r"expected the lock .*\.lock to be free"), file_lock(path):
        pass
    assert time.monotonic() - started < 1


@pytest.mark.process
def test_a_killed_process_holds_nothing(path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert is_free(path)


@pytest.mark.process
@pytest.mark.parametrize("wait", [0.3, Deadline.after])
def test_a_wait_ends_in_time(path, holder, wait):
    started = time.monotonic()
    with pytest.raises(LockHeld), file_lock(path, wait if wait == 0.3 else wait(0.3)):
        pass
    assert 0.3 <= time.monotonic() - started < 1.5


@pytest.mark.process
def test_a_deadline_is_over_when_the_wait_for_it_is(path, holder):
    deadline = Deadline.after(0.2)
    with pytest.raises(LockHeld), file_lock(path, deadline):
        pass
    assert deadline.remaining() == 0


@pytest.mark.process
@pytest.mark.parametrize("seconds", [None, 30])
@pytest.mark.parametrize("kind", [Deadline.after, float])
def test_a_lock_that_becomes_free_is_taken(path, holder, kind, seconds):
    wait = kind("inf" if kind is float and seconds is None else seconds)
    threading.Timer(0.2, holder.stdin.close).start()
    with file_lock(path, wait):
        assert not is_free(path)
    assert is_free(path)


def test_two_holders_in_one_process_exclude_each_other(path):
    with file_lock(path):
        assert not is_free(path)


def test_a_block_that_fails_frees_the_lock(path):
    with pytest.raises(RuntimeError), file_lock(path):
        raise RuntimeError
    assert is_free(path)


def test_it_excludes_the_flock_of_earlier_versions(path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not is_free(path)
    with file_lock(path), open(path, "r+") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_lock_file_is_for_its_owner_alone(path):
    with file_lock(path):
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.process
def test_a_program_that_the_holder_starts_does_not_inherit_the_descriptor(path):
    with file_lock(path):
        command = ["sh", "-c", "ls -l /proc/$$/fd; cat"]
        program = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False, text=True
        )
    assert is_free(path)
    listing, _ = program.communicate("end of the listing")
    assert "->" in listing
    assert listing.endswith("end of the listing")
    assert ".lock" not in listing


# The oldest releases, which some images have, take other errors than ENOSYS for a held lock.
recent_filelock = pytest.mark.skipif(
    not hasattr(filelock.UnixFileLock, "has_explicit_mode"), reason="an old filelock"
)


@pytest.mark.filterwarnings("ignore:flock not supported")
@pytest.mark.parametrize(
    "number",
    [
        errno.ENOSYS,
        pytest.param(errno.ENOLCK, marks=recent_filelock),
        pytest.param(errno.EOPNOTSUPP, marks=recent_filelock),
    ],
)
def test_a_file_system_without_locks_is_named(path, monkeypatch, number):
    def flock(_descriptor, _operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(LockUnsupported) as caught, file_lock(path):
        pass
    assert caught.value.strerror
    assert caught.value.filename == str(path)


def test_a_lock_that_is_no_kernel_lock_is_not_accepted(path, monkeypatch):
    def acquire(lock, **_options):
        lock.__class__ = filelock.SoftFileLock

    monkeypatch.setattr(filelock.UnixFileLock, "acquire", acquire)
    with pytest.raises(LockUnsupported, match="the file system has no locks"), file_lock(path):
        pass


def test_without_the_library_there_are_no_locks(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "filelock", None)
    with pytest.raises(LockUnsupported, match="filelock is not installed"), file_lock(path):
        pass


def test_a_directory_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"), file_lock(tmp_path / "file" / ".lock"):
        pass
