"""The talk with the model's process, from its first frame to its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numerai_predict.contract.errors import RunError
from numerai_predict.contract.job import Job
from numerai_predict.contract.record import Record
from numerai_predict.contract.redaction import redact
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.resources import container_memory
from numerai_predict.resources.violations import out_of_container_memory
from numerai_predict.runner.protocol import LOADED, PREDICTED, Frame, MalformedFrame
from numerai_predict.runner.run_log import log_step, logger
from numerai_predict.runner.supervisor.crash_rules import classify_crash
from numerai_predict.runner.supervisor.failure_report import Failure
from numerai_predict.runner.supervisor.failure_rules import classify_failure
from numerai_predict.runner.supervisor.layer_report import report_layers
from numerai_predict.runner.supervisor.model_process import (
    CrashReport,
    ModelProcess,
    ModelProcessExited,
)
from numerai_predict.sandbox.layers import Layers

if TYPE_CHECKING:
    from numerai_predict.runner.predictions import Predictions


@dataclass(frozen=True)
class ModelInputs:
    """What a model needs: its pickle, the live data, and where the benchmarks come from.

    `benchmarks` is asked only for a model that takes them.
    """

    model: Path
    dataset: Path
    benchmarks: Callable[[], Path]


def load_and_predict(
    child: ModelProcess, job: Job, record: Record, hidden: Layers, inputs: ModelInputs
) -> Frame:
    """Have the child confine itself, load the model and call it; its answer, unchecked.

    `hidden` is what keeps this process's secrets from the model. Call it within
    `translate_failures`.

    Raises:
        RunError: it passed a limit or the deadline, or lacks a layer that was asked for.
        ChildDied, MalformedFrame: it ended without an answer.
    """
    request_load(child, job, record, hidden, inputs)
    benchmarks = inputs.benchmarks() if record.model.arity == 2 else None
    return request_predict(child, record, benchmarks)


def request_load(
    child: ModelProcess, job: Job, record: Record, hidden: Layers, inputs: ModelInputs
) -> None:
    """The first half of `ask`: the record then tells how many arguments the model takes."""
    report_layers(hidden.with_more(child.confine()), job.sandbox, record)
    _record_loaded(record, _expect(LOADED, child.load(inputs.model, inputs.dataset)))


def request_predict(
    child: ModelProcess,
    record: Record,
    benchmarks: Path | None,
    dataset: Path | None = None,
    *,
    more: bool = False,
) -> Frame:
    """The second half of `ask`; of several calls each but the first has its own `dataset`."""
    answer = _expect(PREDICTED, child.predict(benchmarks, dataset, more=more))
    record.seconds.predict = _seconds(answer)
    return answer


def decode_response(answer: Frame, live_ids: list[str]) -> Predictions:
    """The predictions in the answer.

    Raises:
        MalformedFrame: there are none.
    """
    from numerai_predict.runner.predictions import decode  # pyarrow takes 0.1 s to import

    return decode(answer.facts, answer.payload, live_ids)


@contextmanager
def translate_failures(job: Job, inspection: Inspection, child: ModelProcess) -> Iterator[None]:
    """Turn what the child says of its failure, or its death, into an error with a verdict."""
    try:
        yield
    except (ModelProcessExited, MalformedFrame, _ChildFailed) as ended:
        if child.was_killed_by_container():
            limit = container_memory.limit_bytes()
            raise out_of_container_memory(limit, child.peak_bytes) from ended
        if isinstance(ended, _ChildFailed):
            raise _error_of_failure(job, inspection, child, ended.facts) from ended
        death = (
            ended.death if isinstance(ended, ModelProcessExited) else CrashReport(None, str(ended))
        )
        raise classify_crash(death, child.peak_bytes, inspection.pythons) from ended


def _error_of_failure(
    job: Job, inspection: Inspection, child: ModelProcess, facts: dict[str, Any]
) -> RunError:
    if trace := facts.get("traceback"):
        logger.debug("%s", trace)
    return classify_failure(
        Failure(
            facts,
            Path(inspection.path),
            redact(job.dataset),
            job.limits,
            child.peak_bytes,
            redact(job.benchmarks),
        )
    )


class _ChildFailed(Exception):
    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts.get("type"))
        self.facts = facts


def _expect(kind: str, frame: Frame) -> Frame:
    if frame.kind == kind:
        return frame
    if frame.kind == "failed":
        raise _ChildFailed(frame.facts)
    raise MalformedFrame(f"{frame.kind[:20]!r} where {kind!r} was due")


def _record_loaded(record: Record, loaded: Frame) -> None:
    if loaded.facts.get("arity") not in (1, 2):
        raise MalformedFrame("a model of neither one nor two arguments")
    record.model.arity = loaded.facts["arity"]
    record.seconds.load = _seconds(loaded)
    arguments = "live_features" + ", live_benchmark_models" * (record.model.arity == 2)
    name = str(loaded.facts.get("name"))[:100]
    log_step("load", f"{name}({arguments}) and the data in {record.seconds.load:.2f} s")


def _seconds(frame: Frame) -> float:
    seconds = frame.facts.get("seconds")
    if not isinstance(seconds, float) or not 0 <= seconds < float("inf"):
        raise MalformedFrame("a step without its seconds")
    return seconds
