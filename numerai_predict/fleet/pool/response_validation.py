"""Decodes and validates one response of a model, in a process that nothing else runs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.frame_schema import MalformedFrame
from numerai_predict.runner.protocol import Predicted
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.supervisor.network_attempts import attempted_hosts_in_errors
from numerai_predict.runner.supervisor.session import malformed_response
from numerai_predict.runner.supervisor.time_limit import response_time_limit
from numerai_predict.runner.validation.prediction_validation import require_hosted, validate
from numerai_predict.runner.validation.predictions import Predictions, decode
from numerai_predict.runner.validation.submission_file import SavedPredictions, save_predictions


@dataclass(frozen=True)
class ValidationRequest:
    """A response to validate: the record so far, and the fields of `protocol.Predicted`.

    `attempted_hosts` are those that the model tried to reach. With `hosted`, predictions that
    hosted compute would refuse are invalid.
    """

    record: Mapping[str, Any]
    predicted: Mapping[str, Any]
    attempted_hosts: list[str] = field(default_factory=list)
    hosted: bool = False


@dataclass(frozen=True)
class Validated:
    """The record, and the predictions as a CSV file; `None` if they are not valid."""

    record: Record
    csv: bytes | None


class ResponseValidation:
    """The validation of one response, with the record of the model.

    Args:
        directory: receives the CSV file for a moment.
    """

    def __init__(self, request: ValidationRequest, live_ids: list[str], directory: Path) -> None:
        self._request = request
        self._live_ids = live_ids
        self._directory = directory
        self._record = RecordBuilder.resume(Record.from_dict(dict(request.record)))

    def run(self, payload: bytes, seconds: float) -> Validated:
        """Decode and validate predictions within `seconds`; a failure is the model's result."""
        try:
            with (
                attempted_hosts_in_errors(lambda: tuple(self._request.attempted_hosts)),
                response_time_limit(seconds),
            ):
                saved = self._save(payload)
        except Exception as error:
            self._record.fail(error)
            return Validated(self._record.build(), None)
        csv = saved.path.read_bytes()
        saved.path.unlink()
        self._record.set_predictions_file(None, saved.sha256)
        self._record.conclude(Verdict.OK, "predicted")
        return Validated(self._record.build(), csv)

    def _save(self, payload: bytes) -> SavedPredictions:
        predictions = self._decode(payload)
        with self._record.timed(Step.CHECK):
            validated = validate(predictions)
            if self._request.hosted:
                self._record.add_hosted_reasons(validated.hosted_reasons)
                require_hosted(validated)
        self._record.set_predictions(validated)
        with self._record.timed(Step.DELIVER):
            return save_predictions(self._directory, validated)

    def _decode(self, payload: bytes) -> Predictions:
        try:
            return decode(Predicted.parse(self._request.predicted), payload, self._live_ids)
        except MalformedFrame as malformed:
            peak_bytes = self._record.build().peak_memory_bytes or 0
            raise malformed_response(malformed, peak_bytes) from malformed
