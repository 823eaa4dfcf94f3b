"""Getting models ready: fetched and inspected, some ahead of the workers."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.record import Record, Step
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment, choose
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.runner.fetching import fetch_model
from numerai_predict.runner.record_builder import RecordBuilder

_THREADS = 4
_INSPECTION_SECONDS = 2.0


@dataclass(frozen=True)
class PreparedModel:
    """A model at hand: its file, in `folder` where it was fetched, and where it is to run.

    `record` has what is known so far; where it has a verdict, the model is not to be run.
    """

    entry: ManifestEntry
    record: Record
    folder: Path
    path: Path | None = None
    place: Environment | None = None

    def discard_files(self) -> None:
        """Remove what was fetched."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Preparer:
    """Fetches and inspects models in threads of its own, as many ahead as are asked for."""

    def __init__(self, orders: FleetConfig, places: list[Environment], deadline: Deadline) -> None:
        self._orders = orders
        self._places = places
        self._deadline = deadline
        self._spool = tempfile.TemporaryDirectory(
            prefix="numerai-fleet-", ignore_cleanup_errors=True
        )
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="intake")
        self._has_pending: list[Future[PreparedModel]] = []

    def __len__(self) -> int:
        return len(self._has_pending)

    def begin(self, entry: ManifestEntry) -> None:
        """Start on a model."""
        self._has_pending.append(self._pool.submit(self._make_ready, entry))

    def finished(self) -> list[PreparedModel]:
        """The models that are ready by now, each told once."""
        done = [future for future in self._has_pending if future.done()]
        self._has_pending = [future for future in self._has_pending if not future.done()]
        return [future.result() for future in done]

    def close(self) -> None:
        """Stop, and remove what was fetched."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._spool.cleanup()

    def _make_ready(self, entry: ManifestEntry) -> PreparedModel:
        folder = Path(tempfile.mkdtemp(dir=self._spool.name))
        record = RecordBuilder.resume(self._orders.new_record())
        path, place = None, None
        try:
            record.set_model_source(redact(entry.model))
            with record.timed(Step.FETCH):
                fetched = fetch_model(entry.model, self._deadline, folder)
            record.set_model_file(fetched)
            path = fetched.path
            inspection = inspect_pickle(path, _INSPECTION_SECONDS)
            record.set_pythons(inspection.pythons.legal)
            place = choose(self._places, inspection, entry.python, entry.flavour)
        except RunError as error:
            record.fail(error)
        except OSError as error:
            record.conclude(
                Verdict.MODEL_UNAVAILABLE,
                f"expected to read the model, found: {error.strerror}",
                "look at the disk that holds the temporary files (TMPDIR), then try again",
            )
        return PreparedModel(entry, record.build(), folder, path, place)
