"""Names the file of a database that SQLite could not open: its error has no path."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from numerai_predict.runner.failure_text import is_unopened_database

CONNECT = "sqlite3.connect"  # the event of Python's audit hooks

_last_path: str | None = None


def keep_path(arguments: tuple[Any, ...]) -> None:
    """Keep the path of an attempt to connect."""
    global _last_path
    path = arguments[0]
    _last_path = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else None


def unopened_database(error: BaseException) -> tuple[int, str] | None:
    """The system's error number and the path, if the error is that of a database."""
    kind = type(error)
    is_operational = (kind.__module__, kind.__name__) == ("sqlite3", "OperationalError")
    if not is_operational or not is_unopened_database(str(error)) or not _last_path:
        return None
    path = Path(_last_path)
    return (errno.EACCES if path.parent.is_dir() else errno.ENOENT), str(path)
