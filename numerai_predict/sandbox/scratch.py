"""The scratch directory: the only directory that a model may write."""

from __future__ import annotations

import os
import tempfile

from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.sandbox.identity import Identity

# Where libraries keep the files they make. joblib would use /dev/shm, where a model may create
# files but no directories.
_VARIABLES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR", "JOBLIB_TEMP_FOLDER")


def create_scratch(identity: Identity) -> tempfile.TemporaryDirectory[str]:
    """Create an empty scratch directory that the identity owns; `cleanup()` deletes it.

    Raises:
        OSError: it cannot be created.
    """
    scratch = temporary_directory("numerai-model-")
    if identity.user is not None and identity.group is not None:
        os.chown(scratch.name, identity.user, identity.group)
    return scratch


def scratch_variables(scratch: str) -> dict[str, str]:
    """The environment variables that make libraries keep their files in the scratch directory."""
    return dict.fromkeys(_VARIABLES, scratch)
