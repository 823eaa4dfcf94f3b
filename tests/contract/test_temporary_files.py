import tempfile

import pytest

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.contract.temporary_files import (
    require_temporary_directory,
    temporary_directory,
)
from numerai_predict.fleet.temporary_directory import FleetDirectory
from numerai_predict.sandbox.identity import Identity
from numerai_predict.sandbox.scratch import create_scratch

pytestmark = pytest.mark.unit


@pytest.fixture
def no_directory(monkeypatch):
    """This user may write to no directory for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/none"])


@pytest.mark.parametrize(
    "require",
    [
        require_temporary_directory,
        lambda: temporary_directory("x"),
        lambda: create_scratch(Identity()),
        FleetDirectory,
    ],
)
@pytest.mark.parametrize(("variable", "said"), [("/nowhere", "TMPDIR (/nowhere)"), (None, "/tmp")])
def test_without_any_temporary_directory_the_remedy_names_one(
    no_directory, monkeypatch, variable, said, require
):
    if variable:
        monkeypatch.setenv("TMPDIR", variable)
    else:
        monkeypatch.delenv("TMPDIR", raising=False)
    with pytest.raises(SaveFailed) as failed:
        require()
    assert said in failed.value.message
    assert "--tmpfs /tmp" in failed.value.remedy
