"""Writes the result record of a run to the file that `--result` names."""

from __future__ import annotations

from pathlib import Path

from numerai_predict.contract.record import Record
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.validation.submission_file import write_remedy
from numerai_predict.storage.files import atomic_write, resolve_links


def write_record(record: Record, path: Path | None) -> Record:
    """Write the record to the path, if any.

    Returns the record, or a `save_failed` record if writing fails.
    """
    if path is None:
        return record
    try:
        # The user named a link on purpose: the link stays, and the file it leads to is replaced.
        with atomic_write(resolve_links(path)) as handle:
            handle.write(record.as_json().encode())
    except OSError as error:
        log_step("warning", f"the result record could not be written: {error.strerror}")
        if record.exit_code == Verdict.OK.exit_code:
            found = f"expected to write the record to {path}, found: {error.strerror}"
            where = f"the predictions are in {record.predictions.path}"
            return record.concluded(
                Verdict.SAVE_FAILED, f"{found}; {where}", write_remedy(error.errno, "--result")
            )
    return record
