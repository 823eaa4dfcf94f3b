"""Builds the result record from the values that the steps of a run return."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numerai_predict.contract.error_mapping import run_error_of
from numerai_predict.contract.errors import InvalidPredictions
from numerai_predict.contract.record import (
    DataFacts,
    EnvironmentFacts,
    HostedFacts,
    Record,
    Seconds,
    Step,
)
from numerai_predict.contract.verdicts import AnyVerdict
from numerai_predict.runner.validation.hosted_signature import signature_reasons, signature_warnings

if TYPE_CHECKING:
    from numerai_predict.runner.fetching import FetchedFile
    from numerai_predict.runner.supervisor.session import SessionSummary
    from numerai_predict.runner.validation.prediction_validation import ValidatedPredictions


class RecordBuilder:
    """Receives what the steps of one run return; `build` makes the record of all so far.

    It belongs to the object of one run, whose methods call the steps: no step receives it.
    """

    def __init__(self, environment: EnvironmentFacts) -> None:
        self._record = Record(environment=environment)

    @classmethod
    def resume(cls, record: Record) -> RecordBuilder:
        """A builder that continues an earlier record, such as one from another process."""
        builder = cls(record.environment)
        builder._record = record
        return builder

    def build(self) -> Record:
        """The record of everything received so far."""
        return self._record

    @contextmanager
    def timed(self, step: Step) -> Iterator[None]:
        """Add the wall time of the block to the step, also where the block raises."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add_seconds(step, time.perf_counter() - started)

    def add_seconds(self, step: Step, seconds: float) -> None:
        """Add wall time to what the step has taken so far."""
        known = asdict(self._record.seconds)
        known[step.value] = (known[step.value] or 0.0) + seconds
        self._update(seconds=Seconds(**known))

    def set_model_source(self, source: str) -> None:
        """Receive the redacted source of the model, before it is fetched."""
        self._update(model=replace(self._record.model, source=source))

    def set_model_file(self, fetched: FetchedFile) -> None:
        """Receive the model's file."""
        model = self._record.model
        self._update(
            model=replace(model, source=fetched.source, sha256=fetched.sha256, bytes=fetched.size)
        )

    def set_pythons(self, pythons: Iterable[str] | None) -> None:
        """Receive the Pythons that the model's code is valid for; `None` if unknown."""
        self._update(model=replace(self._record.model, python=tuple(pythons or ())))

    def set_dataset(self, facts: DataFacts) -> None:
        """Receive what is known of the live data."""
        self._update(dataset=facts)

    def set_benchmarks(self, facts: DataFacts) -> None:
        """Receive what is known of the benchmark models."""
        self._update(benchmarks=facts)

    def add_session(self, session: SessionSummary) -> None:
        """Receive what a session with a model process measured, also a failed one."""
        record = self._record
        if session.loaded is not None:
            self._update(
                model=replace(record.model, arity=session.loaded.arity),
                seconds=replace(
                    record.seconds, load=session.loaded.seconds, predict=session.predict_seconds
                ),
            )
            self.add_hosted_reasons(signature_reasons(session.loaded))
            self.add_warnings(signature_warnings(session.loaded))
        self._update(
            sandbox=session.layers.as_record(),
            peak_memory_bytes=session.peak_bytes or None,
            acceleration=session.acceleration.as_facts(),
        )

    def add_warnings(self, warnings: Iterable[str]) -> None:
        """Receive warnings; they were logged where they were found."""
        self._update(warnings=(*self._record.warnings, *warnings))

    def add_hosted_reasons(self, reasons: Iterable[str]) -> None:
        """Receive why hosted compute would refuse the model; none change nothing."""
        if added := tuple(reasons):
            self._update(hosted=HostedFacts(False, (*self._record.hosted.reasons, *added)))

    def set_predictions(self, predictions: ValidatedPredictions) -> None:
        """Receive predictions that the tournament accepts, before they are written."""
        self._update(predictions=predictions.summary)
        self.add_warnings(predictions.warnings)
        self.add_hosted_reasons(predictions.hosted_reasons)
        if not self._record.hosted.reasons:
            self._update(hosted=HostedFacts(accepted=True))

    def set_predictions_file(self, path: Path | None, sha256: str) -> None:
        """Receive where the predictions were written; `None` if the file was moved elsewhere."""
        path_text = None if path is None else str(path)
        self._update(predictions=replace(self._record.predictions, path=path_text, sha256=sha256))

    def set_destination(self, destination: str) -> None:
        """Receive where the predictions were delivered."""
        self._update(delivered_to=destination)

    def set_inspection(self, inspection: Mapping[str, Any]) -> None:
        """Receive the report of an inspection without a run."""
        self._update(inspection=inspection)

    def conclude(self, verdict: AnyVerdict, message: str, remedy: str | None = None) -> None:
        """Receive how the run ended."""
        self._record = self._record.concluded(verdict, message, remedy)

    def fail(self, error: Exception) -> None:
        """Receive the error that ended the run; hosted compute refuses invalid predictions too."""
        failure = run_error_of(error)
        if isinstance(failure, InvalidPredictions) and not self._record.hosted.reasons:
            self.add_hosted_reasons([failure.message])
        self._record = self._record.failed(failure)

    def _update(self, **changes: Any) -> None:
        self._record = replace(self._record, **changes)
