"""Temporary directories, and the error if no writable one exists."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from numerai_predict.contract.errors import SaveFailed


def require_temporary_directory() -> Path:
    """The directory for temporary files: TMPDIR, or the first of the system's that is writable.

    Raises:
        SaveFailed: this user may write to none.
    """
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        named = os.environ.get("TMPDIR")
        tried = [f"TMPDIR ({named})"] if named else []
        raise SaveFailed(
            "expected a writable directory for temporary files, found none: user "
            f"{os.geteuid()} may not write to {', '.join([*tried, '/tmp', '/var/tmp'])}",  # noqa: S108
            "in a container with --read-only add --tmpfs /tmp; elsewhere set TMPDIR to a "
            "directory that this user may write to",
        ) from error


def temporary_directory(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """A new directory for temporary files; a context manager of its path, which removes it.

    Raises:
        SaveFailed: this user may write to no directory for temporary files.
    """
    require_temporary_directory()
    return tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
