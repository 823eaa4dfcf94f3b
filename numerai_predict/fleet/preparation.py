"""Preparation: fetches and inspects models ahead of the scheduler, in threads."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import ModelUnavailable, RunError
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.environments import Environment, choose_environment
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.fetching import fetch_model
from numerai_predict.runner.record_builder import RecordBuilder

_THREADS = 4
_INSPECTION_SECONDS = 2.0


@dataclass(frozen=True)
class PreparedModel:
    """A model that can run: its file, its environment, and the record so far.

    `directory` holds what was fetched for the model; a local file stays where it is.
    """

    entry: ManifestEntry
    record: Record
    path: Path
    environment: Environment
    directory: Path

    def discard_files(self) -> None:
        """Remove what was fetched."""
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(frozen=True)
class PreparationFailure:
    """A model that cannot run; its record has the verdict."""

    entry: ManifestEntry
    record: Record


class Preparer:
    """Prepares models in a pool of threads; `len` counts those whose result was not taken yet."""

    def __init__(self, environments: Sequence[Environment], deadline: Deadline) -> None:
        self._environments = environments
        self._deadline = deadline
        self._directory = tempfile.TemporaryDirectory(
            prefix="numerai-fleet-", ignore_cleanup_errors=True
        )
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="preparation")
        self._pending: list[Future[PreparedModel | PreparationFailure]] = []

    def __len__(self) -> int:
        return len(self._pending)

    def submit(self, entry: ManifestEntry) -> None:
        """Start to prepare a model."""
        self._pending.append(self._threads.submit(self._prepare, entry))

    def take_completed(self) -> list[PreparedModel | PreparationFailure]:
        """The results since the last call."""
        done = [future for future in self._pending if future.done()]
        self._pending = [future for future in self._pending if future not in done]
        return [future.result() for future in done]

    def close(self) -> None:
        """Stop, and remove what was fetched."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._directory.cleanup()

    def _prepare(self, entry: ManifestEntry) -> PreparedModel | PreparationFailure:
        directory = Path(tempfile.mkdtemp(dir=self._directory.name))
        builder = RecordBuilder(current_environment())
        builder.set_model_source(redact(entry.model))
        try:
            with builder.timed(Step.FETCH):
                fetched = fetch_model(entry.model, self._deadline, directory)
            builder.set_model_file(fetched)
            environment, pythons = _inspect(entry, fetched.path, self._environments)
        except RunError as error:
            shutil.rmtree(directory, ignore_errors=True)
            builder.fail(error)
            return PreparationFailure(entry, builder.build())
        builder.set_pythons(pythons)
        return PreparedModel(entry, builder.build(), fetched.path, environment, directory)


def _inspect(
    entry: ManifestEntry, path: Path, environments: Sequence[Environment]
) -> tuple[Environment, Sequence[str]]:
    """The environment for the model, and the Pythons that its code is valid for.

    Raises:
        InvalidPickle: the file is not a pickle.
        PythonMismatch: no environment satisfies the entry.
        ModelUnavailable: the file cannot be read.
    """
    try:
        inspection = inspect_pickle(path, _INSPECTION_SECONDS)
    except OSError as error:
        raise ModelUnavailable(
            f"expected to read the model, found: {error.strerror}",
            "check the disk that holds the temporary files (TMPDIR), then try again",
        ) from error
    environment = choose_environment(environments, inspection, entry.python, entry.flavour)
    return environment, inspection.pythons.legal or ()
