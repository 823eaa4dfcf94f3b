"""The steps of a run: fetch, load, predict, check, save, deliver."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
    ModelUnavailable,
    ModelUnreachable,
    RunError,
)
from numerai_predict.contract.job import Job
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.record import DataFacts, Record, Seconds
from numerai_predict.contract.redaction import redact
from numerai_predict.inspection.examine import Inspection
from numerai_predict.runner import causes, preflight
from numerai_predict.runner.attempts import naming_attempts
from numerai_predict.runner.deaths import error_of_death
from numerai_predict.runner.isolation import report_layers
from numerai_predict.runner.log import log_model_line, log_step, logger
from numerai_predict.runner.process import Child, ChildDied, Death
from numerai_predict.runner.protocol import LOADED, PREDICTED, Frame, MalformedFrame
from numerai_predict.runner.sandbox.layers import Layers
from numerai_predict.runner.save import require_directory, save_predictions
from numerai_predict.runner.transfers import terms_of
from numerai_predict.runner.usage import container_memory
from numerai_predict.runner.usage.breaches import out_of_container_memory
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.sinks import Directory, PostForm, Sink, deliver, sink_of
from numerai_predict.storage.sources import LocalFile, source_of

if TYPE_CHECKING:
    from numerai_predict.runner.predictions import Predictions


def run(job: Job, record: Record, deadline: Deadline, hidden: Layers) -> None:
    """Do the whole job; `record` is filled in as far as it gets.

    `hidden` is what keeps this process's secrets from the model.

    Raises:
        RunError: it ended without predictions delivered.
    """
    require_directory(job.output_dir)
    with naming_attempts() as attempts:
        with tempfile.TemporaryDirectory(prefix="numerai-fetch-") as folder:
            predictions = _predict(job, record, deadline, Path(folder), hidden, attempts)
        path = _check_and_save(job, record, predictions)
    with _timed(record.seconds, "deliver"):
        record.delivered_to = deliver(path, _sinks(job), terms_of(deadline, "deliver"))
    if job.post is not None or job.output_url is not None:
        log_step("deliver", record.delivered_to)


def _sinks(job: Job) -> list[Sink]:
    """Where the saved predictions go; the directory has them already."""
    sinks: list[Sink] = []
    if job.output_url is not None:
        sinks.append(sink_of(job.output_url))
    if job.post is not None:
        sinks.append(PostForm(job.post))
    return sinks or [Directory(job.output_dir)]


def _predict(
    job: Job,
    record: Record,
    deadline: Deadline,
    folder: Path,
    hidden: Layers,
    attempts: list[str],
) -> Predictions:
    # The child imports pandas while the parent fetches and imports pyarrow.
    readable = [folder, *_local_files(job)]
    child = Child(job.limits, deadline, log_model_line, readable, job.sandbox, attempts)
    try:
        with child:
            with _timed(record.seconds, "fetch"):
                model = fetch_model(job, record, deadline, folder)
            inspection = preflight.inspect_model(job, record, model)
            with _timed(record.seconds, "fetch"):
                dataset, live_ids = _fetch_live(job, record, deadline, folder, inspection)
            with _reporting_failures(job, inspection, child):
                report_layers(hidden.with_more(child.confine()), job.sandbox, record)
                _record_loaded(record, _expect(LOADED, child.load(model, dataset)))
                benchmarks = None
                if record.model.arity == 2:
                    with _timed(record.seconds, "fetch"):
                        benchmarks = _fetch_benchmarks(job, record, deadline, folder)
                answer = _expect(PREDICTED, child.predict(benchmarks))
                record.seconds.predict = _seconds(answer)
                predictions = _decode(answer, live_ids)
    finally:
        record.peak_memory_bytes = child.peak_bytes or None
    log_step(
        "predict",
        f"{predictions.rows:,} rows in {record.seconds.predict:.2f} s, "
        f"peak memory {format_size(child.peak_bytes)}",
    )
    return predictions


def _local_files(job: Job) -> list[Path]:
    """The files of the job that lie on this machine, by their real places."""
    sources = map(source_of, (job.model, job.dataset, job.benchmarks))
    return [source.path.resolve() for source in sources if isinstance(source, LocalFile)]


def fetch_model(job: Job, record: Record, deadline: Deadline, folder: Path) -> Path:
    """Fetch the model into the folder, or find it where it lies; its facts go into the record.

    Raises:
        ModelUnavailable: it cannot be fetched.
    """
    record.model.source = redact(job.model)
    with _fetching(ModelUnavailable, ModelUnreachable, "the model"):
        terms = terms_of(deadline, "fetch")
        path = source_of(job.model).fetch(_subfolder(folder, "model"), terms)
        record.model.sha256 = sha256_of(path)
    record.model.bytes = path.stat().st_size
    log_step("fetch", f"model {record.model.source}, {format_size(record.model.bytes)}")
    return path


def _fetch_live(
    job: Job, record: Record, deadline: Deadline, folder: Path, inspection: Inspection
) -> tuple[Path, list[str]]:
    from numerai_predict.runner.live import read_ids, read_shape  # pyarrow takes 0.1 s to import

    path = _fetch_data(job, job.dataset, record.dataset, deadline, _subfolder(folder, "live"))
    ids = read_ids(path, redact(job.dataset))
    shape = read_shape(path, redact(job.dataset))
    record.dataset.rows, record.dataset.columns = shape.rows, shape.columns
    log_step(
        "fetch",
        f"live data {record.dataset.source}, {shape.rows:,} rows x {shape.columns:,} columns",
    )
    preflight.warn_of_columns(inspection, record, shape.names)
    return path, ids


def _fetch_benchmarks(job: Job, record: Record, deadline: Deadline, folder: Path) -> Path:
    from numerai_predict.runner.live import read_shape

    facts = record.benchmarks
    into = _subfolder(folder, "benchmarks")
    path = _fetch_data(job, job.benchmarks, facts, deadline, into)
    shape = read_shape(path, redact(job.benchmarks))
    facts.rows, facts.columns = shape.rows, shape.columns
    log_step("fetch", f"benchmarks {facts.source}, {shape.rows:,} rows x {shape.columns:,} columns")
    return path


def _fetch_data(job: Job, source: str, facts: DataFacts, deadline: Deadline, folder: Path) -> Path:
    facts.source = redact(source)
    with _fetching(DatasetUnavailable, DatasetUnreachable, "the data"):
        path = source_of(source, job.cache).fetch(folder, terms_of(deadline, "fetch"))
        facts.sha256 = sha256_of(path)
    return path


def _subfolder(folder: Path, name: str) -> Path:
    """A place of its own: two sources may end in the same file name."""
    (folder / name).mkdir()
    return folder / name


@contextmanager
def _fetching(
    unavailable: type[RunError], unreachable: type[RunError], what: str
) -> Iterator[None]:
    """Give a failed fetch the verdict of what was fetched."""
    try:
        yield
    except FetchInterrupted as error:
        raise unreachable(error.message, error.remedy) from error
    except FetchFailed as error:
        raise unavailable(error.message, error.remedy) from error
    except OSError as error:
        raise unavailable(
            f"expected to fetch {what}, found: {error.strerror}",
            "look at the disk that holds the temporary files (TMPDIR), then try again",
        ) from error


@contextmanager
def _reporting_failures(job: Job, inspection: Inspection, child: Child) -> Iterator[None]:
    """Turn what the child says of its failure, or its death, into an error with a verdict."""
    try:
        yield
    except (ChildDied, MalformedFrame, _ChildFailed) as ended:
        if child.was_killed_by_container():
            limit = container_memory.limit_bytes()
            raise out_of_container_memory(limit, child.peak_bytes) from ended
        if isinstance(ended, _ChildFailed):
            raise _error_of_failure(job, inspection, child, ended.facts) from ended
        death = ended.death if isinstance(ended, ChildDied) else Death(None, str(ended))
        raise error_of_death(death, child.peak_bytes, inspection.pythons) from ended


def _error_of_failure(
    job: Job, inspection: Inspection, child: Child, facts: dict[str, Any]
) -> RunError:
    if trace := facts.get("traceback"):
        logger.debug("%s", trace)
    return causes.error_of_failure(
        causes.Failure(
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


def _decode(answer: Frame, live_ids: list[str]) -> Predictions:
    from numerai_predict.runner.predictions import decode

    return decode(answer.facts, answer.payload, live_ids)


def _check_and_save(job: Job, record: Record, predictions: Predictions) -> Path:
    from numerai_predict.runner import checks

    with _timed(record.seconds, "check"):
        checks.check(predictions)
        record.warnings.extend(checks.warnings(predictions))
        values = predictions.in_live_order()
    facts = record.predictions
    facts.rows, facts.min, facts.max = len(values), min(values), max(values)
    facts.std = checks.standard_deviation(values) if len(values) > 1 else None
    for warning in record.warnings:
        log_step("warning", warning)
    log_step("check", f"{facts.rows:,} predictions, {facts.min:.4f} to {facts.max:.4f}: valid")
    with _timed(record.seconds, "deliver"):
        path = save_predictions(job.output_dir, predictions.live_ids, values)
        facts.path, facts.sha256 = str(path), sha256_of(path)
    log_step("save", str(path))
    return path


@contextmanager
def _timed(seconds: Seconds, step: str) -> Iterator[None]:
    """Add the wall time of the block to a step's seconds."""
    started = time.perf_counter()
    try:
        yield
    finally:
        spent = (getattr(seconds, step) or 0.0) + time.perf_counter() - started
        setattr(seconds, step, spent)
