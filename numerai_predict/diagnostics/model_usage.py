"""What a model used while it predicted past eras: memory, time, repeatability."""

from __future__ import annotations

from dataclasses import dataclass

from numerai_predict.contract.record import Record


@dataclass(frozen=True)
class ModelUsage:
    """Resources that a model used, and its last record.

    `peak_bytes` is the peak memory of the process tree, `predict_seconds` the time of all calls,
    `slowest_seconds` that of the slowest, `load_seconds` the longest time to load the model.
    `repeatable` is false if the first era, predicted again after others, gave different
    predictions: the model keeps state between calls or is random.
    """

    record: Record
    peak_bytes: int
    predict_seconds: float
    slowest_seconds: float
    load_seconds: float
    repeatable: bool


class UsageRecorder:
    """Accumulates the usage of all batches of a diagnosis."""

    def __init__(self) -> None:
        self._record: Record | None = None
        self._peak_bytes = 0
        self._predict_seconds = 0.0
        self._slowest_seconds = 0.0
        self._load_seconds = 0.0
        self._repeatable = True

    def add_call(self, record: Record) -> None:
        """Add the times of a call from the record after it."""
        seconds = record.seconds.predict or 0.0
        self._predict_seconds += seconds
        self._slowest_seconds = max(self._slowest_seconds, seconds)
        self._load_seconds = max(self._load_seconds, record.seconds.load or 0.0)

    def add_batch(self, record: Record) -> None:
        """Add a finished batch; its record replaces that of the batch before."""
        self._record = record
        self._peak_bytes = max(self._peak_bytes, record.peak_memory_bytes or 0)

    def set_repeatable(self, repeatable: bool) -> None:
        """Set whether the repeated call gave the same predictions."""
        self._repeatable = repeatable

    def result(self) -> ModelUsage:
        """The usage so far.

        Raises:
            RuntimeError: no batch has finished.
        """
        if self._record is None:
            raise RuntimeError("expected at least one finished batch, found none")
        return ModelUsage(
            self._record,
            self._peak_bytes,
            self._predict_seconds,
            self._slowest_seconds,
            self._load_seconds,
            self._repeatable,
        )
