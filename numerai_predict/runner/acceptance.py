"""From what a model returned to the file of predictions: checked, then saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from numerai_predict.contract.record import Record
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.submission_file import save_predictions
from numerai_predict.runner.timing import measure_step
from numerai_predict.storage.files import sha256_of

if TYPE_CHECKING:
    from numerai_predict.runner.predictions import Predictions


def validate_and_save(output_dir: Path, record: Record, predictions: Predictions) -> Path:
    """Check the predictions and save them; facts and warnings go into the record.

    Raises:
        InvalidPredictions: at least one rule is broken.
        SaveFailed: they cannot be written.
    """
    from numerai_predict.runner import submission_rules

    with measure_step(record.seconds, "check"):
        submission_rules.check(predictions)
        record.warnings.extend(submission_rules.warnings(predictions))
        values = predictions.in_live_order()
    facts = record.predictions
    facts.rows, facts.min, facts.max = len(values), min(values), max(values)
    facts.std = submission_rules.standard_deviation(values) if len(values) > 1 else None
    for warning in record.warnings:
        log_step("warning", warning)
    log_step("check", f"{facts.rows:,} predictions, {facts.min:.4f} to {facts.max:.4f}: valid")
    with measure_step(record.seconds, "deliver"):
        path = save_predictions(output_dir, predictions.live_ids, values)
        facts.path, facts.sha256 = str(path), sha256_of(path)
    log_step("save", str(path))
    return path
