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


def validate_response(
    request: ValidationRequest,
    payload: bytes,
    live_ids: list[str],
    directory: Path,
    seconds: float,
) -> Validated:
    """Decode and validate predictions within `seconds`; whatever fails is the model's result.

    `directory` receives the CSV file for a moment.
    """
    builder = RecordBuilder.resume(Record.from_dict(dict(request.record)))
    try:
        with (
            attempted_hosts_in_errors(lambda: tuple(request.attempted_hosts)),
            response_time_limit(seconds),
        ):
            saved = _save(request, payload, live_ids, directory, builder)
    except Exception as error:
        builder.fail(error)
        return Validated(builder.build(), None)
    csv = saved.path.read_bytes()
    saved.path.unlink()
    builder.set_predictions_file(None, saved.sha256)
    builder.conclude(Verdict.OK, "predicted")
    return Validated(builder.build(), csv)


def _save(
    request: ValidationRequest,
    payload: bytes,
    live_ids: list[str],
    directory: Path,
    builder: RecordBuilder,
) -> SavedPredictions:
    predictions = _decode(request, payload, live_ids, builder.build().peak_memory_bytes or 0)
    with builder.timed(Step.CHECK):
        validated = validate(predictions)
        if request.hosted:
            builder.add_hosted_reasons(validated.hosted_reasons)
            require_hosted(validated)
    builder.set_predictions(validated)
    with builder.timed(Step.DELIVER):
        return save_predictions(directory, validated)


def _decode(
    request: ValidationRequest, payload: bytes, live_ids: list[str], peak_bytes: int
) -> Predictions:
    try:
        return decode(Predicted.parse(request.predicted), payload, live_ids)
    except MalformedFrame as malformed:
        raise malformed_response(malformed, peak_bytes) from malformed
