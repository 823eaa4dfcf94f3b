"""Many calls of one model: loaded once, called once per file of live data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.model_call import ModelCall
from numerai_predict.contract.record import Record
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.live_data import read_ids
from numerai_predict.runner.record_builder import RecordBuilder
from numerai_predict.runner.run_log import log_model_line, log_model_line_debug, suppress_info
from numerai_predict.runner.supervisor.network_attempts import attempted_hosts_in_errors
from numerai_predict.runner.supervisor.session import (
    InspectedModel,
    ModelSession,
    SessionStage,
    new_interpreter,
)
from numerai_predict.runner.supervisor.time_limit import response_time_limit
from numerai_predict.runner.validation import submission_rules
from numerai_predict.sandbox.layers import Layers


@dataclass(frozen=True)
class BatchCall:
    """One file of live data, called `name` in messages.

    `benchmarks` returns the file of benchmark models; it is called for a model that takes them.
    With `equal_allowed` predictions may all be equal, which no submission may.
    """

    name: str
    dataset: Path
    benchmarks: Callable[[], Path]
    equal_allowed: bool = False


class Batch(Protocol):
    """Calls of one model, in a process of this machine or in a container; a context manager."""

    def __enter__(self) -> Batch:
        """The batch itself; the model process starts with the first call."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the model process."""

    def predict(self, call: BatchCall) -> list[float]:
        """The model's predictions in the order of the ids, validated as a submission.

        Its files may replace those of the call before. A call has the time limit of a run less
        the time that loading took.

        Raises:
            RunError: as of a single run; the message names the call.
        """

    @property
    def record(self) -> Record:
        """What is known of the model and its process, and of the latest call."""


class LocalBatch:
    """A `Batch` in a model process of this machine.

    Args:
        directory: holds the files of all calls.
        repeated: whether a batch of the same model ran before: its messages are not repeated.
    """

    def __init__(
        self,
        model: InspectedModel,
        directory: Path,
        call: ModelCall,
        deadline: Deadline,
        supervisor_layers: Layers,
        *,
        repeated: bool = False,
    ) -> None:
        self._model = model
        self._labels = call.labels
        self._repeated = repeated
        self._session = ModelSession(
            call,
            new_interpreter(call, [model.path, directory]),
            deadline,
            supervisor_layers,
            show=log_model_line_debug if repeated else log_model_line,
        )
        self._arity = 0

    def __enter__(self) -> LocalBatch:
        """The batch itself; the model process starts with the first call."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the model process."""
        if self._session.stage is not SessionStage.NEW:
            self._session.close()

    def predict(self, call: BatchCall) -> list[float]:
        """As `Batch.predict`."""
        is_first = self._session.stage is SessionStage.NEW
        if is_first:
            self._session.start()
            with self._quiet():
                self._arity = self._session.load(self._model, call.dataset).arity
        with _named_after(call):
            benchmarks = call.benchmarks() if self._arity == 2 else None
            dataset = None if is_first else call.dataset
            response = self._session.predict(benchmarks, dataset, more=True)
            ids = read_ids(call.dataset, self._labels.dataset)
            predictions = self._session.decode(response, ids)
            with (
                response_time_limit(),
                attempted_hosts_in_errors(lambda: self._session.summary.attempted_hosts),
            ):
                submission_rules.check(predictions, equal_allowed=call.equal_allowed)
        return predictions.in_live_order()

    @property
    def record(self) -> Record:
        """As `Batch.record`."""
        record = RecordBuilder(current_environment())
        record.set_pythons(self._model.inspection.pythons.legal)
        record.add_warnings(self._model.warnings)
        record.add_session(self._session.summary)
        return record.build()

    def _quiet(self) -> AbstractContextManager[None]:
        return suppress_info() if self._repeated else nullcontext()


@contextmanager
def _named_after(call: BatchCall) -> Iterator[None]:
    """Begin the message of an error with the name of the call that failed."""
    try:
        yield
    except RunError as error:
        title, *details = error.message.split("\n")
        message = "\n".join([f"{call.name}: {title}", *details])
        raise type(error)(message, error.remedy) from error
