"""Writes validated predictions to a CSV file, and checks before that it can be written."""

from __future__ import annotations

import csv
import errno
import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.errors import SaveFailed
from numerai_predict.contract.path_access import barred_by, exists, is_directory, system_directory
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.validation.prediction_validation import ValidatedPredictions
from numerai_predict.storage.files import atomic_write, sha256_of

_REMEDIES = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there",
    errno.EROFS: "mount it writable (in a container without --read-only, or with --tmpfs /tmp)",
    errno.EACCES: "give the user that runs this write permission there, run as its owner (in a "
    'container with --user "$(id -u):$(id -g)")',
}


@dataclass(frozen=True)
class SavedPredictions:
    """The CSV file that was written."""

    path: Path
    sha256: str


def write_remedy(number: int | None, option: str) -> str:
    """What to do where a file cannot be written, by the number of the error."""
    first = _REMEDIES.get(number or 0)
    return f"{first}, or choose another {option}" if first else f"choose another {option}"


def require_directory(directory: Path) -> None:
    """Check before the model runs that its predictions can be saved.

    Raises:
        SaveFailed: it is missing, not a directory, not writable, or one of the system.
    """
    if system := system_directory(directory):
        raise SaveFailed(
            f"expected an output directory of files, found {directory}, which is of the system "
            f"({system})",
            "choose another --output_dir",
        )
    if barred := barred_by(directory):
        raise SaveFailed(
            f"expected the output directory {directory}, found {barred.found}", barred.remedy
        )
    if not exists(directory):
        raise SaveFailed(
            f"expected the output directory {directory}, found nothing there",
            "create it, or choose another --output_dir; "
            "a directory outside a container must be mounted into it",
        )
    if not is_directory(directory):
        raise SaveFailed(
            f"expected a directory at {directory}, found a file", "choose another --output_dir"
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        is_read_only = os.statvfs(directory).f_flag & os.ST_RDONLY
        raise SaveFailed(
            f"expected a writable directory at {directory}, found that user {os.geteuid()} may not "
            "write there",
            write_remedy(errno.EROFS if is_read_only else errno.EACCES, "--output_dir"),
        )


def save_predictions(directory: Path, predictions: ValidatedPredictions) -> SavedPredictions:
    """Write `live_predictions-<12 hex>.csv` with the header `id,prediction`.

    Values are written so that reading them gives the same float64 again.

    Raises:
        SaveFailed: the disk is full, the directory is read-only or does not exist.
    """
    path = directory / f"live_predictions-{secrets.token_hex(6)}.csv"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("id", "prediction"))
    writer.writerows(zip(predictions.ids, predictions.values, strict=True))
    try:
        with atomic_write(path) as handle:
            handle.write(text.getvalue().encode())
    except OSError as error:
        raise SaveFailed(
            f"expected to write the predictions to {directory}, found: {error.strerror}",
            write_remedy(error.errno, "--output_dir"),
        ) from error
    saved = SavedPredictions(path, sha256_of(path))
    log_step("save", str(path))
    return saved
