"""`predict.py --check`: what a run would find out before it unpickles the model."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.redaction import redact
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json, as_text
from numerai_predict.runner.pipeline import fetch_model
from numerai_predict.runner.preflight import check_compatibility


def check(job: Job, record: Record, deadline: Deadline) -> None:
    """Fetch the model, print what its inspection found, and judge it as a run would.

    Raises:
        RunError: it cannot be fetched, or a run of it here is certain to fail.
    """
    with tempfile.TemporaryDirectory(prefix="numerai-fetch-") as folder:
        model = fetch_model(job, record, deadline, Path(folder))
        inspection = inspect_pickle(model)
        shown = replace(inspection, path=redact(job.model))
        record.inspection = as_json(shown)
        sys.stdout.write(as_text(shown))
        check_compatibility(inspection, job, record)
