"""The file of predictions."""

from __future__ import annotations

import csv
import errno
import io
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.storage.files import atomic_write

_REMEDIES = {
    errno.ENOSPC: "free some space there, or choose another --output_dir",
    errno.EDQUOT: "free some space there, or choose another --output_dir",
    errno.EROFS: "mount it writable, or choose another --output_dir",
    errno.EACCES: "give the user that runs this the right to write there, "
    "or choose another --output_dir",
}


def require_directory(directory: Path) -> None:
    """Know before the model runs that its predictions can be saved.

    Raises:
        SaveFailed: it is missing, no directory, or not writable.
    """
    if not directory.exists():
        raise SaveFailed(
            f"expected the output directory {directory}, found nothing there",
            "make it first, or choose another --output_dir; "
            "a directory outside a container must be mounted into it",
        )
    if not directory.is_dir():
        raise SaveFailed(
            f"expected a directory at {directory}, found a file", "choose another --output_dir"
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        is_read_only = os.statvfs(directory).f_flag & os.ST_RDONLY
        raise SaveFailed(
            f"expected a writable directory at {directory}, found that it is not",
            _REMEDIES[errno.EROFS if is_read_only else errno.EACCES],
        )


def save_predictions(directory: Path, ids: Sequence[str], values: Sequence[float]) -> Path:
    """Write `live_predictions-<12 hex>.csv` with the header `id,prediction`.

    Values are written so that reading them gives the same float64 again.

    Raises:
        SaveFailed: the disk is full, the directory read-only or gone.
    """
    path = directory / f"live_predictions-{secrets.token_hex(6)}.csv"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "prediction"))
    writer.writerows(zip(ids, values, strict=True))
    try:
        with atomic_write(path) as handle:
            handle.write(text.getvalue().encode())
    except OSError as error:
        raise SaveFailed(
            f"expected to write the predictions to {directory}, found: {error.strerror}",
            _REMEDIES.get(error.errno or 0, "choose another --output_dir"),
        ) from error
    return path
