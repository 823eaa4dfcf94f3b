"""Files of shared memory count whatever the model does with their names and descriptors."""

import array
import mmap
import os
import secrets
import socket
from pathlib import Path

import pytest

from numerai_predict.resources.shared_memory import SharedMemoryFiles
from numerai_predict.sandbox.identity import Identity

MIB = 1024**2
OWN = [os.getpid()]


@pytest.fixture
def deleted():
    """The descriptor of a megabyte of shared memory that has no name any more."""
    path = Path("/dev/shm", f"test-{secrets.token_hex(4)}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    path.unlink()
    os.write(descriptor, bytes(MIB))
    return descriptor


@pytest.fixture
def files():
    return SharedMemoryFiles(Identity(), os.getpid())


def test_an_open_file_without_a_name_counts(files, deleted):
    assert files.growth_bytes() >= MIB
    assert files.bytes_of_model(OWN) >= MIB
    os.close(deleted)
    assert files.bytes_of_model(OWN) < MIB


def test_a_mapped_file_that_is_not_open_counts(files, deleted):
    with mmap.mmap(deleted, MIB):
        os.close(deleted)
        assert files.bytes_of_model(OWN) >= MIB


def test_a_file_in_the_queue_of_a_socket_counts(files, deleted):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [deleted]))
        ours.sendmsg([b"x"], [rights])
        os.close(deleted)
        assert files.bytes_of_model(OWN) >= MIB


def test_a_file_in_a_directory_counts_and_is_removed(files):
    directory = Path("/dev/shm", f"test-{secrets.token_hex(4)}", "deeper")
    directory.mkdir(parents=True)
    (directory / "file").write_bytes(bytes(MIB))
    assert files.bytes_of_model(OWN) >= MIB
    assert files.remove() == []
    assert not directory.parent.exists()
