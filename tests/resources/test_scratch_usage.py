import os

from numerai_predict.resources.scratch_usage import (
    INODE_BYTES,
    deleted_files_bytes,
    directory_bytes,
)

MIB = 1024**2


def test_files_at_every_depth_count_and_links_do_not(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for path in (tmp_path / "one", tmp_path / "a" / "b" / "two"):
        path.write_bytes(os.urandom(MIB))
    (tmp_path / "a" / "link").symlink_to(tmp_path / "one")
    assert 2 * MIB <= directory_bytes(tmp_path) < 2.5 * MIB


def test_empty_files_and_directories_count_as_inodes(tmp_path):
    (tmp_path / "folder").mkdir()
    for number in range(9):
        (tmp_path / "folder" / str(number)).touch()
    assert directory_bytes(tmp_path) == 10 * INODE_BYTES


def test_a_sparse_file_counts_the_disk_that_it_takes(tmp_path):
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1024**3)
    assert directory_bytes(tmp_path) < MIB


def test_a_deleted_file_counts_once_as_long_as_it_is_open(tmp_path):
    device = tmp_path.stat().st_dev
    with (tmp_path / "deleted").open("wb") as file, (tmp_path / "deleted").open("rb"):
        file.write(os.urandom(MIB))
        file.flush()
        os.fsync(file.fileno())
        assert deleted_files_bytes(device, [os.getpid()]) == 0
        (tmp_path / "deleted").unlink()
        assert MIB <= deleted_files_bytes(device, [os.getpid()]) < 1.5 * MIB
        assert deleted_files_bytes(device + 1, [os.getpid()]) == 0
    assert deleted_files_bytes(device, [os.getpid()]) == 0


def test_a_process_that_has_ended_has_no_files(tmp_path):
    assert deleted_files_bytes(tmp_path.stat().st_dev, [2**22 + 1]) == 0
