import os
from pathlib import Path

import pytest

from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.scratch import create_scratch, scratch_variables


def test_the_directory_is_empty_private_and_deleted_with_its_files():
    scratch = create_scratch(Identity())
    path = Path(scratch.name)
    assert path.name.startswith("numerai-model-")
    assert path.stat().st_mode & 0o777 == 0o700
    assert list(path.iterdir()) == []
    (path / "made").write_text("by a model")
    scratch.cleanup()
    assert not path.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives directories to other users")
def test_it_belongs_to_the_user_and_group_of_the_model():
    scratch = create_scratch(Identity(65534, 1_900_000_000))
    status = Path(scratch.name).stat()
    scratch.cleanup()
    assert (status.st_uid, status.st_gid) == (65534, 1_900_000_000)


def test_every_library_is_directed_to_it():
    variables = scratch_variables("/tmp/scratch")
    assert {"HOME", "TMPDIR", "XDG_CACHE_HOME"} <= set(variables)
    assert set(variables.values()) == {"/tmp/scratch"}
