"""Files that the model's user cannot read are copied; a copy that fails has a verdict."""

from types import SimpleNamespace

import pytest

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.runner.supervisor.launch import ProcessHandle
from numerai_predict.sandbox.identity import Identity


def readable(path, scratch):
    handle = SimpleNamespace(
        in_memory=frozenset(),
        identity=Identity(),
        known=frozenset(),
        scratch=SimpleNamespace(name=str(scratch)),
    )
    return ProcessHandle.readable(handle, path)


def test_a_file_outside_the_known_folders_is_copied(tmp_path):
    path = tmp_path / "live.parquet"
    path.write_bytes(b"data")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    copy = readable(path, scratch)
    assert (copy.parent, copy.read_bytes()) == (scratch, b"data")


def test_a_copy_that_cannot_be_written_is_save_failed_and_names_both_paths(tmp_path):
    path = tmp_path / "live.parquet"
    path.write_bytes(b"data")
    with pytest.raises(SaveFailed, match=r"live\.parquet .*missing, found: No such file") as failed:
        readable(path, tmp_path / "missing")
    assert "TMPDIR" in failed.value.remedy
