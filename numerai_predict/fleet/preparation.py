"""Preparation: fetches and inspects models ahead of the scheduler, in threads."""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.model_call import SourceLabels
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.redaction import redact
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment, choose_environment
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.temporary_directory import FleetDirectory
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.bundle_check import check_pickle, check_python
from numerai_predict.runner.bundle_data import NO_INPUT, ModelInput, check_data
from numerai_predict.runner.environment_info import current_environment
from numerai_predict.runner.fetching import fetch_model
from numerai_predict.runner.preflight import require_python
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

    def __init__(
        self,
        environments: Sequence[Environment],
        deadline: Deadline,
        model_input: ModelInput = NO_INPUT,
    ) -> None:
        self._environments = environments
        self._input = model_input
        self._deadline = deadline
        self._directory = FleetDirectory()
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

    def prepare_each(
        self, entries: Iterable[ManifestEntry], ahead: int
    ) -> Iterator[PreparedModel | PreparationFailure]:
        """Prepare models in their order, at most `ahead` before the caller asks for them."""
        pending: deque[Future[PreparedModel | PreparationFailure]] = deque()
        for entry in entries:
            pending.append(self._threads.submit(self._prepare, entry))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def close(self) -> None:
        """Stop, and remove what was fetched."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._directory.close()

    def _prepare(self, entry: ManifestEntry) -> PreparedModel | PreparationFailure:
        preparation = _Preparation(entry, self._environments, self._deadline, self._input)
        return preparation.run(self._directory.path)


class _Preparation:
    """The preparation of one model, with its record so far."""

    def __init__(
        self,
        entry: ManifestEntry,
        environments: Sequence[Environment],
        deadline: Deadline,
        model_input: ModelInput,
    ) -> None:
        self._entry = entry
        self._environments = environments
        self._deadline = deadline
        self._input = model_input
        self._record = RecordBuilder(current_environment())
        self._record.set_model_source(redact(entry.model))

    def run(self, parent: Path) -> PreparedModel | PreparationFailure:
        """Prepare the model; what is fetched for it is in a new directory of `parent`."""
        try:
            return self._fetch_and_inspect(Path(tempfile.mkdtemp(dir=parent)))
        except Exception as error:  # whatever it is, it is of this model alone
            self._record.fail(error)
            return PreparationFailure(self._entry, self._record.build())

    def _fetch_and_inspect(self, directory: Path) -> PreparedModel:
        entry, record = self._entry, self._record
        try:
            with record.timed(Step.FETCH):
                fetched = fetch_model(entry.model, self._deadline, directory)
            record.set_model_file(fetched)
            bundle = check_pickle(entry.model, fetched.sha256)
            record.add_warnings(check_data(bundle, self._input))
            environment, pythons = self._inspect(entry, fetched.path)
            check_python(bundle, environment.python)
        except BaseException:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        record.set_pythons(pythons)
        return PreparedModel(entry, record.build(), fetched.path, environment, directory)

    def _inspect(self, entry: ManifestEntry, path: Path) -> tuple[Environment, Sequence[str]]:
        """The environment for the model, and the Pythons that its code is valid for.

        Raises:
            InvalidPickle: the file is not a pickle.
            PythonMismatch: no environment satisfies the entry, or only the local Python is there,
                and the model is of another one.
            OSError: the file cannot be read.
        """
        inspection = inspect_pickle(path, _INSPECTION_SECONDS)
        python, flavour = entry.python, entry.flavour
        environment = choose_environment(self._environments, inspection, python, flavour)
        if environment.image is None:
            source = self._input.source or SourceLabels.dataset
            require_python(inspection, SourceLabels(redact(entry.model), source))
        return environment, inspection.pythons.legal or ()


def preparer_of(
    config: FleetConfig, data: LiveData, environments: Sequence[Environment], deadline: Deadline
) -> Preparer:
    """The preparer of a fleet run, which compares bundles with its live data."""
    allowed = config.allow_version_mismatch
    model_input = ModelInput(data.facts.source or "", data.columns, None, allowed)
    return Preparer(environments, deadline, model_input)
