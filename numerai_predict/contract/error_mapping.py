"""The one mapping from an exception to the error that a run or a command ends with.

The error owns the verdict and so the exit code. Every boundary uses this mapping: the command
line, `predict.py`, and the processes of a fleet run. A step that knows more than the exception
raises a `RunError` of its own.
"""

from __future__ import annotations

from numerai_predict.contract.brief_text import brief
from numerai_predict.contract.errors import InternalError, RunError, SaveFailed
from numerai_predict.contract.path_access import barred_by

_NETWORK_ERRORS = (ConnectionError, TimeoutError)  # the transfers translate them: here, a bug


def run_error_of(error: BaseException) -> RunError:
    """The `RunError` that corresponds to the exception.

    Returns:
        A `RunError` itself; `SaveFailed` for an error of the file system or of a database file;
        `InternalError`, with the traceback, for everything else: it is a bug.
    """
    if isinstance(error, RunError):
        return error
    if isinstance(error, OSError) and not isinstance(error, _NETWORK_ERRORS):
        return _error_of_files(error)
    if _is_of_a_database_file(error):
        return SaveFailed(
            f"expected to read and write a database, found: {brief(str(error))}",
            "check the disk and the file, then try again",
        )
    return InternalError.caused_by(error)


def _error_of_files(error: OSError) -> RunError:
    is_named = isinstance(error.filename, str)
    if isinstance(error, PermissionError) and is_named and (barred := barred_by(error.filename)):
        return SaveFailed(f"expected {error.filename}, found {barred.found}", barred.remedy)
    where = f" ({error.filename})" if error.filename else ""
    return SaveFailed(
        f"expected to read and write files, found: {error.strerror or error}{where}",
        "check the disk and the path, then try again",
    )


def _is_of_a_database_file(error: BaseException) -> bool:
    """Whether SQLite could not use its file: full, locked, damaged or no database at all."""
    import sqlite3  # needed after a failure alone

    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
