"""The steps of a run: fetch, load, predict, check, save, deliver."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

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
from numerai_predict.contract.record import DataFacts, Record
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.runner import preflight
from numerai_predict.runner.acceptance import validate_and_save
from numerai_predict.runner.run_log import log_model_line, log_step
from numerai_predict.runner.submission_file import require_directory
from numerai_predict.runner.supervisor.launch import launch
from numerai_predict.runner.supervisor.model_process import ModelProcess
from numerai_predict.runner.supervisor.network_attempts import network_attempt_context
from numerai_predict.runner.supervisor.session import (
    ModelInputs,
    decode_response,
    load_and_predict,
    translate_failures,
)
from numerai_predict.runner.timing import measure_step
from numerai_predict.runner.transfers import transfer_policy
from numerai_predict.sandbox.layers import Layers
from numerai_predict.storage.destinations import (
    Destination,
    Directory,
    PostForm,
    deliver,
    destination_of,
)
from numerai_predict.storage.files import sha256_of
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
    with network_attempt_context() as attempts:
        with tempfile.TemporaryDirectory(prefix="numerai-fetch-") as folder:
            predictions = _predict(job, record, deadline, Path(folder), hidden, attempts)
        path = validate_and_save(job.output_dir, record, predictions)
    with measure_step(record.seconds, "deliver"):
        record.delivered_to = deliver(path, _sinks(job), transfer_policy(deadline, "deliver"))
    if job.post is not None or job.output_url is not None:
        log_step("deliver", record.delivered_to)


def _sinks(job: Job) -> list[Destination]:
    """Where the saved predictions go; the directory has them already."""
    sinks: list[Destination] = []
    if job.output_url is not None:
        sinks.append(destination_of(job.output_url))
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
    confined = job.sandbox is not Sandbox.OFF
    start = functools.partial(launch, job.limits, readable, confined=confined)
    child = ModelProcess(start, job.limits, deadline, log_model_line, attempts)
    try:
        with child:
            with measure_step(record.seconds, "fetch"):
                model = fetch_model(job, record, deadline, folder)
            inspection = preflight.inspect_model(job, record, model)
            with measure_step(record.seconds, "fetch"):
                dataset, live_ids = _fetch_live(job, record, deadline, folder, inspection)

            def benchmarks() -> Path:
                with measure_step(record.seconds, "fetch"):
                    return _fetch_benchmarks(job, record, deadline, folder)

            with translate_failures(job, inspection, child):
                answer = load_and_predict(
                    child, job, record, hidden, ModelInputs(model, dataset, benchmarks)
                )
                predictions = decode_response(answer, live_ids)
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
        terms = transfer_policy(deadline, "fetch")
        path = source_of(job.model).fetch(_subfolder(folder, "model"), terms)
        record.model.sha256 = sha256_of(path)
    record.model.bytes = path.stat().st_size
    log_step("fetch", f"model {record.model.source}, {format_size(record.model.bytes)}")
    return path


def _fetch_live(
    job: Job, record: Record, deadline: Deadline, folder: Path, inspection: Inspection
) -> tuple[Path, list[str]]:
    from numerai_predict.runner.live_data import (  # pyarrow takes 0.1 s to import
        read_ids,
        read_shape,
    )

    path = _fetch_data(job, job.dataset, record.dataset, deadline, _subfolder(folder, "live"))
    ids = read_ids(path, redact(job.dataset))
    shape = read_shape(path, redact(job.dataset))
    record.dataset.rows, record.dataset.columns = shape.rows, shape.columns
    log_step(
        "fetch",
        f"live data {record.dataset.source}, {shape.rows:,} rows x {shape.columns:,} columns",
    )
    preflight.warn_missing_columns(inspection, record, shape.names)
    return path, ids


def _fetch_benchmarks(job: Job, record: Record, deadline: Deadline, folder: Path) -> Path:
    from numerai_predict.runner.live_data import read_shape

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
        path = source_of(source, job.cache).fetch(folder, transfer_policy(deadline, "fetch"))
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
