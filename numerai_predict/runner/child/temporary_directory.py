"""Gives a model's directory for temporary files a short path.

Libraries put sockets into it, and the path of a socket has at most 107 bytes: that of a scratch
directory may be too long for them. A link in the private `/tmp` is short, and leads to it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_VARIABLE = "TMPDIR"
_LINK = "/tmp/.scratch"  # noqa: S108 - /tmp is private where this is used
# What multiprocessing, joblib and torch append has up to 40 characters.
_MAX_LENGTH = 64


def shorten_temporary_directory() -> None:
    """Reach the directory by a link, if its path is long; `/tmp` must be private."""
    directory = os.environ.get(_VARIABLE, "")
    if len(os.fsencode(directory)) <= _MAX_LENGTH:
        return
    Path(_LINK).symlink_to(directory)
    os.environ[_VARIABLE] = _LINK
    if "tempfile" in sys.modules:
        vars(sys.modules["tempfile"])["tempdir"] = None  # the next call finds it again
